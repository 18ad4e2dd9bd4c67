"""Whose order a row is, and what it amounts to."""

import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.books import BrokerOrder, BrokerTrade, OrderStatus
from app.domain.contracts import ContractKey, Product, Side
from app.domain.money import Units
from app.domain.orders import IntentState
from app.domain.outcomes import Verdict
from app.domain.reconcile import (
    Absent,
    Ambiguous,
    BooksRead,
    Claim,
    Finding,
    UnknownIntent,
    Wait,
    fills_of,
    lost_ids,
    match_intent,
    match_slices,
    settle,
)

KEY = ContractKey("NFO", "NIFTY01DEC2625000CE")
OTHER = ContractKey("NFO", "NIFTY01DEC2625000PE")
INTENT = UnknownIntent(KEY, Side.SELL, Units(65), Product.NRML, Decimal(98), Verdict.UNKNOWN_OPEN, 5.0)
LATE = replace(INTENT, since_send_s=150.0)
S = OrderStatus


def order(order_id: str, **changes: object) -> BrokerOrder:
    row = BrokerOrder(order_id, KEY, Side.SELL, Units(65), "NRML", "LIMIT", Decimal(98), Decimal(0), S.OPEN, "10:30:26")
    return replace(row, **changes)  # type: ignore[arg-type]


def trade(order_id: str, units: int = 65, price: object = 98, at: str = "12:00:08", **changes: object) -> BrokerTrade:
    row = BrokerTrade(order_id, KEY, Side.SELL, Units(units), Decimal(str(price)), "NRML", at)
    return replace(row, **changes)  # type: ignore[arg-type]


def find(
    intent: UnknownIntent, *rows: BrokerOrder | BrokerTrade, clean: int = 2, agree: bool = True, known: str = ""
) -> Finding:
    orders = [r for r in rows if isinstance(r, BrokerOrder)]
    trades = [r for r in rows if isinstance(r, BrokerTrade)]
    books = BooksRead(orders, trades, clean, agree)
    return match_intent(intent, books, baseline=frozenset(known), claimed=frozenset())


@pytest.mark.parametrize(
    "row",
    [
        order("1"),
        order("1", price=Decimal(0)),  # books that force the price of market orders to 0
        order("1", price_type="MARKET"),
        order("1", product=""),
        order("1", product="CARRYFORWARD"),
        order("1", status=S.COMPLETE, price=Decimal("98.40")),  # books that put the average there
        order("1", status=S.REJECTED),
        order("1", status=S.CANCELLED),
    ],
)
def test_one_new_order_that_fits_is_claimed_at_once(row: BrokerOrder) -> None:
    assert find(INTENT, row) == Claim("1")
    assert find(INTENT, row, clean=0, agree=False) == Claim("1")


@pytest.mark.parametrize(
    "row",
    [
        order("1", contract=OTHER),
        order("1", side=Side.BUY),
        order("1", units=Units(130)),
        order("1", product="MIS"),
    ],
)
def test_an_order_of_other_terms_is_not_ours(row: BrokerOrder) -> None:
    assert isinstance(find(INTENT, row), Wait)
    assert find(LATE, row) == Absent()


def test_known_orders_are_never_claimed() -> None:
    books = BooksRead([order("1"), order("2")], [], 2, positions_agree=True)
    assert match_intent(LATE, books, baseline=frozenset("1"), claimed=frozenset("2")) == Absent()


@pytest.mark.parametrize(
    "row",
    [
        order("1", price=Decimal("97.95")),  # a look-alike at another price
        order("1", status=S.COMPLETE, price=Decimal("97.95")),  # worse than our limit: not our fill
        order("1", contract=None),
        trade("1"),  # traded, but not in the order book yet
        trade("1", contract=None),
    ],
)
def test_row_11_what_cannot_be_ruled_out_waits_and_then_asks_a_human(row: BrokerOrder | BrokerTrade) -> None:
    assert isinstance(find(INTENT, row), Wait)
    assert find(LATE, row) == Ambiguous(("1",))


def test_a_tick_of_difference_tells_two_apart_and_an_identical_stranger_does_not() -> None:
    assert find(INTENT, order("1", price=Decimal("97.95")), order("2")) == Claim("2")
    assert find(INTENT, order("1"), order("2")) == Ambiguous(("1", "2"))


@pytest.mark.parametrize(
    ("verdict", "since_s", "expected"),
    [
        (Verdict.UNKNOWN_ANSWERED, 19.9, Wait),
        (Verdict.UNKNOWN_ANSWERED, 20.0, Absent),
        (Verdict.UNKNOWN_OPEN, 149.9, Wait),
        (Verdict.UNKNOWN_OPEN, 150.0, Absent),
        (Verdict.HALT, 149.9, Wait),
    ],
)
def test_quiet_windows(verdict: Verdict, since_s: float, expected: type) -> None:
    assert isinstance(find(replace(INTENT, verdict=verdict, since_send_s=since_s)), expected)


def test_row_09_absence_needs_two_clean_reads_positions_that_agree_and_a_book_that_lost_nothing() -> None:
    assert find(LATE, clean=2) == Absent()
    assert isinstance(find(LATE, clean=1), Wait)
    assert isinstance(find(LATE, agree=False), Wait)
    assert find(LATE, known="7") == Wait("The order book lost known orders: 7.")
    assert lost_ids(frozenset("78"), [order("7")]) == {"8"}


def test_identical_slices_are_matched_as_a_set() -> None:
    def both(*rows: BrokerOrder, intents: tuple[UnknownIntent, ...] = (INTENT, LATE)) -> tuple[Finding, ...]:
        books = BooksRead(rows, [], 2, positions_agree=True)
        return match_slices(intents, books, baseline=frozenset(), claimed=frozenset())

    assert both(order("1"), order("2")) == (Claim("1"), Claim("2"))
    assert both(order("1")) == (Claim("1"), Absent())
    assert both(order("1"), order("2"), order("3")) == (Ambiguous(("1", "2", "3")),) * 2
    assert both(intents=()) == ()
    with pytest.raises(ValueError, match="identical"):
        both(intents=(INTENT, replace(INTENT, limit=Decimal(97))))


rows = st.builds(
    order,
    st.sampled_from("123456"),
    contract=st.sampled_from([KEY, OTHER, None]),
    side=st.sampled_from(Side),
    units=st.sampled_from([Units(65), Units(130)]),
    product=st.sampled_from(["NRML", "MIS", ""]),
    price=st.sampled_from([Decimal(0), Decimal(98), Decimal(99)]),
    status=st.sampled_from(OrderStatus),
)


@given(
    st.lists(rows, max_size=6, unique_by=lambda row: row.order_id),
    st.frozensets(st.sampled_from("123456")),
    st.floats(0, 300),
    st.integers(0, 3),
)
def test_never_absent_on_doubt_and_never_a_strangers_order(
    book: list[BrokerOrder], known: frozenset[str], since_s: float, clean: int
) -> None:
    intent = replace(INTENT, since_send_s=since_s)
    finding = match_intent(intent, BooksRead(book, [], clean, True), baseline=known, claimed=frozenset())
    new = {row.order_id: row for row in book if row.order_id not in known}
    alike = [r for r in new.values() if r.contract in {KEY, None} and (r.side, r.units) == (Side.SELL, 65)]
    if isinstance(finding, Claim):
        assert new[finding.order_id].contract == KEY
        assert new[finding.order_id] in alike
    if isinstance(finding, Absent):
        assert since_s >= 150
        assert clean >= 2
        assert not lost_ids(known, book)
        assert not [r for r in alike if r.product != "MIS" and r.contract == KEY]
    if isinstance(finding, Ambiguous):
        assert set(finding.order_ids) <= new.keys()


@pytest.mark.parametrize(
    ("row", "traded", "state", "missing"),
    [
        (order("1"), [], IntentState.WORKING, 0),
        (order("1", status=S.TRIGGER_PENDING), [], IntentState.WORKING, 0),
        (order("1"), [trade("1", 30)], IntentState.WORKING, 0),
        (order("1"), [trade("1", 30), trade("1", 35)], IntentState.FILLED, 0),  # the word lags behind the trades
        (order("1", status=S.COMPLETE), [], IntentState.WORKING, 65),  # its word alone proves nothing
        (order("1", status=S.COMPLETE), [trade("2")], IntentState.WORKING, 65),
        (order("1", status=S.COMPLETE), [trade("1", 30)], IntentState.WORKING, 35),
        (order("1", status=S.COMPLETE), [trade("1")], IntentState.FILLED, 0),
        (order("1", status=S.COMPLETE, filled=Units(65)), [], IntentState.FILLED, 65),
        (order("1", status=S.COMPLETE), [trade("1", 65, 0)], IntentState.WORKING, 65),  # a trade without a price
        (order("1", status=S.CANCELLED), [], IntentState.CANCELLED, 0),
        (order("1", status=S.CANCELLED), [trade("1", 30)], IntentState.CANCELLED, 0),
        (order("1", status=S.CANCELLED, filled=Units(30)), [], IntentState.WORKING, 30),
        (order("1", status=S.CANCELLED), [trade("1")], IntentState.FILLED, 0),  # the cancel came too late
        (order("1", status=S.REJECTED), [], IntentState.REJECTED, 0),
        (order("1", status=S.REJECTED), [trade("1", 30)], IntentState.WORKING, 0),
        (order("1", units=Units(0)), [], IntentState.WORKING, 0),
    ],
)
def test_settling(row: BrokerOrder, traded: list[BrokerTrade], state: IntentState, missing: int) -> None:
    settled = settle(row, traded)
    assert settled.state is state
    assert settled.missing == missing
    assert sum(f.units for f in settled.fills) == sum(t.units for t in traded if t.order_id == "1" and t.price)


def test_a_partly_filled_then_cancelled_order_keeps_its_fills() -> None:
    settled = settle(order("1", status=S.CANCELLED), [trade("1", 30)])
    assert [(f.units, f.price) for f in settled.fills] == [(30, 98)]


@pytest.mark.parametrize("status", [S.REJECTED, S.CANCELLED])
def test_row_27_a_final_word_read_once_can_be_the_previous_rows(status: OrderStatus) -> None:
    assert settle(order("1", status=status), [], confirmed=False).state is IntentState.WORKING


def test_contradictions_are_said() -> None:
    assert "195 of its 65" in (settle(order("1"), [trade("1"), trade("1"), trade("1")]).doubt or "")
    assert "called rejected" in (settle(order("1", status=S.REJECTED), [trade("1", 30)]).doubt or "")
    assert "0 units" in (settle(order("1", units=Units(0)), []).doubt or "")
    assert settle(order("1"), []).doubt is None


def test_the_same_row_twice_is_two_fills_and_stays_so_in_any_order() -> None:
    book = [trade("1", 65, "207.05"), trade("1", 65, "207.05"), trade("1", 65, "377.35", "12:00:09"), trade("2")]
    fills = set(fills_of("1", book))
    assert len(fills) == 3
    assert {f.ordinal for f in fills if f.price == Decimal("207.05")} == {1, 2}
    random.Random(7).shuffle(book)
    assert set(fills_of("1", book)) == fills


@given(st.sampled_from(OrderStatus), st.lists(st.integers(1, 3), max_size=4), st.none() | st.integers(0, 65))
def test_row_27_no_final_state_without_proof(status: OrderStatus, lots: list[int], filled: int | None) -> None:
    traded = [trade("1", 13 * n) for n in lots]
    settled = settle(order("1", status=status, filled=None if filled is None else Units(filled)), traded)
    total = sum(t.units for t in traded)
    if settled.state is IntentState.FILLED:
        assert max(total, filled or 0) >= 65
    if settled.state is IntentState.REJECTED:
        assert total == 0
        assert not filled
    if status in {S.OPEN, S.TRIGGER_PENDING}:
        assert settled.state in {IntentState.WORKING, IntentState.FILLED}


STOP = replace(LATE, limit=Decimal(97), trigger=Decimal(98))
STOP_AT_MARKET = replace(LATE, limit=Decimal(0), trigger=Decimal(98))


@pytest.mark.parametrize(
    ("intent", "changes", "ours"),
    [
        (STOP, {"price": Decimal(97), "trigger_price": Decimal(98)}, True),
        (STOP, {"price": Decimal(97)}, True),  # some books lose the trigger
        (STOP, {"price": Decimal(97), "trigger_price": Decimal("98.05")}, False),
        (STOP, {"price": Decimal(96), "trigger_price": Decimal(98)}, False),
        (STOP_AT_MARKET, {"price": Decimal(0), "trigger_price": Decimal(98)}, True),
        (STOP_AT_MARKET, {"price": Decimal(0)}, True),
        (STOP_AT_MARKET, {"price": Decimal("96.50"), "trigger_price": Decimal(98)}, True),  # its broker made it an SL
        (STOP_AT_MARKET, {"price": Decimal(98)}, False),  # somebody's limit
        (STOP_AT_MARKET, {"price": Decimal(0), "trigger_price": Decimal(99)}, False),
    ],
)
def test_a_stop_is_known_by_its_trigger(intent: UnknownIntent, changes: dict[str, object], *, ours: bool) -> None:
    found = find(intent, order("7", **changes))
    assert (found == Claim("7")) is ours
    assert isinstance(found, Claim if ours else Ambiguous)
