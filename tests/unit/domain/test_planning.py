"""From a strategy to what each account would send."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.books import BrokerPosition
from app.domain.contracts import Contract, ContractKey, ContractMaster, Kind, PriceType, Product, Side
from app.domain.errors import InvalidInput, NoFreshPrice, Refused
from app.domain.money import Units
from app.domain.plan import AccountPlan, Mode, ResolvedLeg
from app.domain.planning import (
    AccountTerms,
    LegPrice,
    UnderWay,
    opposite_entries,
    opposite_exposure,
    plan_account,
    resolve_legs,
)
from app.domain.price_types import PriceTerms
from app.domain.sizing import Basis, Basket, Figure, Profile, Sizing, size_of
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeMethod, StrikeRule

TODAY = date(2026, 11, 20)
WEEK, MONTH = date(2026, 12, 1), date(2026, 12, 29)
TICK = Decimal("0.05")


def contract(kind: Kind, expiry: date, strike: int | None, underlying: str = "NIFTY", lot: int = 65) -> Contract:
    symbol = f"{underlying}{expiry:%d%b%y}".upper() + (f"{strike}{kind}" if strike else "FUT")
    price = None if strike is None else Decimal(strike)
    return Contract(ContractKey("NFO", symbol), underlying, kind, expiry, price, lot, TICK)


MASTER = ContractMaster(
    [contract(kind, e, s) for e in (date(2026, 11, 23), WEEK, MONTH) for kind in (Kind.CE, Kind.PE)
     for s in range(24000, 26001, 50)]
    + [contract(Kind.FUT, MONTH, None)]
    + [contract(Kind.CE, e, s, "BANKNIFTY", 30) for e in (MONTH, date(2027, 1, 25)) for s in range(55000, 58001, 100)]
)  # fmt: skip
SPOTS = {"NIFTY": Decimal("25012.40")}
CE = LegSpec(1, "NIFTY", Kind.CE, ExpiryWord.NEXT_WEEK, StrikeRule(StrikeMethod.ATM), Side.SELL, 1, Product.NRML)
PE = replace(CE, number=2, kind=Kind.PE)


def spec(*legs: LegSpec) -> StrategySpec:
    return StrategySpec("Test", legs, 1, None, None)


def resolve(*legs: LegSpec, premiums: dict[ContractKey, Decimal] | None = None) -> tuple[ResolvedLeg, ...]:
    return resolve_legs(spec(*legs), MASTER, SPOTS, premiums or {}, TODAY, closed_today=False)


def test_a_straddle_gets_one_strike_for_both_legs() -> None:
    legs = resolve(CE, PE)
    assert [leg.contract.key.symbol for leg in legs] == ["NIFTY01DEC2625000CE", "NIFTY01DEC2625000PE"]
    assert {leg.note for leg in legs} == {"ATM of 25,012.40"}
    assert [(leg.number, leg.side, leg.ratio, leg.product) for leg in legs] == [
        (1, Side.SELL, 1, Product.NRML),
        (2, Side.SELL, 1, Product.NRML),
    ]


def test_a_price_on_the_tick_goes_as_typed() -> None:
    typed = PriceTerms(PriceType.LIMIT, Decimal("90.05"))
    assert resolve(replace(CE, pricing=typed))[0].pricing == typed


def test_a_future_needs_no_spot() -> None:
    leg = replace(CE, kind=Kind.FUT, strike=None, expiry=ExpiryWord.CURRENT_MONTH)
    resolved = resolve_legs(spec(leg), MASTER, {}, {}, TODAY, closed_today=False)
    assert resolved[0].contract.key.symbol == "NIFTY29DEC26FUT"


def test_premium_near_reads_quotes_and_puts_its_warning_in_the_note() -> None:
    leg = replace(CE, strike=StrikeRule(StrikeMethod.PREMIUM_NEAR, Decimal(100)))
    key = ContractKey("NFO", "NIFTY01DEC2625200CE")
    resolved = resolve(leg, premiums={key: Decimal(60), ContractKey("NFO", "OTHER"): Decimal(100)})
    assert resolved[0].contract.key == key
    assert "more than 20 %" in resolved[0].note


@pytest.mark.parametrize(
    ("leg", "field"),
    [
        (replace(CE, number=2, underlying="BANKNIFTY"), "legs[1].expiry"),  # no weekly BANKNIFTY
        (replace(CE, number=2, expiry=date(2026, 12, 2)), "legs[1].expiry"),
        (replace(PE, strike=StrikeRule(StrikeMethod.STRIKE, Decimal(24510))), "legs[1].strike"),
        (replace(PE, kind=Kind.FUT, strike=None, expiry=ExpiryWord.NEXT_MONTH), "legs[1].expiry"),  # none listed
        # the same contract as leg 1, written another way, on the other side
        (replace(CE, number=2, side=Side.BUY, strike=StrikeRule(StrikeMethod.STRIKE, Decimal(25000))),
         "legs[1].strike"),
        (replace(CE, number=2, ratio=0), "legs[1].ratio"),
        (replace(PE, pricing=PriceTerms(PriceType.LIMIT, Decimal("90.02"))), "legs[1].limit_price"),  # off the tick
        (replace(PE, pricing=PriceTerms(PriceType.SL, Decimal(90), Decimal("90.01"))), "legs[1].trigger_price"),
    ],
)  # fmt: skip
def test_a_leg_that_cannot_be_resolved_names_its_field(leg: LegSpec, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        resolve(CE, leg)
    assert refused.value.field == field


def test_without_a_price_nobody_chooses() -> None:
    with pytest.raises(NoFreshPrice, match="Leg 1: NIFTY has no spot price"):
        resolve_legs(spec(CE), MASTER, {}, {}, TODAY, closed_today=False)
    near = replace(PE, strike=StrikeRule(StrikeMethod.PREMIUM_NEAR, Decimal(100)))
    with pytest.raises(NoFreshPrice, match="Leg 2"):
        resolve(CE, near)


LEGS = resolve(CE, replace(PE, ratio=2))
AT = datetime(2026, 11, 20, 5, 0, 7, tzinfo=UTC)
FREEZES = {leg.contract.key: Units(1800) for leg in LEGS}
PRICES = {1: LegPrice(Decimal(98), Decimal(92)), 2: LegPrice(Decimal(120), Decimal(110))}


def by_lots(
    structures: int = 1, multiplier: Decimal = Decimal(2), needs: int | None = 188_000, free: int = 620_000
) -> Sizing:
    sizing = Sizing(
        profile=Profile.FIXED_LOTS,
        wanted=Figure(Decimal(structures), "the strategy"),
        multiplier=Figure(multiplier, "the account"),
        free=Figure(Decimal(free), "broker"),
        insists=True,
    )
    size = size_of(sizing).structures
    if needs is None or not size:
        return sizing
    return replace(sizing, basis=Basis.BROKER, baskets=(Basket(size, Figure(Decimal(needs), "broker", AT)),))


ACCOUNT = AccountTerms(7, "Asha", Mode.LIVE, by_lots(), ())


def plan(account: AccountTerms = ACCOUNT) -> AccountPlan:
    return plan_account(account, LEGS, freezes=FREEZES, prices=PRICES)


def test_a_plan_says_what_is_sent_and_why() -> None:
    made = plan()
    assert (made.account_id, made.account_name, made.mode, made.structures) == (7, "Asha", Mode.LIVE, 2)
    assert [(leg.leg, leg.lots, leg.units) for leg in made.legs] == [(1, 2, 130), (2, 4, 260)]
    assert made.skipped is None
    assert (made.explanation[0], *made.explanation[2:]) == (
        "1 structure x multiplier 2 = 2",
        "Leg 1: SELL NIFTY01DEC2625000CE, 2 lots (130 units)",
        "Leg 2: SELL NIFTY01DEC2625000PE, 4 lots (260 units)",
    )
    assert made.explanation[1] == "2 structures need 1,88,000 (broker, 10:30:07), of 6,20,000"
    assert (made.margin_needed, made.funds_free) == (Decimal(188000), Decimal(620000))
    assert made.sizing == ACCOUNT.sizing


def test_large_legs_are_sliced() -> None:
    made = plan(replace(ACCOUNT, sizing=by_lots(20)))
    orders = made.legs[0].orders
    assert [(o.leg, o.slice, o.units, o.limit, o.worst) for o in orders] == [
        (1, 1, 1755, Decimal(98), Decimal(92)),
        (1, 2, 845, Decimal(98), Decimal(92)),
    ]
    assert "in slices 1755 + 845" in made.explanation[2]


def position(net: int, product: str = "NRML", key: ContractKey | None = LEGS[0].contract.key) -> BrokerPosition:
    return BrokerPosition(key, product, Units(net), None, None, None)


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (replace(ACCOUNT, sizing=by_lots(multiplier=Decimal("0.5"))), "no whole structure"),
        (replace(ACCOUNT, positions=None), "could not be read"),
        (replace(ACCOUNT, positions=[position(65)]), "holds +65 units"),
        (replace(ACCOUNT, sizing=by_lots(needs=620_001)), "Needs a margin of ₹6,20,001.00"),
    ],
)
def test_an_account_is_skipped_with_the_reason(account: AccountTerms, words: str) -> None:
    made = plan(account)
    assert words in (made.skipped or "")
    assert made.legs == ()
    assert made.explanation[-1] == made.skipped


def test_unknown_margin_is_said_and_never_read_as_zero() -> None:
    made = plan(replace(ACCOUNT, sizing=by_lots(needs=None)))
    assert "margin was not checked" in made.explanation[-1]
    assert (made.margin_needed, made.skipped) == (None, None)


def test_a_margin_by_the_table_is_said() -> None:
    tabled = replace(by_lots(), basis=Basis.TABLE)
    assert "without a hedge benefit" in plan(replace(ACCOUNT, sizing=tabled)).explanation[-1]


def test_positions_without_a_name_are_mentioned() -> None:
    account = replace(ACCOUNT, positions=[position(65, key=None), position(0, key=None)])
    assert plan(account).explanation[-1] == "Positions the gateway could not name, not compared: 1."


def test_a_missing_freeze_limit_refuses() -> None:
    with pytest.raises(Refused, match="NIFTY01DEC2625000CE is unknown"):
        plan_account(ACCOUNT, LEGS, freezes={}, prices=PRICES)


@pytest.mark.parametrize(
    ("held", "conflicts"),
    [
        ([position(65)], 1),
        ([position(-65)], 0),
        ([position(0)], 0),
        ([position(65, "MIS")], 0),
        ([position(65, "CARRYFORWARD")], 1),  # a product in the broker's own word may be the same
        ([position(65, "")], 1),
        ([position(65, key=ContractKey("NFO", "OTHER"))], 0),
        ([position(65), position(65, key=LEGS[1].contract.key)], 2),
        ([], 0),
    ],
)
def test_opposite_exposure(held: list[BrokerPosition], conflicts: int) -> None:
    assert len(opposite_exposure(LEGS, held)) == conflicts


def entering(side: Side, product: str = "NRML", key: ContractKey = LEGS[0].contract.key, run_id: int = 12) -> UnderWay:
    return UnderWay(key, product, side, run_id)


@pytest.mark.parametrize(
    ("entries", "conflicts"),
    [
        ([entering(Side.BUY)], 1),
        ([entering(Side.SELL)], 0),
        ([entering(Side.BUY, "MIS")], 0),
        ([entering(Side.BUY, key=ContractKey("NFO", "OTHER"))], 0),
        ([entering(Side.BUY), entering(Side.BUY)], 1),  # slices of one run are one run
        ([entering(Side.BUY), entering(Side.BUY, run_id=13)], 2),
        ([], 0),
    ],
)
def test_the_other_side_of_what_a_run_is_entering_is_refused(entries: list[UnderWay], conflicts: int) -> None:
    assert len(opposite_entries(LEGS, entries)) == conflicts
    made = plan(replace(ACCOUNT, under_way=entries))
    assert ("run 12 is just entering on the other side" in (made.skipped or "")) == bool(conflicts)


@given(st.integers(1, 200), st.decimals(0, 10, places=2))
def test_every_leg_keeps_its_ratio_and_its_slices_add_up(structures: int, multiplier: Decimal) -> None:
    made = plan(replace(ACCOUNT, sizing=by_lots(structures, multiplier)))
    assert bool(made.legs) == (made.structures > 0)
    for leg, planned in zip(LEGS, made.legs, strict=False):
        assert planned.lots == made.structures * leg.ratio
        assert sum(order.units for order in planned.orders) == planned.units == planned.lots * 65
        assert all(order.units <= 1800 for order in planned.orders)
