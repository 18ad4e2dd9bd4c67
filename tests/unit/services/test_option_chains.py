"""Chains: what is shown, what is subscribed within the budget, and what is quoted while somebody looks."""

from datetime import date
from decimal import Decimal

import pytest

from app.domain.contracts import ContractKey, Kind
from app.domain.errors import NotFound, Unavailable
from app.ports.feed import FeedMode, Tick
from app.ports.gateway import TimedOut
from app.services.chain_view import ChainRow, ChainSide, plain, staleness
from app.services.contract_list import ContractList
from app.services.earlier_interest import EarlierInterest
from app.services.expiry_closes import ExpiryCloses
from app.services.open_interest import OpenInterest
from app.services.option_chain_manager import DEPTH, QUOTE, SPOTS, OptionChainManager
from app.services.price_board import PriceBoard
from app.services.quotes import Quotes
from app.services.subscriptions import Wants
from tests.unit.services.market_fakes import EXPIRY, NIFTY, FakeClock, FakeGateways, chain, future, option, quote

NEXT = date(2026, 12, 8)
BANKNIFTY_EXPIRY = date(2026, 12, 29)
SENSEX = ContractKey("BSE_INDEX", "SENSEX")
BANKNIFTY = ContractKey("NSE_INDEX", "BANKNIFTY")


class FeedWishes:
    """The part of the WebSocket manager that chains use."""

    def __init__(self) -> None:
        self.wants = Wants()
        self.latest: dict[str, tuple[FeedMode, frozenset[ContractKey]]] = {}

    def want(self, consumer: str, keys: list[ContractKey], mode: FeedMode) -> None:
        self.latest[consumer] = (mode, frozenset(keys))
        self.wants.put(consumer, keys, mode)

    def wanted_by_others(self, *consumers: str) -> frozenset[ContractKey]:
        return self.wants.of_others(consumers)


class World:
    def __init__(self, budget: int = 200) -> None:
        self.clock = FakeClock()
        self.board = PriceBoard(self.clock)
        self.gateways = FakeGateways(1)
        gateway = self.gateways.of(1)
        gateway.listed = {
            "NFO": [
                *chain(23_500, 26_500, 50),
                *chain(23_500, 26_500, 50, NEXT),
                *chain(55_000, 59_000, 100, BANKNIFTY_EXPIRY, "BANKNIFTY"),
                future(BANKNIFTY_EXPIRY),
            ],
            "BFO": chain(80_000, 84_000, 100, date(2026, 11, 26), "SENSEX"),
        }
        self.contracts = ContractList(self.gateways, self.gateways.order, self.clock, self.clock)  # type: ignore[arg-type]
        self.feed = FeedWishes()
        asked = (self.gateways, self.gateways.order)
        quotes = Quotes(self.board, *asked, self.clock)  # type: ignore[arg-type]
        self.interest = EarlierInterest(*asked, self.clock, self.clock)  # type: ignore[arg-type]
        self.chains = OptionChainManager(
            self.contracts,
            self.board,
            self.feed,  # type: ignore[arg-type]
            quotes,
            closes=ExpiryCloses(*asked, self.clock, self.clock),  # type: ignore[arg-type]
            earlier=self.interest,
            market_clock=self.clock,
            clock=self.clock,
            budget=budget,
        )

    def load(self, spot: float = 25_012.4) -> None:
        self.contracts.step()
        self.put(NIFTY, spot, previous_close=24_900.0)
        self.put(BANKNIFTY, 57_010.0)
        self.put(SENSEX, 82_030.0)

    def put(self, key: ContractKey, ltp: float, **figures: float) -> None:
        self.board.put(Tick(key, ltp, None, **figures))  # type: ignore[arg-type]

    def asked(self, consumer: str) -> frozenset[ContractKey]:
        return self.feed.latest[consumer][1]


@pytest.fixture
def world() -> World:
    world = World()
    world.load()
    return world


def side(row: ChainRow, kind: Kind) -> ChainSide:
    found = row.ce if kind is Kind.CE else row.pe
    assert found is not None
    return found


def test_expiries_are_the_listed_ones_from_today_on(world: World) -> None:
    assert world.chains.expiries("NIFTY") == [EXPIRY, NEXT]
    world.clock.advance(9 * 24 * 3600)
    world.contracts.step()
    assert world.chains.expiries("NIFTY") == [NEXT]
    with pytest.raises(NotFound):
        world.chains.expiries("GOLD")


def test_without_a_contract_list_expiries_are_unavailable_and_the_page_says_why() -> None:
    world = World()
    with pytest.raises(Unavailable):
        world.chains.expiries("NIFTY")
    view = world.chains.view("NIFTY")
    assert (view.expiry, view.rows) == (None, ())
    assert view.note is not None
    assert "contract list" in view.note
    assert world.chains.step() > 0


def test_without_a_spot_there_are_no_rows_and_no_guess_where_the_money_is() -> None:
    world = World()
    world.contracts.step()
    view = world.chains.view("NIFTY")
    assert (view.expiry, view.rows, view.atm) == (EXPIRY, (), None)
    assert "no price of NIFTY" in str(view.note)


def test_the_window_is_twenty_strikes_either_side_of_the_money(world: World) -> None:
    view = world.chains.view("NIFTY", EXPIRY)
    assert len(view.rows) == 41
    assert [row.strike for row in view.rows] == sorted(row.strike for row in view.rows)
    assert view.atm == Decimal(25_000)
    assert [row.strike for row in view.rows if row.is_atm] == [Decimal(25_000)]
    assert (view.rows[0].strike, view.rows[-1].strike) == (Decimal(24_000), Decimal(26_000))
    assert [row.strike for row in view.rows if row.spot_before] == [Decimal(25_050)]
    assert (view.spot, view.spot_change, view.lot_size) == (Decimal("25012.4"), Decimal("112.4"), 65)
    assert view.underlyings == ("NIFTY", "BANKNIFTY", "SENSEX")


def test_calls_below_and_puts_above_the_spot_are_in_the_money(world: World) -> None:
    rows = world.chains.view("NIFTY", EXPIRY).rows
    assert min(row.strike for row in rows) < Decimal("25012.4") < max(row.strike for row in rows)
    for row in rows:
        if row.is_atm:
            expected = ("ATM", "ATM")
        else:
            expected = ("ITM", "OTM") if row.strike < Decimal("25012.4") else ("OTM", "ITM")
        assert (side(row, Kind.CE).tag, side(row, Kind.PE).tag) == expected


def test_a_side_shows_price_change_touch_and_age(world: World) -> None:
    call = option(25_000).key
    world.board.put(Tick(call, 200.5, None, previous_close=190.0, volume=650, bids=((200.4, 65),), asks=((200.6, 65),)))
    world.clock.advance(4)
    [row] = [row for row in world.chains.view("NIFTY", EXPIRY).rows if row.is_atm]
    shown = side(row, Kind.CE)
    assert (shown.ltp, shown.change, shown.bid, shown.ask) == (
        Decimal("200.5"),
        Decimal("10.5"),
        Decimal("200.4"),
        Decimal("200.6"),
    )
    assert (shown.volume, shown.age_s, shown.staleness, shown.symbol) == (650, 4, "late", call.symbol)
    never = side(row, Kind.PE)
    assert (never.ltp, never.oi, never.oi_change, never.age_s, never.staleness) == (None, None, None, None, "stale")


def test_the_nearest_expiry_is_shown_when_none_is_named_and_an_unlisted_one_refused(world: World) -> None:
    assert world.chains.view("NIFTY").expiry == EXPIRY
    with pytest.raises(NotFound, match="09 Dec 2026"):
        world.chains.view("NIFTY", date(2026, 12, 9))
    with pytest.raises(NotFound):
        world.chains.looked_at("NIFTY", date(2026, 12, 9))


def test_the_future_is_the_first_that_outlives_the_expiry(world: World) -> None:
    world.put(future(BANKNIFTY_EXPIRY).key, 25_100.0)
    line = world.chains.view("NIFTY", EXPIRY).future
    assert line is not None
    assert (line.expiry, line.ltp, line.basis) == (BANKNIFTY_EXPIRY, Decimal("25100.0"), Decimal("87.6"))
    assert world.chains.view("SENSEX").future is None


def test_spots_and_the_nearest_chains_are_subscribed_without_anybody_looking(world: World) -> None:
    world.chains.step()
    assert {NIFTY, BANKNIFTY, SENSEX, future(BANKNIFTY_EXPIRY).key} == world.asked(SPOTS)
    subscribed = world.asked(QUOTE)
    assert option(25_000).key in subscribed
    assert option(57_000, Kind.PE, BANKNIFTY_EXPIRY, "BANKNIFTY").key in subscribed
    assert option(25_000, expiry=NEXT).key not in subscribed
    assert world.asked(DEPTH) == frozenset()


def test_a_chain_that_is_looked_at_comes_first_with_depth_around_the_money(world: World) -> None:
    world.chains.looked_at("NIFTY", NEXT)
    world.chains.step()
    depth = world.asked(DEPTH)
    assert depth == {contract.key for contract in chain(24_900, 25_100, 50, NEXT)}
    window = {contract.key for contract in chain(24_000, 26_000, 50, NEXT)}
    assert window <= world.asked(QUOTE) | depth
    assert len(world.asked(QUOTE) | depth | world.asked(SPOTS)) <= 200


def test_nobody_looking_for_a_minute_frees_the_room(world: World) -> None:
    world.chains.looked_at("NIFTY", NEXT)
    world.chains.step()
    world.clock.advance(61)
    world.chains.step()
    assert world.asked(DEPTH) == frozenset()
    assert option(25_000, expiry=NEXT).key not in world.asked(QUOTE)


def test_what_is_held_uses_the_budget_first_and_costs_nothing_twice() -> None:
    world = World(budget=30)
    world.load()
    held = [contract.key for contract in chain(23_500, 23_700, 50)]  # ten far contracts that somebody holds
    world.feed.want("risk", held, FeedMode.DEPTH)
    world.chains.looked_at("NIFTY", EXPIRY)
    world.chains.step()
    everything = world.feed.wants.joined()
    assert len(everything) == 30
    assert set(held) <= everything.keys()
    nearest = {contract.key for contract in chain(24_850, 25_150, 50)}
    assert nearest <= everything.keys()


def test_a_budget_used_up_by_others_leaves_the_chains_to_rest_quotes() -> None:
    world = World(budget=5)
    world.load()
    world.chains.looked_at("NIFTY", EXPIRY)
    world.chains.step()
    assert len(world.asked(QUOTE) | world.asked(DEPTH)) == 1
    world.gateways.of(1).priced = {option(24_500).key: quote("520")}
    world.clock.advance(6)
    world.chains.step()
    [row] = [row for row in world.chains.view("NIFTY", EXPIRY).rows if row.strike == 24_500]
    assert side(row, Kind.CE).ltp == Decimal("520.0")


def test_what_is_short_drops_far_strikes_then_idle_chains_and_never_what_is_held(world: World) -> None:
    held = option(24_050, Kind.CE).key
    world.feed.want("risk", [held], FeedMode.DEPTH)
    world.chains.looked_at("NIFTY", EXPIRY)
    world.chains.step()
    whole = world.asked(DEPTH) | world.asked(QUOTE)
    world.chains.limit(reach=3)
    world.chains.step()
    near = world.asked(DEPTH) | world.asked(QUOTE)
    assert {key for key in near if key.symbol.startswith("NIFTY")} == {
        option(strike, kind).key for strike in range(24_850, 25_151, 50) for kind in (Kind.CE, Kind.PE)
    }
    assert any(key.symbol.startswith("SENSEX") for key in near)
    world.chains.limit(reach=3, idle=False)
    world.chains.step()
    assert all(key.symbol.startswith("NIFTY") for key in world.asked(DEPTH) | world.asked(QUOTE))
    assert held in world.feed.wants.joined()
    assert SENSEX in world.feed.wants.joined()
    world.chains.limit()
    world.chains.step()
    assert world.asked(DEPTH) | world.asked(QUOTE) == whole


def test_the_window_follows_the_spot_but_does_not_flutter_between_two_strikes(world: World) -> None:
    world.chains.looked_at("NIFTY", EXPIRY)
    world.chains.step()
    before = world.asked(DEPTH)
    for spot in (25_026.0, 25_024.0, 25_034.0, 25_020.0):
        world.put(NIFTY, spot)
        world.chains.step()
        assert world.asked(DEPTH) == before
    world.put(NIFTY, 25_040.0)
    world.chains.step()
    assert world.asked(DEPTH) == {contract.key for contract in chain(24_950, 25_150, 50)}


def test_a_watched_chain_is_quoted_for_touch_and_open_interest(world: World) -> None:
    call, put = option(25_000).key, option(25_000, Kind.PE).key
    gateway = world.gateways.of(1)
    gateway.priced = {
        call: quote("200", bid="199.9", ask="200.1", open_interest=65_000),
        put: quote("180", open_interest=130_000),
    }
    world.chains.step()
    assert not [call for call in gateway.calls if call.startswith("quotes")], "nobody looks"
    world.chains.looked_at("NIFTY", EXPIRY)
    world.chains.step()
    world.chains.step()
    assert [call for call in gateway.calls if call.startswith("quotes")] == ["quotes 84", "quotes 40"]
    view = world.chains.view("NIFTY", EXPIRY)
    [row] = [row for row in view.rows if row.is_atm]
    assert (side(row, Kind.CE).oi, side(row, Kind.CE).oi_bar, side(row, Kind.PE).oi_bar) == (65_000, 50, 100)
    assert side(row, Kind.CE).bid == Decimal("199.9")
    assert view.totals is not None
    assert (view.totals.call_oi, view.totals.put_oi, view.totals.pcr) == (65_000, 130_000, Decimal(2))
    assert (view.totals.straddle, view.totals.max_pain) == (Decimal("380.0"), Decimal(25_000))
    world.clock.advance(5.1)
    world.chains.step()
    assert [call for call in gateway.calls if call.startswith("quotes")] == ["quotes 84", "quotes 40", "quotes 84"]


def test_quotes_that_fail_are_said_on_the_page_until_they_come_again(world: World) -> None:
    world.chains.looked_at("NIFTY", EXPIRY)
    world.gateways.of(1).broken = TimedOut("The gateway did not answer in time.")
    world.chains.step()
    assert "did not answer in time" in str(world.chains.view("NIFTY", EXPIRY).note)
    world.gateways.of(1).broken = None
    world.clock.advance(11)
    world.chains.step()
    assert world.chains.view("NIFTY", EXPIRY).note is None


def test_a_stale_leg_makes_no_straddle(world: World) -> None:
    for kind in (Kind.CE, Kind.PE):
        world.put(option(25_000, kind).key, 100.0)
    world.clock.advance(11)
    world.put(option(25_000).key, 101.0)
    found = world.chains.view("NIFTY", EXPIRY).totals
    assert found is not None
    assert (found.straddle, found.pcr, found.call_oi, found.max_pain) == (None, None, None, None)


@pytest.mark.parametrize(("age", "word"), [(None, "stale"), (0, "fresh"), (2.9, "fresh"), (3, "late"), (10, "stale")])
def test_how_old_is_stale(age: float | None, word: str) -> None:
    assert staleness(age) == word


@pytest.mark.parametrize(("strike", "text"), [("26200.0", "26200"), ("26200", "26200"), ("292.50", "292.5")])
def test_a_strike_is_written_without_trailing_zeros(strike: str, text: str) -> None:
    assert str(plain(Decimal(strike))) == text


def test_open_interest_that_jumps_is_believed_when_seen_twice() -> None:
    key = option(25_000).key
    interest = OpenInterest()
    interest.take({key: quote("1", open_interest=100_000)}, 1.0)
    interest.take({key: quote("1", open_interest=0)}, 2.0)
    assert interest.known[key] == 100_000
    interest.take({key: quote("1", open_interest=900_000)}, 3.0)
    assert interest.known[key] == 100_000
    interest.take({key: quote("1", open_interest=910_000)}, 4.0)
    assert interest.known[key] == 910_000
    assert interest.doubted == 2


def test_open_interest_that_is_missing_or_negative_changes_nothing() -> None:
    key = option(25_000).key
    interest = OpenInterest()
    interest.take({key: quote("1", open_interest=None), option(25_050).key: quote("1", open_interest=-5)}, 1.0)
    assert interest.known == {}
