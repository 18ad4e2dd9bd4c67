"""Black-76: the same figures as an independent library's, and what must hold for any figures."""

import math
from datetime import UTC, datetime, timedelta

import pytest
import QuantLib as ql  # noqa: N813 - the name its own manual gives it
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.black76 import Greeks, greeks, implied_volatility, price, years_left
from app.domain.contracts import Kind

CE, PE = Kind.CE, Kind.PE
SIDES = {CE: ql.Option.Call, PE: ql.Option.Put}
FORWARD = 25_100.0
GRID = [
    pytest.param(kind, strike, days / 365, volatility, id=f"{kind}-{strike:g}-{days:g}d-{volatility:g}")
    for kind in (CE, PE)
    for strike in (22_000.0, 24_500.0, 25_000.0, 25_100.0, 25_350.0, 28_000.0)
    for days in (0.01, 1.0, 7.25, 118.0)
    for volatility in (0.08, 0.14, 0.65)
]

kinds = st.sampled_from((CE, PE))
forwards = st.floats(5_000, 90_000)
moneyness = st.floats(0.8, 1.25)
years = st.floats(1 / 365 / 24, 2.0)
volatilities = st.floats(0.03, 3.0)


def calculator(kind: Kind, strike: float, years: float, volatility: float) -> ql.BlackCalculator:
    return ql.BlackCalculator(ql.PlainVanillaPayoff(SIDES[kind], strike), FORWARD, volatility * math.sqrt(years), 1.0)


@pytest.mark.parametrize(("kind", "strike", "years", "volatility"), GRID)
def test_price_and_greeks_are_those_of_quantlib(kind: Kind, strike: float, years: float, volatility: float) -> None:
    theirs = calculator(kind, strike, years, volatility)
    ours = greeks(kind, FORWARD, strike, years, volatility)
    assert price(kind, FORWARD, strike, years, volatility) == pytest.approx(theirs.value(), rel=1e-9, abs=1e-9)
    assert ours.delta == pytest.approx(theirs.deltaForward(), rel=1e-9, abs=1e-12)
    assert ours.gamma == pytest.approx(theirs.gammaForward(), rel=1e-9, abs=1e-15)
    assert ours.vega == pytest.approx(theirs.vega(years) / 100, rel=1e-9, abs=1e-12)
    # The library's theta has the forward drift with the spot it is given; at the forward itself there is no drift.
    assert ours.theta == pytest.approx(theirs.thetaPerDay(FORWARD, years), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("kind", "strike", "years", "volatility"), GRID)
def test_implied_volatility_is_that_of_quantlib(kind: Kind, strike: float, years: float, volatility: float) -> None:
    premium = round(calculator(kind, strike, years, volatility).value() / 0.05) * 0.05
    beyond = premium - max(0.0, (FORWARD - strike) * (1 if kind is CE else -1))
    found = implied_volatility(kind, premium, FORWARD, strike, years, least=0.05)
    if beyond < 0.0499:
        assert found is None
    else:
        theirs = ql.blackFormulaImpliedStdDev(
            SIDES[kind], strike, FORWARD, premium, 1.0, 0.0, ql.nullDouble(), 1e-12, 1000
        )
        assert found == pytest.approx(theirs / math.sqrt(years), rel=1e-6)


@given(kinds, forwards, moneyness, years, volatilities)
def test_a_price_gives_back_its_volatility(
    kind: Kind, forward: float, ratio: float, years: float, volatility: float
) -> None:
    strike = forward * ratio
    premium = price(kind, forward, strike, years, volatility)
    assume(premium - max(0.0, (forward - strike) * (1 if kind is CE else -1)) > 0.01)
    assume(volatility * math.sqrt(years) < 3)
    found = implied_volatility(kind, premium, forward, strike, years)
    assert found == pytest.approx(volatility, rel=1e-5)
    for near in (0.01, volatility * 1.01, 2.0):
        assert implied_volatility(kind, premium, forward, strike, years, near=near) == pytest.approx(found, rel=1e-7)


@given(forwards, moneyness, years, volatilities)
def test_call_less_put_is_forward_less_strike(forward: float, ratio: float, years: float, volatility: float) -> None:
    strike = forward * ratio
    call, put = (price(kind, forward, strike, years, volatility) for kind in (CE, PE))
    assert call - put == pytest.approx(forward - strike, abs=1e-7 * forward)
    of_call, of_put = (greeks(kind, forward, strike, years, volatility) for kind in (CE, PE))
    assert of_call.delta - of_put.delta == pytest.approx(1.0)
    assert (of_call.gamma, of_call.theta, of_call.vega) == (of_put.gamma, of_put.theta, of_put.vega)


@given(kinds, forwards, moneyness, years, volatilities)
def test_a_price_lies_between_exercise_and_its_limit_and_grows_with_volatility(
    kind: Kind, forward: float, ratio: float, years: float, volatility: float
) -> None:
    strike = forward * ratio
    premium = price(kind, forward, strike, years, volatility)
    slack = 1e-9 * forward
    assert max(0.0, (forward - strike) * (1 if kind is CE else -1)) - slack <= premium
    assert premium <= (forward if kind is CE else strike) + slack
    assert price(kind, forward, strike, years, volatility * 1.1) >= premium - slack


@given(kinds, forwards, moneyness, years, volatilities)
def test_greeks_keep_their_signs_and_ranges(
    kind: Kind, forward: float, ratio: float, years: float, volatility: float
) -> None:
    found = greeks(kind, forward, forward * ratio, years, volatility)
    assert 0 <= found.delta * (1 if kind is CE else -1) <= 1
    assert found.gamma >= 0
    assert found.theta <= 0
    assert found.vega >= 0


@pytest.mark.parametrize("kind", [CE, PE])
def test_greeks_are_what_the_price_does(kind: Kind) -> None:
    strike, years, volatility = 25_300.0, 6 / 365, 0.13

    def at(forward: float = FORWARD, years: float = years, volatility: float = volatility) -> float:
        return price(kind, forward, strike, years, volatility)

    found = greeks(kind, FORWARD, strike, years, volatility)
    expected = Greeks(
        delta=(at(FORWARD + 1) - at(FORWARD - 1)) / 2,
        gamma=at(FORWARD + 1) - 2 * at() + at(FORWARD - 1),
        theta=(at(years=years - 0.001 / 365) - at()) * 1000,
        vega=(at(volatility=volatility + 0.0001) - at(volatility=volatility - 0.0001)) * 50,
    )
    assert (found.delta, found.gamma) == (
        pytest.approx(expected.delta, rel=1e-4),
        pytest.approx(expected.gamma, rel=1e-3),
    )
    assert (found.theta, found.vega) == (
        pytest.approx(expected.theta, rel=1e-3),
        pytest.approx(expected.vega, rel=1e-4),
    )


@pytest.mark.parametrize(
    ("kind", "premium", "strike", "years"),
    [
        pytest.param(CE, 100.0, 25_000.0, 0.02, id="at what exercise pays"),
        pytest.param(CE, 90.0, 25_000.0, 0.02, id="below what exercise pays"),
        pytest.param(PE, 350.0, 25_500.0, 0.02, id="a put below what exercise pays"),
        pytest.param(CE, 100.04, 25_000.0, 0.02, id="time value below the tick"),
        pytest.param(CE, 150.0, 25_000.0, 0.0, id="no time left"),
        pytest.param(CE, 150.0, 25_000.0, -0.001, id="expired"),
        pytest.param(CE, 25_100.0, 25_000.0, 0.02, id="as dear as the forward"),
        pytest.param(CE, 0.0, 25_500.0, 0.02, id="free"),
        pytest.param(CE, math.nan, 25_000.0, 0.02, id="no number"),
        pytest.param(CE, 150.0, 25_000.0, math.inf, id="for ever"),
        pytest.param(Kind.FUT, 150.0, 25_000.0, 0.02, id="a future"),
    ],
)
def test_where_no_volatility_exists_none_is_told(kind: Kind, premium: float, strike: float, years: float) -> None:
    assert implied_volatility(kind, premium, FORWARD, strike, years, least=0.05) is None


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_a_price_of_figures_that_cannot_be_is_an_error(wrong: float) -> None:
    for figures in ((wrong, 25_000.0, 0.02, 0.1), (FORWARD, 25_000.0, wrong, 0.1), (FORWARD, 25_000.0, 0.02, wrong)):
        with pytest.raises(ValueError, match="positive"):
            price(CE, *figures)
        with pytest.raises(ValueError, match="positive"):
            greeks(CE, *figures)


def test_years_left_are_calendar_time_to_the_instant_of_expiry() -> None:
    close = datetime(2026, 12, 1, 10, 10, tzinfo=UTC)
    assert years_left(close - timedelta(days=365), close) == 1.0
    assert years_left(close, close) == 0.0
    assert years_left(close + timedelta(seconds=1), close) < 0
