"""Protected limits: on the tick, inside the band, never worse than the buffer."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Kind, Side
from app.domain.errors import NoFreshPrice, Refused
from app.domain.prices import (
    Price,
    PriceBand,
    Touch,
    band_edge,
    is_fresh,
    next_limit,
    protected_limit,
    protection_buffer,
    within_worst,
    worst_limit,
)

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
TICK = Decimal("0.05")
WIDE = PriceBand(Decimal(0), Decimal(1000000))
BUY, SELL, CE, FUT = Side.BUY, Side.SELL, Kind.CE, Kind.FUT


def touch(bid: str | None, ask: str | None, last: str, age_s: float = 0) -> Touch:
    price = Price(Decimal(last), "feed", None, NOW - timedelta(seconds=age_s))
    return Touch(bid and Decimal(bid), ask and Decimal(ask), price)  # type: ignore[arg-type]


def limit(side: Side, at: Touch, kind: Kind = CE, band: PriceBand = WIDE) -> Decimal:
    return protected_limit(side, kind, at, TICK, band=band, now=NOW, max_age_s=3)


@pytest.mark.parametrize(
    ("kind", "premium", "fraction"),
    [
        (CE, "0.05", "0.05"),
        (CE, "9.95", "0.05"),
        (CE, "10", "0.03"),
        (CE, "99.95", "0.03"),
        (CE, "100", "0.02"),
        (CE, "499.95", "0.02"),
        (CE, "500", "0.01"),
        (FUT, "25000", "0.0005"),
    ],
)
def test_buffer_slabs(kind: Kind, premium: str, fraction: str) -> None:
    assert protection_buffer(kind, Decimal(premium)) == Decimal(fraction)


@pytest.mark.parametrize(
    ("side", "at", "kind", "expected"),
    [
        (BUY, touch("98.90", "99", "98.95"), CE, "101.95"),  # 99 + 2.97, down to the tick
        (SELL, touch("99", "99.10", "99.05"), CE, "96.05"),  # 99 - 2.97, up to the tick
        (BUY, touch("99.9", "100", "99.95"), CE, "102.00"),
        (SELL, touch("100", "100.1", "100"), CE, "98.00"),
        (BUY, touch("98", None, "100"), CE, "102.00"),  # nobody offers: the last price
        (SELL, touch(None, "98", "100"), CE, "98.00"),
        (BUY, touch(None, "0.30", "0.25"), CE, "0.30"),  # the buffer is less than a tick
        (BUY, touch("25000", "25001", "25000"), FUT, "25013.50"),
    ],
)
def test_protected_limits(side: Side, at: Touch, kind: Kind, expected: str) -> None:
    assert limit(side, at, kind) == Decimal(expected)


def test_the_band_cuts() -> None:
    band = PriceBand(Decimal("60.01"), Decimal("101.03"))
    assert limit(BUY, touch(None, "100", "100"), band=band) == Decimal("101.00")
    assert limit(SELL, touch("61", None, "61"), band=band) == Decimal("60.05")
    assert band_edge(BUY, band, TICK) == Decimal("101.00")
    assert band_edge(SELL, band, TICK) == Decimal("60.05")
    assert band_edge(SELL, PriceBand(Decimal(0), Decimal(30)), TICK) == TICK


def test_a_band_without_a_tick_is_refused() -> None:
    for side in Side:
        with pytest.raises(Refused, match="on the tick"):
            band_edge(side, PriceBand(Decimal("0.01"), Decimal("0.04")), TICK)


def test_no_fresh_price_no_limit() -> None:
    assert limit(BUY, touch(None, "100", "100", age_s=3)) == 102
    with pytest.raises(NoFreshPrice):
        limit(BUY, touch("99", "100", "100", age_s=3.01))


def test_freshness_counts_when_it_was_received() -> None:
    price = Price(Decimal(5), "feed", NOW - timedelta(hours=1), NOW)
    assert is_fresh(price, NOW, 1)  # rarely traded, but confirmed
    assert not is_fresh(price, NOW - timedelta(seconds=5), 1)  # our clock was set back


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity"])
def test_what_is_not_a_price_cannot_be_one(value: str) -> None:
    with pytest.raises(ValueError, match="not a price"):
        Price(Decimal(value), "feed", None, NOW)
    with pytest.raises(ValueError, match="not a price"):
        Touch(Decimal(value), None, touch(None, None, "1").last)


def test_a_band_has_width_and_a_price_a_time() -> None:
    with pytest.raises(ValueError, match="not a price band"):
        PriceBand(Decimal(5), Decimal(5))
    with pytest.raises(ValueError, match="aware"):
        Price(Decimal(1), "feed", None, datetime(2026, 1, 1))  # noqa: DTZ001  # the fault under test


def test_three_buffers_from_the_touch() -> None:
    assert worst_limit(BUY, CE, Decimal(102), TICK, band=WIDE) == Decimal("106.05")  # 102 + 2 x 2.04
    assert worst_limit(SELL, CE, Decimal(98), TICK, band=WIDE) == Decimal("92.15")  # 98 - 2 x 2.94
    assert worst_limit(BUY, CE, Decimal(102), TICK, band=WIDE, slip_steps=1) == 102
    assert worst_limit(BUY, CE, Decimal(102), TICK, band=PriceBand(Decimal(1), Decimal("103.99"))) == Decimal("103.95")
    with pytest.raises(ValueError, match="slip steps"):
        worst_limit(BUY, CE, Decimal(102), TICK, band=WIDE, slip_steps=0)


def test_an_unfilled_order_walks_to_the_worst_and_stays() -> None:
    worst = worst_limit(BUY, CE, Decimal(102), TICK, band=WIDE)
    walk = [Decimal(102)]
    for _ in range(4):
        walk.append(next_limit(BUY, CE, walk[-1], worst, TICK))
    assert walk == [Decimal(x) for x in ("102", "104.00", "106.05", "106.05", "106.05")]


def test_an_unfilled_order_follows_the_market_within_the_worst() -> None:
    assert next_limit(SELL, CE, Decimal(98), Decimal(90), TICK, fresh=Decimal(91)) == 91
    assert next_limit(SELL, CE, Decimal(98), Decimal(90), TICK, fresh=Decimal(80)) == 90
    assert next_limit(SELL, CE, Decimal(98), Decimal(90), TICK, fresh=Decimal(99)) == Decimal("95.10")
    assert next_limit(SELL, CE, Decimal("0.05"), Decimal("0.05"), TICK) == Decimal("0.05")


def test_a_cheap_option_moves_by_ticks() -> None:
    assert worst_limit(BUY, CE, Decimal("0.30"), TICK, band=WIDE) == Decimal("0.40")
    assert next_limit(BUY, CE, Decimal("0.30"), Decimal("0.40"), TICK) == Decimal("0.35")


ticks = st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal("0.10"), Decimal("0.20")])
counts = st.integers(1, 200000)
bands = st.tuples(counts, st.integers(1, 4000))  # lowest price and width, in ticks


@given(st.sampled_from(Side), st.sampled_from(Kind), ticks, counts, bands, st.integers(1, 10))
def test_limits_keep_to_tick_band_and_buffer(
    side: Side, kind: Kind, tick: Decimal, at: int, edges: tuple[int, int], steps: int
) -> None:
    base = at * tick
    band = PriceBand(edges[0] * tick, sum(edges) * tick)
    reading = Touch(base, base, Price(base, "feed", None, NOW))
    first = protected_limit(side, kind, reading, tick, band=band, now=NOW, max_age_s=1)
    worst = worst_limit(side, kind, first, tick, band=band, slip_steps=steps)
    then = next_limit(side, kind, first, worst, tick)
    for price in (first, worst, then):
        assert price % tick == 0
        assert band.low <= price <= band.high
        assert price > 0
    assert within_worst(side, first, worst)
    assert within_worst(side, then, worst)
    assert within_worst(side, worst, band_edge(side, band, tick))
    if band.low <= base <= band.high:
        given_away = (first - base) * side.sign
        assert 0 <= given_away <= base * protection_buffer(kind, base)
