"""What the legs of a strategy would be worth, from prices on a board; what is missing is said, nothing is made up."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domain.black76 import price, years_left
from app.domain.contracts import Kind, PriceType, Product, Side
from app.domain.price_types import PriceTerms
from app.domain.strategy import ExpiryWord, LegSpec, StrikeMethod, StrikeRule
from app.domain.worth import worth
from app.ports.feed import Tick
from app.ports.gateway import TradingHours
from app.services.outlooks import Outlook, Outlooks
from tests.unit.services.market_fakes import EXPIRY, future, option
from tests.unit.services.test_option_chains import BANKNIFTY_EXPIRY, NEXT, World

CE, PE, FUT = Kind.CE, Kind.PE, Kind.FUT
SPOT = 25_012.4
CLOSES = {day: datetime(day.year, day.month, day.day, 10, 0, tzinfo=UTC) for day in (EXPIRY, NEXT, BANKNIFTY_EXPIRY)}
FORWARDS = {EXPIRY: 25_060.0, NEXT: 25_095.0, BANKNIFTY_EXPIRY: 57_300.0}
ATM = StrikeRule(StrikeMethod.ATM)


class OpenHours:
    def phase(self, _exchange: str) -> str:
        return "open"


class Priced(World):
    """Both expiries of NIFTY quoted around the money at one volatility on their forwards."""

    def __init__(self) -> None:
        super().__init__(budget=400)
        gateway = self.gateways.of(1)
        gateway.listed["NFO"] += [future(EXPIRY)]
        self.load(SPOT)
        hours: Any = OpenHours()
        self.outlooks = Outlooks(
            self.contracts, self.chains, self.board, hours, market_clock=self.clock, clock=self.clock
        )
        self.gateways.of(1).hours = []
        for day in (EXPIRY, NEXT):
            self.tick(day)

    def know_sessions(self) -> None:
        """Each close is asked for by one step: the gateway answers of whichever day."""
        gateway = self.gateways.of(1)
        answers = gateway.trading_hours
        gateway.trading_hours = lambda day: (  # type: ignore[method-assign]
            [TradingHours("NFO", CLOSES[day] - timedelta(hours=6, minutes=15), CLOSES[day])]
            if day in CLOSES
            else answers(day)
        )
        for _ in range(6):
            self.chains.step()
            self.clock.advance(0.01)

    def tick(self, day: date, strikes: Sequence[int] = range(24_500, 25_501, 50)) -> None:
        years = years_left(self.clock.now(), CLOSES[day])
        for strike in strikes:
            for kind in (CE, PE):
                middle = round(price(kind, FORWARDS[day], strike, years, 0.12) / 0.05) * 0.05
                bid, ask = round(middle - 0.05, 2), round(middle + 0.05, 2)
                self.board.put(Tick(option(strike, kind, day).key, ask, None, bids=((bid, 65),), asks=((ask, 65),)))

    def of(self, *legs: LegSpec) -> Outlook:
        return self.outlooks.of(legs)


def leg(
    kind: Kind = CE,
    side: Side = Side.SELL,
    strike: StrikeRule | None = ATM,
    expiry: ExpiryWord | date = EXPIRY,
    **changes: Any,
) -> LegSpec:
    known: dict[str, Any] = {"underlying": "NIFTY", "ratio": 1, "product": Product.MIS, **changes}
    return LegSpec(number=1, kind=kind, expiry=expiry, strike=strike, side=side, **known)


@pytest.fixture
def world() -> Priced:
    made = Priced()
    for day in (EXPIRY, NEXT):
        made.chains.view("NIFTY", day)
        made.chains.looked_at("NIFTY", day)
    made.know_sessions()
    return made


def test_a_straddle_is_priced_at_the_middle_and_is_worth_nothing_now(world: Priced) -> None:
    found = world.of(leg(CE), leg(PE))
    assert found.missing == ()
    assert found.payoff is not None
    assert found.payoff.max_loss is None, "a short straddle can lose without limit"
    credit = found.net_premium
    assert found.payoff.max_profit == credit > 0
    low, high = found.payoff.break_evens
    assert (high - low) * 65 == 2 * credit
    assert found.held is not None
    assert [each.volatility for each in found.held] == pytest.approx([0.12, 0.12], abs=0.002)
    assert worth(found.held, SPOT) == pytest.approx(0.0, abs=65 * 0.1)
    assert found.deviation == pytest.approx(SPOT * 0.12 * (8 / 365) ** 0.5, rel=0.02)


def test_a_typed_price_is_what_it_is_entered_at_and_the_market_what_its_volatility_is_of(world: Priced) -> None:
    pricing = PriceTerms(PriceType.LIMIT, Decimal(400))
    (only,) = world.of(leg(CE, pricing=pricing)).legs
    assert only.entry == Decimal(400)
    assert only.market < 300
    assert only.volatility == pytest.approx(0.12, abs=0.002)


def test_a_calendar_is_valued_at_the_first_expiry(world: Priced) -> None:
    found = world.of(leg(CE), leg(CE, Side.BUY, expiry=NEXT))
    assert found.first_expiry == EXPIRY
    assert found.payoff is not None
    assert found.payoff.max_loss is not None
    assert len(found.payoff.break_evens) == 2


def test_a_future_has_no_premium_and_moves_with_the_index(world: Priced) -> None:
    world.put(future(EXPIRY).key, 25_070.0)
    found = world.of(leg(FUT, Side.BUY, None), leg(PE, Side.BUY))
    assert found.missing == ()
    assert found.payoff is not None
    assert found.payoff.max_profit is None
    assert found.net_premium < 0, "only the put was paid for"


def test_without_a_price_nothing_is_drawn_and_each_leg_says_why(world: Priced) -> None:
    far = StrikeRule(StrikeMethod.STRIKE, Decimal(26_400))
    unlisted = StrikeRule(StrikeMethod.STRIKE, Decimal(26_423))
    found = world.of(leg(CE), leg(CE, strike=far), leg(PE, strike=unlisted))
    assert found.payoff is None
    assert found.missing[0] == "Leg 2: NIFTY 01 DEC 26 26,400 CE has had no price yet."
    assert found.missing[1].startswith("Leg 3: Strike 26,423 is not listed.")


def test_an_old_price_draws_the_expiry_alone_and_says_how_old_it_is(world: Priced) -> None:
    world.clock.advance(34)
    world.put(option(25_000, PE).key, 120.0)
    found = world.of(leg(CE), leg(PE))
    assert found.payoff is not None
    assert found.held is None
    assert "NIFTY 01 DEC 26 25,000 CE has no fresh price" in found.why_not_before
    assert any(note.startswith("Leg 1: the price of NIFTY 01 DEC 26 25,000 CE is 34 s old.") for note in found.notes)
    assert not any(note.startswith("Leg 2") for note in found.notes)
    calendar = world.of(leg(CE), leg(CE, Side.BUY, expiry=NEXT))
    assert calendar.payoff is None, "a later leg without a volatility has no value at the first expiry"
    assert "valued at the first one by a model" in calendar.missing[0]


def test_without_the_session_of_the_expiry_there_is_no_day_before_it() -> None:
    found = Priced().of(leg(CE), leg(PE))
    assert found.payoff is not None
    assert found.held is None
    assert "session of 01 Dec is not known" in found.why_not_before


def test_a_premium_is_looked_for_among_what_is_priced_and_not_made_up(world: Priced) -> None:
    near = world.of(leg(CE, strike=StrikeRule(StrikeMethod.PREMIUM_NEAR, Decimal(150))))
    assert near.missing == ()
    assert abs(near.legs[0].market - 150) <= 30
    none = world.of(leg(CE, strike=StrikeRule(StrikeMethod.PREMIUM_NEAR, Decimal(3))))
    assert none.payoff is None
    assert "no premium near 3.00 is priced at this moment" in none.missing[0]


def test_legs_of_two_indices_or_none_have_no_picture(world: Priced) -> None:
    assert world.of().missing == ("There are no legs yet.",)
    both = world.of(leg(CE), leg(CE, underlying="BANKNIFTY", expiry=BANKNIFTY_EXPIRY))
    assert both.missing == ("A payoff is drawn for the legs of one index; these are of NIFTY and BANKNIFTY.",)


def test_without_a_contract_list_it_says_so() -> None:
    world = World()
    hours: Any = OpenHours()
    outlooks = Outlooks(world.contracts, world.chains, world.board, hours, market_clock=world.clock, clock=world.clock)
    (why,) = outlooks.of([leg(CE)]).missing
    assert "contract list" in why


@pytest.mark.parametrize(("underlying", "expiry"), [("BANKNIFTY", BANKNIFTY_EXPIRY), ("SENSEX", date(2026, 11, 26))])
def test_each_index_has_one(world: Priced, underlying: str, expiry: date) -> None:
    strike = {"BANKNIFTY": 57_000, "SENSEX": 82_000}[underlying]
    world.put(option(strike, CE, expiry, underlying).key, 410.0)
    found = world.of(leg(CE, underlying=underlying, expiry=expiry))
    assert found.payoff is not None
    assert found.payoff.max_profit == 410 * 65
    assert found.payoff.break_evens == (Decimal(strike + 410),)
