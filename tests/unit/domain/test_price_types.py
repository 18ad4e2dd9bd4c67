"""Prices as typed: what a price type needs, the tick, the band, and which side of the market a stop lies on."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Kind, PriceType, Side
from app.domain.errors import InvalidInput, Refused
from app.domain.price_types import AT_MARKET, PriceTerms, check_band, check_terms, check_tick, check_trigger
from app.domain.prices import Price, PriceBand, Touch

BUY, SELL, CE, FUT = Side.BUY, Side.SELL, Kind.CE, Kind.FUT
MARKET, LIMIT, SL, SLM = PriceType.MARKET, PriceType.LIMIT, PriceType.SL, PriceType.SLM
TICK = Decimal("0.05")
TICKS = st.integers(1, 200_000).map(lambda count: count * TICK)
SIDES = st.sampled_from(Side)


def terms(of: PriceType, limit: str | None = None, trigger: str | None = None) -> PriceTerms:
    return PriceTerms(of, limit and Decimal(limit), trigger and Decimal(trigger))  # type: ignore[arg-type]


def touch(last: Decimal) -> Touch:
    return Touch(None, None, Price(last, "feed", None, datetime(2026, 11, 23, 5, 0, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("kind", "side", "typed"),
    [
        (CE, BUY, AT_MARKET),
        (CE, SELL, terms(LIMIT, "120.05")),
        (CE, BUY, terms(SL, "120", "120")),
        (CE, BUY, terms(SL, "121", "120")),
        (CE, SELL, terms(SL, "119", "120")),
        (FUT, SELL, terms(SLM, None, "25000")),
    ],
)
def test_what_can_be_sent(kind: Kind, side: Side, typed: PriceTerms) -> None:
    check_terms(kind, side, typed)


@pytest.mark.parametrize(
    ("kind", "side", "typed", "field", "says"),
    [
        (CE, BUY, terms(SLM, None, "120"), "price_type", "Choose SL"),
        (CE, BUY, terms(MARKET, "120"), "limit_price", "Empty it"),
        (CE, BUY, terms(MARKET, None, "120"), "trigger_price", "Empty it"),
        (CE, BUY, terms(LIMIT), "limit_price", "Type one"),
        (CE, BUY, terms(LIMIT, "120", "119"), "trigger_price", "Empty it"),
        (CE, BUY, terms(LIMIT, "0"), "limit_price", "above 0"),
        (CE, BUY, terms(LIMIT, "-5"), "limit_price", "above 0"),
        (CE, BUY, terms(LIMIT, "NaN"), "limit_price", "above 0"),
        (CE, BUY, terms(SL, "120"), "trigger_price", "Type one"),
        (CE, BUY, terms(SL, None, "120"), "limit_price", "Type one"),
        (CE, BUY, terms(SL, "119.95", "120"), "limit_price", "at or above its trigger of 120.00"),
        (CE, SELL, terms(SL, "120.05", "120"), "limit_price", "at or below its trigger of 120.00"),
        (FUT, SELL, terms(SLM, "25000", "25000"), "limit_price", "Empty it"),
        (FUT, SELL, terms(SLM), "trigger_price", "Type one"),
    ],
)
def test_what_cannot(kind: Kind, side: Side, typed: PriceTerms, field: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as refused:
        check_terms(kind, side, typed)
    assert refused.value.field == field


@given(SIDES, TICKS, TICKS)
def test_a_stop_that_passes_can_fill_when_it_triggers(side: Side, limit: Decimal, trigger: Decimal) -> None:
    """At its trigger the market is at the trigger; a BUY limited below it, or a SELL above it, would only rest."""
    try:
        check_terms(CE, side, PriceTerms(SL, limit, trigger))
    except InvalidInput:
        assert (limit - trigger) * side.sign < 0
    else:
        assert (limit - trigger) * side.sign >= 0


def test_a_price_beside_the_tick_is_refused_with_its_neighbours() -> None:
    with pytest.raises(InvalidInput, match=r"120\.02 is not on the tick of 0\.05\. Type 120\.00 or 120\.05") as refused:
        check_tick(terms(LIMIT, "120.02"), TICK)
    assert refused.value.field == "limit_price"
    with pytest.raises(InvalidInput, match=r"0\.02 is not on the tick of 0\.05\. Type 0\.05") as refused:
        check_tick(terms(SL, "120", "0.02"), TICK)
    assert refused.value.field == "trigger_price"


@given(TICKS)
def test_on_the_tick_passes_and_half_a_tick_off_does_not(price: Decimal) -> None:
    check_tick(PriceTerms(SL, price, price), TICK)
    with pytest.raises(InvalidInput):
        check_tick(PriceTerms(LIMIT, price + TICK / 2), TICK)


@pytest.mark.parametrize("field", ["limit_price", "trigger_price"])
@pytest.mark.parametrize(("price", "inside"), [("80", True), ("120", True), ("79.95", False), ("120.05", False)])
def test_the_band_includes_its_edges(field: str, price: str, inside: bool) -> None:
    band = PriceBand(Decimal(80), Decimal(120))
    typed = terms(SL, price, "100") if field == "limit_price" else terms(SL, "100", price)
    if inside:
        check_band(typed, band)
        return
    with pytest.raises(InvalidInput, match=r"now 80\.00 to 120\.00") as refused:
        check_band(typed, band)
    assert refused.value.field == field


@given(SIDES, TICKS, TICKS)
def test_a_stop_lies_beyond_the_market(side: Side, trigger: Decimal, last: Decimal) -> None:
    """The exchange would fill a stop that is reached already at once, or refuse it."""
    reached = last >= trigger if side is BUY else last <= trigger
    if not reached:
        check_trigger(side, PriceTerms(SL, trigger, trigger), touch(last))
        return
    with pytest.raises(Refused, match="has been reached already"):
        check_trigger(side, PriceTerms(SL, trigger, trigger), touch(last))


@given(SIDES, TICKS, TICKS)
def test_without_a_trigger_either_side_of_the_market_is_right(side: Side, limit: Decimal, last: Decimal) -> None:
    check_trigger(side, PriceTerms(LIMIT, limit), touch(last))


def test_in_words() -> None:
    typed = [AT_MARKET, terms(LIMIT, "120.05"), terms(SL, "120.05", "119"), terms(SLM, None, "25000")]
    assert [one.words() for one in typed] == [
        "MARKET", "LIMIT 120.05", "SL 120.05, trigger 119.00", "SL-M trigger 25,000.00",
    ]  # fmt: skip
    assert [one.reckoned for one in typed] == [None, Decimal("120.05"), Decimal("120.05"), Decimal(25000)]
