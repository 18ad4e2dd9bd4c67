"""What trades cost: rows that a trader can check against a contract note."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.charges import Charges, Trade, charges, of_days
from app.domain.contracts import Kind, Side
from app.domain.errors import Refused
from app.domain.market_rules import DEFAULT_RULES, MarketRule, MissingRule, RuleBook, RuleKind

TODAY, BEFORE = date(2026, 11, 23), date(2026, 3, 31)
BOOK = RuleBook(DEFAULT_RULES)


def trade(side: str, units: int, price: str, order: str = "1", exchange: str = "NFO", kind: str = "CE") -> Trade:
    return Trade(exchange, Kind(kind), Side(side), units, Decimal(price), order)


@pytest.mark.parametrize(
    ("trades", "on", "expected"),
    [
        # brokerage, transaction tax, exchange, SEBI, stamp, GST
        ([trade("SELL", 65, "100")], TODAY, "20 10 2.31 0.01 0 4.02"),
        ([trade("BUY", 65, "100")], TODAY, "20 0 2.31 0.01 0 4.02"),
        ([trade("SELL", 65, "100")], BEFORE, "20 7 2.31 0.01 0 4.02"),
        ([trade("SELL", 20, "300", exchange="BFO")], TODAY, "20 9 1.95 0.01 0 3.95"),
        # in and out of 10 lots: two orders
        ([trade("SELL", 650, "100"), trade("BUY", 650, "80", "2")], TODAY, "40 98 41.57 0.12 2 14.70"),
        # two fills of one order pay brokerage once, and tax is rounded over the day
        ([trade("SELL", 65, "5"), trade("SELL", 65, "5")], TODAY, "20 1 0.23 0.00 0 3.64"),
        ([], TODAY, "0 0 0 0 0 0"),
    ],
)
def test_of_a_day(trades: list[Trade], on: date, expected: str) -> None:
    found = charges(trades, BOOK, on)
    assert found == Charges(*map(Decimal, expected.split()))
    assert found.total == sum(map(Decimal, expected.split()))


def test_futures_pay_their_own_fees_and_duty() -> None:
    nifty = charges([trade("BUY", 65, "25000", kind="FUT")], BOOK, TODAY)
    assert nifty == Charges(*map(Decimal, ("20.00", "0", "28.11", "1.63", "33", "8.95")))
    sensex = charges([trade("SELL", 20, "85000", kind="FUT", exchange="BFO")], BOOK, TODAY)
    assert sensex == Charges(*map(Decimal, ("20.00", "850", "0.00", "1.70", "0", "3.91")))


def settled(side: str, units: int, price: str, kind: str = "CE") -> Trade:
    return replace(trade(side, units, price, kind=kind), settled=True)


def test_what_was_settled_pays_tax_where_it_was_bought_and_nothing_else() -> None:
    """0.15 % of 65 x 112.35; a sold option and one that ended worthless pay nothing."""
    legs = [settled("SELL", 65, "112.35"), settled("BUY", 65, "112.35"), settled("SELL", 65, "0")]
    assert charges(legs, BOOK, TODAY) == Charges(stt=Decimal(11))
    assert charges([*legs, trade("SELL", 65, "100")], BOOK, TODAY).stt == Decimal(21), "10.95 and 9.75, rounded once"


def test_what_the_settlement_of_a_future_costs_is_unknown_by_name() -> None:
    with pytest.raises(Refused, match="settlement of a future"):
        charges([settled("SELL", 65, "25012.35", kind="FUT")], BOOK, TODAY)


def test_a_rate_that_is_not_known_is_named() -> None:
    with pytest.raises(MissingRule, match="no fee_nfo_future"):
        charges([trade("BUY", 65, "25000", kind="FUT")], BOOK, date(2024, 9, 30))
    with pytest.raises(MissingRule, match="no fee_nfo_option"):
        charges([trade("SELL", 65, "100")], BOOK, date(2024, 1, 1))
    with pytest.raises(Refused, match="MCX"):
        charges([trade("SELL", 65, "100", exchange="MCX")], BOOK, TODAY)


def test_a_broker_without_brokerage_still_takes_the_taxes() -> None:
    free = RuleBook([*DEFAULT_RULES, MarketRule(RuleKind.BROKERAGE, None, Decimal(0), date(2026, 1, 1), "free")])
    found = charges([trade("SELL", 65, "100")], free, TODAY)
    assert (found.brokerage, found.gst) == (0, Decimal("0.42"))


def test_days_have_their_own_rates() -> None:
    total = of_days([(BEFORE, [trade("SELL", 650, "100")], None), (TODAY, [trade("SELL", 650, "100")], None)], BOOK)
    assert total.stt == 65 + 98
    assert total.brokerage == 40


@given(
    st.lists(
        st.builds(
            Trade,
            exchange=st.sampled_from(["NFO", "BFO"]),
            kind=st.sampled_from([Kind.CE, Kind.PE]),
            side=st.sampled_from(list(Side)),
            units=st.integers(1, 5000),
            price=st.decimals("0.05", 5000, places=2),
            order=st.integers(1, 5),
        ),
        max_size=8,
    )
)
def test_nothing_is_paid_back_and_more_trades_cost_no_less(trades: list[Trade]) -> None:
    whole, part = charges(trades, BOOK, TODAY), charges(trades[:-1], BOOK, TODAY)
    assert all(getattr(whole, name) >= getattr(part, name) >= 0 for name in Charges.__slots__)
