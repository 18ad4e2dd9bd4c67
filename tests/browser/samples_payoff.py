"""Sample payoffs of the builder, worked out by the program itself from legs that are set by hand."""

from datetime import date
from decimal import Decimal

from app.domain.contracts import Contract, ContractKey, Kind, Product, Side
from app.domain.payoff import payoff
from app.domain.plan import ResolvedLeg
from app.domain.worth import HeldLeg, at_first_expiry
from app.services.outlooks import Outlook, PricedLeg
from app.strategies.payoff_fields import AS_IT_IS, Sliders
from app.strategies.payoff_view import PayoffView, of_outlook

NEAR, FAR = date(2026, 12, 1), date(2026, 12, 29)
SPOT = Decimal("26184.35")
YEARS = {NEAR: 4.2 / 365, FAR: 32.2 / 365}
BASIS = {NEAR: 14.0, FAR: 92.0}


def _leg(
    number: int, kind: Kind, strike: int | None, units: int, price: str, *, day: date = NEAR, age_s: float = 0.4
) -> PricedLeg:
    key = ContractKey("NFO", f"NIFTY{day:%d%b%y}{strike or ''}{kind.value}".upper())
    listed = None if strike is None else Decimal(strike)
    contract = Contract(key, "NIFTY", kind, day, listed, 65, Decimal("0.05"))
    side = Side.BUY if units > 0 else Side.SELL
    leg = ResolvedLeg(number, contract, side, abs(units), Product.NRML, "")
    volatility = None if strike is None else 0.118 + abs(strike - 26184) / 40_000
    return PricedLeg(number, leg, Decimal(price), Decimal(price), age_s, volatility)


def _held(leg: PricedLeg) -> HeldLeg:
    contract = leg.contract
    strike = None if contract.strike is None else float(contract.strike)
    day = contract.expiry
    return HeldLeg(contract.kind, strike, leg.units, float(leg.entry), day, YEARS[day], BASIS[day], leg.volatility)


def _outlook(*legs: PricedLeg, modelled: bool = True) -> Outlook:
    held = tuple(_held(leg) for leg in legs)
    several = len({leg.contract.expiry for leg in legs}) > 1
    stale = tuple(leg for leg in legs if not leg.is_young)
    return Outlook(
        underlying="NIFTY",
        spot=SPOT,
        spot_age_s=0.3,
        legs=legs,
        first_expiry=min(leg.contract.expiry for leg in legs),
        payoff=at_first_expiry(held) if several else payoff([(leg.leg, leg.entry) for leg in legs]),
        held=held if modelled else None,
        deviation=331.0 if modelled else None,
        why_not_before=""
        if modelled
        else "NIFTY 01 DEC 26 26,000 PE has no fresh price, so its volatility is unknown.",
        notes=tuple(f"Leg {leg.number}: its price is {leg.age_s:.0f} s old." for leg in stale),
    )


CONDOR = of_outlook(
    _outlook(
        _leg(1, Kind.CE, 26600, 1, "28.55"),
        _leg(2, Kind.PE, 25750, 1, "33.80"),
        _leg(3, Kind.CE, 26400, -1, "71.75"),
        _leg(4, Kind.PE, 25950, -1, "68.60"),
    ),
    4,
    Sliders(spot=0.8, days=2.0, volatility=1.5),
)
CALENDAR = of_outlook(
    _outlook(
        _leg(1, Kind.CE, 26200, -1, "148.20"),
        _leg(2, Kind.CE, 26200, 1, "428.20", day=FAR),
        _leg(3, Kind.FUT, None, 1, "26276.35", day=FAR),
    ),
    1,
    AS_IT_IS,
)
STRADDLE = of_outlook(
    _outlook(_leg(1, Kind.CE, 26200, -1, "148.20"), _leg(2, Kind.PE, 26200, -1, "150.35", age_s=34.0), modelled=False),
    2,
    AS_IT_IS,
)
NOTHING = PayoffView(missing=("There are no legs yet.",))
WRONG = PayoffView(
    missing=("Some legs cannot be read yet.",), errors={"legs-0-ratio": "0 lots is no leg. Type 1 or more."}
)
