"""Strike rules against listed strikes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Kind
from app.domain.errors import NoFreshPrice, NotFound, Refused
from app.domain.strategy import StrikeMethod, StrikeRule
from app.domain.strikes import StrikeChoice, atm, resolve_strike

SPOT = Decimal("25012.40")
STRIKES = [Decimal(s) for s in range(23000, 27001, 50)]
M = StrikeMethod


def choose(
    method: StrikeMethod,
    value: object = None,
    kind: Kind = Kind.CE,
    premiums: dict[Decimal, Decimal] | None = None,
    strikes: list[Decimal] = STRIKES,
) -> StrikeChoice:
    rule = StrikeRule(method, None if value is None else Decimal(str(value)))
    return resolve_strike(rule, kind, strikes, SPOT, premiums or {})


@pytest.mark.parametrize(
    ("method", "value", "kind", "expected"),
    [
        (M.ATM, None, Kind.CE, 25000),
        (M.ATM, None, Kind.PE, 25000),
        (M.OTM, 2, Kind.CE, 25100),
        (M.OTM, 2, Kind.PE, 24900),
        (M.ITM, 1, Kind.CE, 24950),
        (M.ITM, 1, Kind.PE, 25050),
        (M.OTM, 20, Kind.CE, 26000),
        (M.STRIKE, 24500, Kind.CE, 24500),
        (M.STRIKE, "24500.0", Kind.PE, 24500),
    ],
)
def test_rules(method: StrikeMethod, value: object, kind: Kind, expected: int) -> None:
    assert choose(method, value, kind).strike == expected


def test_the_note_says_how() -> None:
    assert choose(M.ATM).note == "ATM of 25,012.40"
    assert choose(M.OTM, 2).note == "OTM 2 of 25,012.40 (ATM 25,000)"


def test_a_tie_goes_to_the_lower_strike() -> None:
    assert atm(STRIKES, Decimal(25025)) == 25000
    assert atm(STRIKES[::-1], Decimal(25025)) == 25000


@pytest.mark.parametrize("value", [0, 21, "1.5", -1, None])
def test_steps_are_whole_and_from_1_to_20(value: object) -> None:
    with pytest.raises(Refused):
        choose(M.OTM, value)


def test_steps_beyond_the_list_are_refused() -> None:
    with pytest.raises(Refused, match="beyond the listed strikes"):
        choose(M.OTM, 3, strikes=[Decimal(25000), Decimal(25050), Decimal(25100)])
    with pytest.raises(Refused, match="beyond the listed strikes"):
        choose(M.ITM, 1, strikes=[Decimal(25000), Decimal(25050), Decimal(25100)])


def test_a_typed_strike_must_be_listed() -> None:
    with pytest.raises(NotFound, match="nearest is 24,500"):
        choose(M.STRIKE, 24510)
    with pytest.raises(NotFound):
        choose(M.STRIKE, 24510, strikes=[])


PREMIUMS = {Decimal(25000): Decimal(200), Decimal(25050): Decimal(110), Decimal(25100): Decimal(90)}


def test_premium_near_takes_the_nearest_and_the_cheaper_of_two() -> None:
    assert choose(M.PREMIUM_NEAR, 108, premiums=PREMIUMS).strike == 25050
    assert choose(M.PREMIUM_NEAR, 100, premiums=PREMIUMS).strike == 25100
    assert choose(M.PREMIUM_NEAR, 100, premiums=PREMIUMS).warning is None


@pytest.mark.parametrize(("wanted", "warns"), [(75, False), ("74.99", True), ("112.5", False), (400, True)])
def test_premium_near_warns_beyond_20_percent(wanted: object, warns: bool) -> None:
    assert (choose(M.PREMIUM_NEAR, wanted, premiums=PREMIUMS).warning is not None) == warns


@pytest.mark.parametrize("premiums", [{}, {Decimal(25000): Decimal(0)}, {Decimal(12345): Decimal(100)}])
def test_premium_near_without_quotes_refuses_and_never_takes_atm(premiums: dict[Decimal, Decimal]) -> None:
    with pytest.raises(NoFreshPrice):
        choose(M.PREMIUM_NEAR, 100, premiums=premiums)


def test_no_strikes_no_spot_no_strike_for_a_future() -> None:
    with pytest.raises(Refused):
        atm([], SPOT)
    with pytest.raises(NoFreshPrice):
        atm(STRIKES, Decimal(0))
    with pytest.raises(Refused, match="future"):
        choose(M.ATM, kind=Kind.FUT)


uneven = st.lists(st.integers(1, 2000).map(lambda n: Decimal(n * 50)), min_size=1, unique=True)


@given(uneven, st.decimals("0.05", 100000, places=2))
def test_no_listed_strike_is_nearer_than_atm(strikes: list[Decimal], spot: Decimal) -> None:
    chosen = atm(strikes, spot)
    assert all(abs(chosen - spot) <= abs(s - spot) for s in strikes)
    assert not any(abs(chosen - spot) == abs(s - spot) and s < chosen for s in strikes)


@given(uneven, st.integers(1, 20), st.sampled_from([Kind.CE, Kind.PE]))
def test_otm_and_itm_mirror_each_other(strikes: list[Decimal], steps: int, kind: Kind) -> None:
    other = Kind.PE if kind is Kind.CE else Kind.CE
    try:
        out = choose(M.OTM, steps, kind, strikes=strikes).strike
    except Refused:
        return
    assert choose(M.ITM, steps, other, strikes=strikes).strike == out
    assert (out > atm(strikes, SPOT)) == (kind is Kind.CE)
