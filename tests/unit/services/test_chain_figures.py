"""Volatilities, greeks, the synthetic future and changes of open interest of a chain, and when there are none."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.black76 import greeks, implied_volatility, price, years_left
from app.domain.calendar_days import Override
from app.domain.contracts import ContractKey, Kind
from app.ports.feed import Tick
from app.ports.gateway import TimedOut, TradingHours
from app.services.chain_rows import interest_change, tag_of
from app.services.chain_view import ChainSide, ChainView
from app.services.expiry_closes import ExpiryCloses
from tests.unit.services.market_fakes import EXPIRY, NIFTY, option, quote
from tests.unit.services.test_option_chains import World, side

CE, PE = Kind.CE, Kind.PE
FORWARD = 25_060.0
SPOT = 25_012.4
CLOSE = datetime(2026, 12, 1, 10, 10, tzinfo=UTC)
FRIDAY = date(2026, 11, 20)
CALL = option(25_000).key


def volatility(strike: int) -> float:
    return 0.12 + abs(strike - FORWARD) / 20_000


class Quoted(World):
    """NIFTY quoted at the prices of a smile on a forward, in depth."""

    def __init__(self, close: datetime | None = CLOSE, strikes: range = range(24_000, 26_001, 50)) -> None:
        super().__init__()
        self.load(SPOT)
        if close is not None:
            hours = [TradingHours("NFO", close - timedelta(hours=6, minutes=25), close)]
            self.gateways.of(1).hours = hours
        self.strikes = strikes
        self.chains.looked_at("NIFTY", EXPIRY)
        self.chains.view("NIFTY", EXPIRY)  # whoever looks has the close asked for
        self.chains.step()
        self.tick()

    def tick(self) -> None:
        years = years_left(self.clock.now(), CLOSE)
        for strike in self.strikes:
            for kind in (CE, PE):
                middle = round(price(kind, FORWARD, strike, years, volatility(strike)) / 0.05) * 0.05
                bid, ask = round(middle - 0.05, 2), round(middle + 0.05, 2)
                bids = ((bid, 65),) if bid > 0 else ()
                self.board.put(Tick(option(strike, kind).key, ask, None, bids=bids, asks=((ask, 65),)))

    def seen(self) -> ChainView:
        return self.chains.view("NIFTY", EXPIRY)

    def of(self, strike: int, kind: Kind = CE) -> ChainSide:
        return side(next(row for row in self.seen().rows if row.strike == strike), kind)


def test_the_synthetic_future_stands_beside_the_spot_with_its_own_money() -> None:
    synthetic = Quoted().seen().synthetic
    assert synthetic is not None
    assert float(synthetic.price) == pytest.approx(FORWARD, abs=0.05)
    assert synthetic.basis == synthetic.price - Decimal("25012.4")
    assert synthetic.atm == Decimal(25_050)


@pytest.mark.parametrize("strike", [24_500, 25_000, 25_050, 25_600])
@pytest.mark.parametrize("kind", [CE, PE])
def test_each_option_has_the_volatility_it_is_quoted_at_and_its_greeks(strike: int, kind: Kind) -> None:
    world = Quoted()
    found = world.of(strike, kind).figures
    assert found is not None
    assert float(found.iv) == pytest.approx(volatility(strike) * 100, abs=0.25)
    expected = greeks(kind, FORWARD, strike, years_left(world.clock.now(), CLOSE), volatility(strike))
    assert float(found.delta) == pytest.approx(expected.delta, abs=0.01)
    assert float(found.gamma) == pytest.approx(expected.gamma, abs=0.0001)
    assert float(found.theta) == pytest.approx(expected.theta, rel=0.05, abs=0.02)
    assert float(found.vega) == pytest.approx(expected.vega, rel=0.05, abs=0.02)


def test_the_volatility_at_the_money_is_the_mean_of_call_and_put() -> None:
    world = Quoted()
    call, put, totals = world.of(25_000).figures, world.of(25_000, PE).figures, world.seen().totals
    assert call is not None
    assert put is not None
    assert totals is not None
    assert totals.atm_iv == (call.iv + put.iv) / 2


def test_time_that_passes_counts_though_no_price_changes() -> None:
    world = Quoted()
    before = world.of(25_000).figures
    world.clock.advance(6)
    assert world.of(25_000).figures == before, "six seconds of eight days are not seen"
    world.clock.advance(6 * 3600)
    world.tick()
    after = world.of(25_000).figures
    assert before is not None
    assert after is not None
    assert after.theta != before.theta


def test_only_what_changed_is_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Quoted()
    worked: list[float] = []
    solve = implied_volatility

    def counted(*figures: Any, **more: Any) -> float | None:
        worked.append(figures[3])
        return solve(*figures, **more)

    monkeypatch.setattr("app.services.chain_greeks.implied_volatility", counted)
    world.seen()
    first = len(worked)
    assert first == 2 * 41
    world.seen()
    assert len(worked) == first
    far = option(25_900).key
    world.board.put(Tick(far, 3.0, None, bids=((2.9, 65),), asks=((3.0, 65),)))
    world.seen()
    assert len(worked) == first, "no more than twice a second"
    world.clock.advance(0.5)
    world.seen()
    assert worked[first:] == [25_900]


def test_an_unknown_close_gives_no_volatility_rather_than_a_guess() -> None:
    world = Quoted(close=None)
    view = world.seen()
    assert "not known yet" in str(view.no_greeks)
    assert (view.closes, world.of(25_000).figures) == (None, None)
    assert view.synthetic is not None, "the forward needs no close"


def test_a_special_session_is_the_instant_of_expiry() -> None:
    evening = datetime(2026, 12, 1, 13, 45, tzinfo=UTC)
    world = Quoted(close=evening)
    assert world.seen().closes == evening


@pytest.mark.parametrize(("hours", "close"), [((time(18, 0), time(19, 15)), (13, 45)), (None, None)])
def test_what_an_admin_says_of_the_expiry_day_goes_before_the_gateway(
    hours: tuple[time, time] | None, close: tuple[int, int] | None
) -> None:
    world = World()
    said = Override(EXPIRY, "NFO", hours, "circular 7", "asha", world.clock.now())
    gateway = world.gateways.of(1)
    gateway.hours = [TradingHours("NFO", CLOSE - timedelta(hours=6, minutes=25), CLOSE)]
    closes = ExpiryCloses(
        world.gateways,  # type: ignore[arg-type]
        world.gateways.order,
        world.clock,
        world.clock,
        overrides=lambda day: {"NFO": said} if day == EXPIRY else {},
    )
    assert closes.of("NFO", EXPIRY) is None
    closes.step()
    found = closes.of("NFO", EXPIRY)
    assert found == (None if close is None else CLOSE.replace(hour=close[0], minute=close[1]))
    assert closes.of("BFO", EXPIRY) is None, "the gateway names no session of it"


def test_after_the_close_there_is_none() -> None:
    world = Quoted()
    world.clock.advance((CLOSE - world.clock.now()).total_seconds() - 18_000)
    world.load(SPOT)
    for _ in range(4):  # the date's own close is asked for when somebody looks
        world.seen()
        world.chains.step()
    world.tick()
    assert world.of(25_050).figures is not None
    world.clock.advance(18_000)
    view = world.seen()
    assert (world.of(25_050).figures, view.no_greeks) == (None, "These options have expired.")


def test_prices_that_are_stale_give_no_volatility() -> None:
    world = Quoted()
    world.clock.advance(11)
    view = world.seen()
    assert (view.synthetic, world.of(25_000).figures) == (None, None)
    assert "quoted on both sides" in str(view.no_greeks)
    world.tick()
    world.clock.advance(8)
    world.strikes = range(24_900, 25_101, 50)
    world.tick()
    world.clock.advance(3)
    assert world.of(25_000).figures is not None
    assert world.of(25_600).figures is None


def test_two_quoted_strikes_make_no_forward() -> None:
    assert Quoted(strikes=range(25_000, 25_051, 50)).seen().synthetic is None


def test_a_premium_at_what_exercise_pays_has_none() -> None:
    world = Quoted()
    deep = option(24_000).key
    world.board.put(Tick(deep, 1_060.0, None, bids=((1_059.9, 65),), asks=((1_060.0, 65),)))
    assert world.of(24_000).figures is None
    assert world.of(24_050).figures is not None


@pytest.mark.parametrize(
    ("bids", "asks"),
    [((), ((3.0, 65),)), (((9.0, 65),), ()), (((9.1, 65),), ((8.9, 65),))],
    ids=["nobody bids", "nobody offers", "the wrong way round"],
)
def test_a_trade_of_this_morning_that_bids_and_offers_contradict_makes_no_volatility(
    bids: tuple[tuple[float, int], ...], asks: tuple[tuple[float, int], ...]
) -> None:
    world = Quoted()
    key = option(25_900).key
    world.board.put(Tick(key, 8.0, None, bids=bids, asks=asks))
    assert world.of(25_900).ltp == Decimal("8.0")
    assert world.of(25_900).figures is None


def test_a_trade_that_the_one_side_of_its_touch_allows_makes_a_volatility() -> None:
    world = Quoted()
    world.board.put(Tick(option(25_900).key, 8.0, None, bids=(), asks=((8.05, 65),)))
    assert world.of(25_900).figures is not None


def test_an_empty_calendar_of_the_expiry_day_is_asked_again() -> None:
    world = World()
    world.load(SPOT)
    gateway = world.gateways.of(1)
    gateway.hours = []
    world.chains.view("NIFTY", EXPIRY)
    world.chains.step()
    gateway.hours = [TradingHours("NFO", CLOSE - timedelta(hours=6), CLOSE)]
    world.clock.advance(16)
    for _ in range(4):
        world.chains.step()
    assert world.chains.view("NIFTY", EXPIRY).closes == CLOSE


def test_the_close_is_asked_again_when_no_gateway_told_it() -> None:
    world = World()
    world.load(SPOT)
    gateway = world.gateways.of(1)
    gateway.broken = TimedOut("The gateway did not answer in time.")
    world.chains.view("NIFTY", EXPIRY)
    for _ in range(3):
        world.chains.step()
    assert gateway.calls.count(f"hours {EXPIRY}") == 1, "not at every step"
    gateway.broken = None
    gateway.hours = [TradingHours("NFO", CLOSE - timedelta(hours=6), CLOSE)]
    world.clock.advance(16)
    for _ in range(4):  # other chains wait for theirs as well
        world.chains.step()
    assert world.chains.view("NIFTY", EXPIRY).closes == CLOSE


@pytest.mark.parametrize(
    ("now", "earlier", "volume", "change"),
    [
        (1_300, 1_000, 300, 300),
        (700, 1_000, 5_000, -300),
        (1_301, 1_000, 300, None),
        (1_000, None, 300, None),
        (None, 1_000, 300, None),
        (1_300, 1_000, None, None),
        (1_000, 1_000, 0, 0),
    ],
)
def test_open_interest_changes_by_no_more_than_was_traded(
    now: int | None, earlier: int | None, volume: int | None, change: int | None
) -> None:
    assert interest_change(now, earlier, volume) == change


def interest(world: World, key: ContractKey, units: int, volume: int) -> None:
    world.gateways.of(1).priced[key] = quote("200", open_interest=units, volume=volume)
    world.clock.advance(6)
    world.chains.step()


def test_the_change_of_open_interest_is_against_the_last_trading_day() -> None:
    world = World()
    world.load(SPOT)
    gateway = world.gateways.of(1)
    gateway.interest = {CALL: {FRIDAY: 100_000, FRIDAY - timedelta(days=1): 5}}
    world.chains.looked_at("NIFTY", EXPIRY)
    interest(world, CALL, 165_000, 650_000)
    assert world.interest.step() > 0
    [row] = [row for row in world.chains.view("NIFTY", EXPIRY).rows if row.is_atm]
    assert (side(row, CE).oi, side(row, CE).oi_change) == (165_000, 65_000)
    assert gateway.calls.count(f"interest {CALL.symbol}") == 1


def test_yesterdays_open_interest_is_asked_once_a_day_from_the_money_outwards() -> None:
    world = World()
    world.load(SPOT)
    world.chains.looked_at("NIFTY", EXPIRY)
    world.chains.step()
    gateway = world.gateways.of(1)
    for _ in range(100):
        world.interest.step()
    asked = [call.removeprefix("interest ") for call in gateway.calls if call.startswith("interest")]
    assert len(asked) == len(set(asked)) == 82
    assert asked[:2] == [option(25_000, CE).key.symbol, option(25_000, PE).key.symbol]
    world.clock.advance(24 * 3600)
    world.interest.step()
    assert gateway.calls[-1] == f"interest {CALL.symbol}"


def test_a_gateway_without_history_is_asked_less_and_less() -> None:
    world = World()
    world.load(SPOT)
    world.chains.looked_at("NIFTY", EXPIRY)
    world.chains.step()
    gateway = world.gateways.of(1)
    gateway.broken = TimedOut("The gateway did not answer in time.")
    for _ in range(600):
        world.clock.advance(1)
        world.interest.step()
    assert len([call for call in gateway.calls if call.startswith("interest")]) <= 9


def test_a_change_that_cannot_be_is_counted_and_not_shown() -> None:
    world = World()
    world.load(SPOT)
    world.gateways.of(1).interest = {CALL: {FRIDAY: 1_000}}
    world.chains.looked_at("NIFTY", EXPIRY)
    interest(world, CALL, 165_000, 650)
    world.interest.step()
    view = world.chains.view("NIFTY", EXPIRY)
    [row] = [row for row in view.rows if row.is_atm]
    assert (side(row, CE).oi, side(row, CE).oi_change, view.oi_doubted) == (165_000, None, 1)
    interest(world, CALL, 1, 650)
    assert world.chains.view("NIFTY", EXPIRY).oi_doubted == 2


def test_puts_over_calls_by_volume_as_well() -> None:
    world = World()
    world.load(SPOT)
    for kind, volume in ((CE, 400), (PE, 500)):
        world.put(option(25_000, kind).key, 100.0, volume=volume)
    totals = world.chains.view("NIFTY", EXPIRY).totals
    assert totals is not None
    assert (totals.pcr_volume, totals.pcr) == (Decimal("1.25"), None)


@given(st.integers(1, 400), st.integers(1, 40_000), st.sampled_from([CE, PE]))
def test_what_is_in_the_money_would_pay_if_exercised_now(strikes: int, spot: int, kind: Kind) -> None:
    strike, at_money = Decimal(50 * strikes), Decimal(round(spot / 50) * 50)
    tag = tag_of(kind, strike, Decimal(spot), at_money)
    pays = spot > strike if kind is CE else spot < strike
    if strike == at_money:
        assert tag == "ATM"
    else:
        assert tag == ("ITM" if pays else "OTM")


def test_without_any_spot_nothing_is_reckoned() -> None:
    world = World()
    world.contracts.step()
    view = world.chains.view("NIFTY", EXPIRY)
    assert (view.synthetic, view.totals) == (None, None)
    assert world.board.latest(NIFTY) is None
