"""What open pages are told: what changed, in the words of the page, and everything again every few seconds."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from app.domain.calendar import Phase, Session
from app.domain.contracts import ContractKey, Kind
from app.engine import page_cells
from app.engine.page_feed import PageFeed
from app.ports.feed import Tick
from app.services.feed_state import FeedPhase
from tests.unit.services.market_fakes import EXPIRY, MONDAY_1030, NIFTY, option, quote
from tests.unit.services.test_option_chains import World

ROOM = f"chain:NIFTY:{EXPIRY.isoformat()}"
CALL = option(25_000).key
SESSION = Session(datetime(2026, 11, 23, 3, 45, tzinfo=UTC), datetime(2026, 11, 23, 10, 10, tzinfo=UTC))


class Pages:
    def __init__(self) -> None:
        self.world = World()
        self.world.load()
        self.said: list[tuple[str, str, Mapping[str, object]]] = []
        self.rooms: frozenset[str] = frozenset({ROOM})
        self.mtm: Decimal | None = Decimal(1840)
        self.held: frozenset[ContractKey] = frozenset()
        self.phase = FeedPhase.LIVE
        self.feed = PageFeed(
            self,
            self.world.board,
            self.world.chains,
            SimpleNamespace(state=lambda: SimpleNamespace(phase=self.phase, last_tick_age_s=0.4)),
            SimpleNamespace(view=lambda _run_id: SimpleNamespace(held=self.held)),  # type: ignore[arg-type]
            hours=SimpleNamespace(session=lambda _: SESSION, phase=lambda _: Phase.LIVE),  # type: ignore[arg-type]
            clock=self.world.clock,
            market_clock=self.world.clock,
            watched=lambda: self.rooms,
            mtm=lambda _user: self.mtm,
            clock_note=lambda phase, _session, _now: f"It is {phase}",
        )

    def publish(self, room: str, event: str, payload: Mapping[str, object]) -> None:
        self.said.append((room, event, payload))

    def step(self, seconds: float = 0.25) -> None:
        self.said.clear()
        self.world.clock.advance(seconds)
        self.feed.step()

    def cells(self, room: str = ROOM) -> dict[str, object]:
        """All cells of the last step in that room."""
        found: dict[str, object] = {}
        for where, event, payload in self.said:
            if (where, event) == (room, "patch"):
                cells = payload["cells"]
                assert isinstance(cells, dict)
                found |= cells
        return found

    def rows(self, room: str = ROOM) -> dict[int, str]:
        """Rows told in the last step by their numbers."""
        text = next((str(said["rows"]) for where, _, said in self.said if where == room and "rows" in said), "")
        return {int(re.split("[|+]", row)[0]): row for row in text.split(";") if row}

    def message(self, room: str = ROOM) -> Mapping[str, object]:
        return next(payload for where, _, payload in self.said if where == room)


@pytest.fixture
def pages() -> Pages:
    pages = Pages()
    pages.step()
    return pages


def test_the_first_message_has_everything_in_the_words_of_the_page(pages: Pages) -> None:
    cells = pages.cells()
    assert cells["spot.ltp"] == "25,012.40"
    assert cells["spot.chg"] == {"text": "▲ +112.40 (+0.45%)", "tone": "up"}
    assert len(cells) == 9 + 1 + 9
    assert len(pages.rows()) == 82
    assert pages.rows()[40] == "40|?|?|?|?|?|?|?|?|0|?"
    assert (pages.message()["topic"], pages.message()["atm"], pages.message()["spot_before"]) == (
        ROOM,
        "25000",
        "25050",
    )


def test_afterwards_only_what_changed_is_sent(pages: Pages) -> None:
    pages.step()
    assert pages.cells() == {}
    pages.world.board.put(Tick(CALL, 200.5, None, previous_close=201.0, volume=130_000, bids=((200.4, 65),)))
    pages.step()
    assert pages.rows()[40] == "40+|200.50|-0.50|200.40||||1.30 L"
    assert pages.cells() == {"chain.age": {"age_s": 0.2}}
    assert "atm" not in pages.message()


def test_a_price_that_comes_again_unchanged_still_makes_its_cell_young(pages: Pages) -> None:
    for _ in range(3):
        pages.world.board.put(Tick(CALL, 200.5, None))
        pages.step(1.5)
        assert pages.rows()[40].startswith("40+1.5")


def test_the_greeks_of_a_chain_are_told_to_those_who_look_at_them_and_worked_out_once(pages: Pages) -> None:
    looked: list[object] = []
    view = pages.world.chains.view
    pages.world.chains.view = lambda *chain: looked.append(chain) or view(*chain)  # type: ignore[method-assign,func-returns-value]
    greeks = f"{ROOM}:greeks"
    pages.rooms = frozenset({ROOM, greeks})
    pages.step()
    assert pages.rows(greeks)[40] == "40|?|?|?"
    assert pages.message(greeks)["layout"] == pages.world.chains.view("NIFTY", EXPIRY).layout
    assert len(looked) == 2, "once in the step, and once just now"


def test_other_strikes_come_with_another_layout(pages: Pages) -> None:
    before = pages.message()["layout"]
    pages.world.put(NIFTY, 25_300.0)
    pages.step()
    assert pages.message()["layout"] != before
    assert len(pages.rows()) == 82


def test_the_money_moving_moves_the_marks(pages: Pages) -> None:
    pages.world.put(NIFTY, 25_060.0)
    pages.step()
    assert (pages.message()["atm"], pages.message()["spot_before"]) == ("25050", "25100")
    pages.step()
    assert pages.cells() == {}


def test_everything_is_sent_again_after_five_seconds(pages: Pages) -> None:
    pages.step(5.1)
    assert len(pages.cells()) == 9 + 1 + 9
    assert pages.message()["atm"] == "25000"


def test_open_interest_carries_its_bar(pages: Pages) -> None:
    put = option(25_000, Kind.PE).key
    pages.world.gateways.of(1).priced = {put: quote("180", open_interest=130_000)}
    pages.world.chains.step()
    pages.step()
    assert pages.rows()[41].endswith("|1.30 L|100")


def test_the_totals_below_the_chain_move_with_it(pages: Pages) -> None:
    call, put = option(25_000).key, option(25_000, Kind.PE).key
    pages.world.gateways.of(1).priced = {
        call: quote("200", open_interest=260_000),
        put: quote("180", open_interest=130_000),
    }
    pages.world.chains.step()
    pages.step()
    cells = pages.cells()
    totals = {key.removeprefix("totals."): cells[key] for key in cells if key.startswith("totals.")}
    assert totals == {
        "pcr": "0.50",
        "max_pain": "25,000",
        "straddle": "380.00",
        "call_oi": "2.60 L",
        "put_oi": "1.30 L",
        "oi_strikes": "1 of 61 strikes",
    }


def test_a_watched_chain_stays_in_demand_and_an_unwatched_one_is_not_computed(pages: Pages) -> None:
    for _ in range(3):
        pages.step(50)
    pages.world.chains.step()
    assert pages.world.gateways.of(1).calls[-1] == "quotes 84"
    pages.rooms = frozenset()
    pages.step()
    assert {where for where, _, _ in pages.said} <= {"desk"}


def test_a_chain_that_is_not_listed_is_passed_over(pages: Pages) -> None:
    pages.rooms = frozenset({"chain:NIFTY:2026-12-09", "chain:GOLD:2026-12-01"})
    pages.step()
    assert {where for where, _, _ in pages.said} <= {"desk"}


def test_the_top_bar_has_clock_feed_and_indices(pages: Pages) -> None:
    pages.step(5.1)
    cells = pages.cells("desk")
    assert cells["clock.now"] == f"{MONDAY_1030.hour + 5}:30:05"
    assert cells["clock.note"] == "It is live"
    assert cells["feed.state"] == {"text": "Feed live", "tone": "live"}
    assert cells["feed.age"] == {"age_s": 0.4}
    assert cells["index.NIFTY.ltp"] == "25,012.40"
    assert cells["index.NIFTY.chg"] == {"text": "+0.45%", "tone": "up"}
    assert cells["index.SENSEX.chg"] == {"text": "—", "tone": "none"}


@pytest.mark.parametrize(("phase", "words"), page_cells.FEED_WORDS.items())
def test_a_feed_that_is_not_well_is_said_at_once(pages: Pages, phase: FeedPhase, words: str) -> None:
    pages.phase = FeedPhase.LATE if phase is not FeedPhase.LATE else FeedPhase.LOST
    pages.step()
    pages.phase = phase
    pages.step()
    assert pages.cells("desk")["feed.state"] == {"text": words, "tone": phase.value}


@pytest.mark.parametrize(
    ("mtm", "text", "tone"),
    [
        (Decimal(1840), "+1,840", "up"),
        (Decimal(-2260), "−2,260", "down"),
        (Decimal(0), "0", "flat"),
        (None, "unknown", "none"),
    ],
)
def test_each_user_is_told_their_own_profit_and_loss(mtm: Decimal | None, text: str, tone: str) -> None:
    pages = Pages()
    pages.rooms = frozenset({"user:3"})
    pages.mtm = mtm
    pages.step()
    assert pages.cells("user:3") == {"mtm": {"text": text, "tone": tone}}
    assert pages.message("user:3")["topic"] == "desk"


def test_a_run_page_is_touched_when_a_held_contract_has_a_new_price_at_most_once_a_second(pages: Pages) -> None:
    pages.rooms = frozenset({"run:12"})
    pages.held = frozenset({CALL})
    pages.step(1.1)
    touched = 0
    for step in range(8):
        pages.world.put(CALL, 200.0 + step)
        pages.step(0.25)
        touched += ("run:12", "touch", {"topic": "run:12"}) in pages.said
    assert touched == 2
    for _ in range(8):
        pages.world.put(option(26_000).key, 10.0)
        pages.step(0.25)
        assert not [event for _, event, _ in pages.said if event == "touch"]


def test_while_the_market_time_is_unknown_the_bar_says_so(pages: Pages) -> None:
    pages.world.clock.unknown = True
    pages.step()
    assert pages.cells("desk")["clock.note"] == "Market time unknown"
