"""Left by the clock: each account before its own cut-off, once, in real engines' rows; never on hours nobody knows."""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.domain.calendar import IST, Closed
from app.domain.calendar import Session as Hours
from app.domain.contracts import Product, Side
from app.domain.errors import Denied
from app.domain.gate import Code
from app.domain.market_rules import DEFAULT_RULES, MarketRule, RuleBook, RuleKind
from app.domain.orders import Purpose
from app.domain.plan import ResolvedLeg
from app.persistence.tables import RiskEvent, Run, RunEvent, StrategyExecution, TradingAccount
from app.ports.feed import Tick
from app.services.journal import Journal
from app.services.price_board import PriceBoard
from app.services.run_board import RunBoard
from app.services.square_off import SquareOff, SquareOffTimes
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, PUT

TODAY = date(2026, 11, 23)


def ist(text: str) -> datetime:
    return datetime.combine(TODAY, time.fromisoformat(text), IST)


class GivenHours:
    def __init__(self) -> None:
        self.today: Hours | Closed | None = Hours(ist("09:15"), ist("15:40"))

    def session(self, _exchange: str) -> Hours | Closed | None:
        return self.today


class ByTheClock:
    """Two accounts, and the loop that leaves them by the clock."""

    def __init__(self, folder: Path) -> None:
        self.world = OrderWorld(folder, accounts=2)
        for broker in self.world.brokers.values():
            broker.fills_at_once = True
        self.hours, self.wrong_clock = GivenHours(), False
        self.book = RuleBook(DEFAULT_RULES)
        hours: Any = self.hours
        self.times = SquareOffTimes(hours, lambda: self.book)
        self.prices = PriceBoard(self.world.clock)
        self.runs = RunBoard(self.world.database, self.prices, self.world.clock)
        self.loop = SquareOff(
            self.world.database, self.runs, self.times, self.world.clock, Journal(self.world.clock),
            clock_in_doubt=lambda: self.wrong_clock, ask_exit=self._ask_exit,
        )  # fmt: skip

    def _ask_exit(
        self, run_id: int, account_id: int, leg: int | None, why: str, also: Callable[[Session], None]
    ) -> None:
        self.world.executor.ask_exit(
            run_id, account_id=account_id, leg=leg, why=why, with_shorts=leg is not None, also=also
        )

    def run(self, *products: str, asked: str | None = None) -> int:
        """A hedged short call and a put, bought, in both accounts; each leg in its product."""
        legs = ((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1), (PUT, Side.BUY, 1))[: len(products)]
        run_id = self.world.start(*legs)
        self.world.turns(6)
        with self.world.database.transaction() as session:
            if asked is not None:
                session.get_one(Run, run_id).square_off = time.fromisoformat(asked)
            for row in session.query(StrategyExecution).filter_by(run_id=run_id):
                row.product = products[row.leg - 1]
        self.changed(run_id)
        return run_id

    def changed(self, run_id: int) -> None:
        self.runs.changed(run_id)

    def at(self, text: str) -> None:
        """The loop looks at this moment of the day."""
        self.world.clock.at = ist(text)
        for run_id in self.runs.living():
            self.changed(run_id)
        self.loop.step()

    def leaving(self) -> set[tuple[int, int]]:
        """Account and leg of everything whose exit is asked."""
        return {(row.account_id, row.leg) for row in self.world.rows(StrategyExecution) if row.exit_wanted}

    def cut_off(self, account_id: int, text: str) -> None:
        with self.world.database.transaction() as session:
            session.get_one(TradingAccount, account_id).mis_cut_off = time.fromisoformat(text)


@pytest.fixture
def clock(tmp_path: Path) -> ByTheClock:
    return ByTheClock(tmp_path)


def test_row_47_each_account_is_left_before_its_own_cut_off(clock: ByTheClock) -> None:
    clock.cut_off(2, "15:25")
    run_id = clock.run("MIS", "MIS")
    assert [broker.net(CALL.key) for broker in clock.world.brokers.values()] == [-65, -65]
    clock.at("15:09:59")
    assert clock.leaving() == set()
    clock.at("15:10")
    assert clock.leaving() == {(1, 1), (1, 2)}
    clock.at("15:19:59")
    assert clock.leaving() == {(1, 1), (1, 2)}
    clock.at("15:20")
    assert clock.leaving() == {(1, 1), (1, 2), (2, 1), (2, 2)}
    clock.world.turns(8)
    assert [broker.net(CALL.key) for broker in clock.world.brokers.values()] == [0, 0]
    assert clock.world.run(run_id).state == "CLOSED"
    events = clock.world.rows(RiskEvent)
    assert [(event.rule, event.account_id) for event in events] == [("square_off", 1), ("square_off", 2)]
    assert events[0].action == (
        "Everything in Account 1 is left at 15:10 by the clock, before its account's cut-off at 15:15."
    )
    assert (events[0].threshold, events[0].value) == (None, None)


def test_what_is_left_is_written_down_with_the_prices_of_then_and_their_ages(clock: ByTheClock) -> None:
    clock.run("MIS", "MIS")
    clock.prices.put(Tick(CALL.key, 101.5, None))
    clock.at("15:10")
    event = clock.world.rows(RiskEvent)[0]
    assert event.prices.keys() == {CALL.key.symbol, HEDGE.key.symbol}
    assert event.prices[CALL.key.symbol]["ltp"] == "101.5"
    assert event.prices[CALL.key.symbol]["age_s"] >= 0
    assert event.prices[HEDGE.key.symbol] is None, "never priced, and said to be"


def test_it_is_asked_once_however_often_the_clock_is_looked_at(clock: ByTheClock) -> None:
    clock.run("MIS", "MIS")
    for second in range(5):
        clock.at(f"15:10:0{second}")
    assert len(clock.world.rows(RiskEvent)) == 2
    exits = [intent for intent in clock.world.intents() if intent.purpose == Purpose.EXIT]
    assert len({(intent.execution_id, intent.generation, intent.slice) for intent in exits}) == len(exits) == 2


def test_what_is_carried_stays_unless_asked(clock: ByTheClock) -> None:
    clock.run("NRML", "NRML")
    clock.at("15:35")
    assert clock.leaving() == set()
    asked = clock.run("NRML", "NRML", asked="15:30")
    clock.at("15:30")
    assert len(clock.leaving()) == 4
    assert clock.world.run(asked).state == "EXITING"


def test_of_a_mixed_run_the_intraday_legs_go_and_take_the_short_they_hedge(clock: ByTheClock) -> None:
    clock.run("MIS", "NRML", "NRML")
    clock.at("15:10")
    assert clock.leaving() == {(1, 1), (1, 2), (2, 1), (2, 2)}, "the put that hedges nothing stays"
    assert {event.place for event in clock.world.rows(RiskEvent)} == {"account 1 leg 1", "account 2 leg 1"}


def test_on_its_expiry_day_a_carried_position_is_left_too(clock: ByTheClock) -> None:
    clock.run("NRML", "NRML")
    with clock.world.database.transaction() as session:
        for row in session.query(StrategyExecution):
            row.expiry = TODAY.isoformat()
    clock.at("15:10")
    assert len(clock.leaving()) == 4


@pytest.mark.parametrize("hours", [None, Closed()], ids=["unknown", "closed"])
def test_nothing_is_left_on_hours_that_nobody_knows_or_on_a_closed_day(clock: ByTheClock, hours: Closed | None) -> None:
    clock.run("MIS", "MIS")
    clock.hours.today = hours
    clock.at("15:12")
    clock.at("15:13")
    assert clock.leaving() == set()
    told = [event.sentence for event in clock.world.rows(RunEvent) if event.kind == "attention"]
    assert len(told) == (2 if hours is None else 0), "said once for each account, when nobody knows"


def test_row_39_a_wrong_clock_leaves_nothing_early(clock: ByTheClock) -> None:
    clock.run("MIS", "MIS")
    clock.wrong_clock = True
    clock.at("15:12")
    assert clock.leaving() == set()
    clock.wrong_clock = False
    clock.at("15:12")
    assert len(clock.leaving()) == 4


def test_after_the_close_nothing_is_asked(clock: ByTheClock) -> None:
    """The broker has left it by then; the books say so."""
    clock.run("MIS", "MIS")
    clock.at("15:40")
    assert clock.leaving() == set()


def test_an_engine_that_was_away_leaves_at_once_when_it_is_back(clock: ByTheClock) -> None:
    clock.run("MIS", "MIS")
    clock.world.restart()
    clock.at("15:22")
    assert len(clock.leaving()) == 4


def test_nothing_is_entered_that_would_be_left_at_once(clock: ByTheClock) -> None:
    leg = ResolvedLeg(1, CALL, Side.BUY, 1, Product.MIS, "")
    terms: dict[str, Any] = {"of_account": time(15, 15), "asked": None}
    first = clock.times.of_entry([leg], **terms, now=ist("15:09:59"))
    assert first is not None
    assert first.words() == "at 15:10 by the clock, before its account's cut-off at 15:15"
    with pytest.raises(Denied) as late:
        clock.times.of_entry([leg], **terms, now=ist("15:10"))
    assert late.value.code == Code.SQUARE_OFF_PASSED
    asked = clock.times.of_entry([leg], of_account=time(15, 15), asked=time(14, 0), now=ist("10:00"))
    assert asked is not None
    assert asked.words() == "at 14:00, as its strategy says"


@pytest.mark.parametrize(
    ("now", "asked", "is_past"),
    [
        ("15:09:59", "15:10", False),
        ("15:10", "15:10", True),
        ("15:39:59", "15:10", True),
        ("15:40", "15:10", False),  # nothing trades any more: it is of the next day
        ("08:00", "15:10", False),
        ("15:24", "18:00", False),  # of another session: a quarter of an hour before the close stands for it
        ("15:25", "18:00", True),
    ],
)
def test_a_time_of_its_trader_is_over_while_the_exchange_still_trades(
    clock: ByTheClock, now: str, asked: str, *, is_past: bool
) -> None:
    assert clock.times.is_past("NFO", time.fromisoformat(asked), ist(now)) is is_past
    clock.hours.today = None
    assert clock.times.is_past("NFO", time.fromisoformat(asked), ist(now)) is False


def test_an_account_without_a_cut_off_goes_by_the_market_rules_and_by_none_that_is_missing(clock: ByTheClock) -> None:
    clock.book = RuleBook([MarketRule(RuleKind.CUT_OFF, None, Decimal(15 * 60 + 20), TODAY, "a page")])
    clock.cut_off(2, "15:25")
    clock.run("MIS", "MIS")
    clock.at("15:14:59")
    assert clock.leaving() == set()
    clock.at("15:15")
    assert clock.leaving() == {(1, 1), (1, 2)}, "what was typed with an account goes first"
    clock.at("15:20")
    assert clock.leaving() == {(1, 1), (1, 2), (2, 1), (2, 2)}


def test_a_missing_cut_off_refuses_entries_by_name_and_is_said_of_what_is_held(clock: ByTheClock) -> None:
    run_id = clock.run("MIS", "MIS", asked="15:30")
    clock.book = RuleBook([])
    legs = (ResolvedLeg(1, CALL, Side.SELL, 1, Product.MIS, "ATM"),)
    with pytest.raises(Denied, match="no cut_off valid on 23 Nov 2026") as refused:
        clock.times.of_entry(legs, of_account=None, asked=None, now=ist("10:00"))
    assert refused.value.code == Code.NOT_SENDABLE
    assert clock.times.of_entry(legs, of_account=time(15, 20), asked=None, now=ist("10:00")) is not None
    for text in ("10:00", "15:29"):
        clock.at(text)
    said = {event.sentence for event in clock.world.rows(RunEvent) if event.kind == "attention"}
    assert len(said) == 2, "once for each account"
    assert all("which nobody knows: The market rules have no cut_off" in sentence for sentence in said)
    assert clock.leaving() == set()
    clock.at("15:30")
    assert len(clock.leaving()) == 4, "its trader's own time needs no cut-off"
    assert run_id
