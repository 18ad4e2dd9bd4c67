"""The board keeps the newest price of each contract and nothing that is no price."""

import math
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import ContractKey
from app.ports.feed import Drop, Tick
from app.services.price_board import PriceBoard
from tests.unit.services.market_fakes import FakeClock, quote

CALL = ContractKey("NFO", "NIFTY01DEC2625000CE")
PUT = ContractKey("NFO", "NIFTY01DEC2625000PE")
AT = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(AT)


@pytest.fixture
def board(clock: FakeClock) -> PriceBoard:
    return PriceBoard(clock)


def tick(ltp: float, seconds: float | None = 0.0, key: ContractKey = CALL, **figures: object) -> Tick:
    at = None if seconds is None else AT + timedelta(seconds=seconds)
    return Tick(key, ltp, at, **figures)  # type: ignore[arg-type]


def test_a_contract_without_a_price_has_none(board: PriceBoard) -> None:
    assert board.latest(CALL) is None
    assert board.age_s(CALL) is None


def test_prices_are_exact_decimals_of_what_the_wire_said(board: PriceBoard, clock: FakeClock) -> None:
    board.put(
        tick(198.35, open=205.95, high=217.45, low=183.05, previous_close=302.55, volume=10, bids=((198.3, 65),)),
        "Sim 1",
    )
    price = board.latest(CALL)
    assert price is not None
    assert (price.ltp, price.bid, price.ask) == (Decimal("198.35"), Decimal("198.3"), None)
    assert (price.open, price.previous_close, price.volume) == (Decimal("205.95"), Decimal("302.55"), 10)
    assert (price.source, price.exchange_at, price.received, price.received_at) == ("Sim 1", AT, clock.ticked, AT)


def test_arrivals_of_many_are_those_of_their_newest_prices(board: PriceBoard, clock: FakeClock) -> None:
    board.put(tick(198.35, volume=10), "Sim 1")
    clock.advance(1)
    board.put(tick(198.4, 1), "Sim 1")
    price = board.latest(CALL)
    assert price is not None
    found = dict(board.arrivals([CALL, PUT]))
    assert found == {CALL: (price.received, "Sim 1", 198.4, price.volume), PUT: None}


@pytest.mark.parametrize("ltp", [0.0, -1.0, math.nan, math.inf, -math.inf, 1e12])
def test_row_20_what_is_no_price_never_gets_in(board: PriceBoard, ltp: float) -> None:
    board.put(tick(200.0))
    assert not board.put(tick(ltp, 1))
    price = board.latest(CALL)
    assert price is not None
    assert price.ltp == Decimal("200.0")
    assert board.counts().invalid == 1


@given(st.floats())
def test_any_float_is_a_price_or_is_dropped(ltp: float) -> None:
    board = PriceBoard(FakeClock(AT))
    taken = board.put(tick(ltp))
    price = board.latest(CALL)
    assert taken == (price is not None)
    assert price is None or price.ltp > 0


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30))
def test_row_23_whatever_the_order_the_newest_by_exchange_time_stands(seconds: list[int]) -> None:
    board = PriceBoard(FakeClock(AT + timedelta(hours=1)))
    for each in seconds:
        board.put(tick(100.0 + each, each))
    price = board.latest(CALL)
    assert price is not None
    assert price.ltp == Decimal(100 + max(seconds))
    counts = board.counts()
    assert counts.accepted + counts.older == len(seconds)


def test_row_23_a_tick_that_is_older_than_the_price_here_is_dropped_from_another_connection_too(
    board: PriceBoard,
) -> None:
    board.put(tick(200.0, 30))
    assert not board.put(tick(199.0, 20))
    assert not board.put(tick(90.0, -270), "feed of B"), "a feed that takes over may lag by minutes"
    assert board.put(tick(201.0, 31), "feed of B")
    price = board.latest(CALL)
    assert price is not None
    assert price.ltp == Decimal("201.0")


def test_a_time_that_has_not_come_yet_does_not_silence_a_contract_for_good(board: PriceBoard, clock: FakeClock) -> None:
    board.put(tick(200.0, 86_400))
    clock.advance(1)
    assert not board.put(tick(201.0, 1)), "for all we know it is out of order"
    clock.advance(5)
    assert board.put(tick(202.0, 6))
    assert board.counts().reordered == 1


def test_row_23_a_late_tick_of_a_quiet_contract_stays_out_however_long_it_was_quiet(
    board: PriceBoard, clock: FakeClock
) -> None:
    board.put(tick(200.0, 0))
    clock.advance(60)
    assert not board.put(tick(190.0, -30))


def test_a_rest_quote_does_not_overwrite_what_was_pushed_while_it_was_under_way(
    board: PriceBoard, clock: FakeClock
) -> None:
    asked = clock.monotonic()
    clock.advance(0.2)
    board.put(tick(205.0, 1))
    clock.advance(0.2)
    assert not board.seed(CALL, quote("200", bid="199.9", ask="200.1"), "REST", asked=asked)
    price = board.latest(CALL)
    assert price is not None
    assert price.ltp == Decimal("205.0")
    assert price.ask == Decimal("200.1"), "no pushed tick carried a touch since"


def test_a_rest_quote_is_newer_than_what_was_pushed_before_it_was_asked_for(
    board: PriceBoard, clock: FakeClock
) -> None:
    board.put(tick(205.0, 1, bids=((204.0, 65),)))
    clock.advance(1)
    assert board.seed(CALL, quote("200", bid="199.9"), "REST", asked=clock.monotonic())
    price = board.latest(CALL)
    assert price is not None
    assert (price.ltp, price.bid, price.exchange_at) == (Decimal("200.0"), Decimal("199.9"), None)
    assert not board.put(tick(204.0, 0)), "the order of pushed ticks goes on after a REST quote"


def test_a_frame_without_depth_keeps_the_last_touch_and_its_age(board: PriceBoard, clock: FakeClock) -> None:
    board.put(tick(200.0, 0, bids=((199.9, 65),), asks=((200.1, 65),), previous_close=190.0, volume=5))
    first = clock.ticked
    clock.advance(4)
    board.put(tick(201.0, 4))
    price = board.latest(CALL)
    assert price is not None
    assert (price.ltp, price.bid, price.ask) == (Decimal("201.0"), Decimal("199.9"), Decimal("200.1"))
    assert (price.received, price.touch_received) == (clock.ticked, first)
    assert (price.previous_close, price.volume) == (Decimal("190.0"), 5)


def test_confirming_makes_a_price_young_and_does_not_invent_one(board: PriceBoard, clock: FakeClock) -> None:
    board.confirm(CALL)
    assert board.latest(CALL) is None
    board.put(tick(200.0))
    clock.advance(9)
    assert board.age_s(CALL) == pytest.approx(9)
    board.confirm(CALL)
    assert board.age_s(CALL) == 0


def test_watchers_are_woken_for_their_contracts_until_they_close(board: PriceBoard) -> None:
    woken: list[str] = []
    watch = board.watch([CALL], lambda: woken.append("first"))
    board.watch([CALL, PUT], lambda: woken.append("second"))
    board.put(tick(200.0))
    board.put(tick(100.0, key=PUT))
    assert woken == ["first", "second", "second"]
    watch.close()
    watch.close()
    board.put(tick(201.0, 1))
    assert woken == ["first", "second", "second", "second"]


def test_what_comes_together_wakes_each_watcher_once(board: PriceBoard) -> None:
    woken: list[str] = []
    board.watch([CALL, PUT], lambda: woken.append("both"))
    board.watch([PUT], lambda: woken.append("one"))
    assert board.put_all([tick(200.0), tick(100.0, key=PUT), tick(201.0, 1)], "Sim 1") == 3
    assert woken == ["both", "one"]
    price = board.latest(CALL)
    assert price is not None
    assert price.ltp == Decimal("201.0")
    assert board.put_all([tick(0.0, 2), tick(200.0, 0)], "Sim 1") == 0
    assert woken == ["both", "one"], "nothing new"


def test_what_is_dropped_is_counted_by_kind(board: PriceBoard) -> None:
    prices = [0.0, -1.0, math.nan, math.inf, 1e12]
    board.put_all([tick(200.0, 9), *(tick(price, 10) for price in prices), tick(199.0, 8)], "Sim 1")
    counts = board.counts()
    assert counts.dropped == {
        Drop.ZERO: 1, Drop.NEGATIVE: 1, Drop.NOT_A_NUMBER: 1, Drop.OUT_OF_BAND: 2, Drop.OLDER: 1
    }  # fmt: skip
    assert (counts.accepted, counts.invalid, counts.older) == (1, 5, 1)


def test_each_consumer_takes_its_own_changes_once(board: PriceBoard) -> None:
    board.put(tick(200.0))
    assert board.take_dirty("pages") == {CALL}, "all that is known, the first time"
    assert board.take_dirty("pages") == set()
    board.put(tick(100.0, key=PUT))
    assert board.take_dirty("other") == {CALL, PUT}
    assert board.take_dirty("pages") == {PUT}


def test_two_writers_and_a_reader_never_see_half_a_price(board: PriceBoard) -> None:
    """Bid, price and ask of each tick belong together; a reader must never mix two ticks."""
    torn: list[object] = []
    done = threading.Event()

    def write(offset: int) -> None:
        for step in range(2_000):
            base = float(100 + offset + step % 50)
            board.put(tick(base, None, bids=((base - 1, 1),), asks=((base + 1, 1),)))

    def read() -> None:
        while not done.is_set():
            price = board.latest(CALL)
            if price is not None and (price.bid, price.ask) != (price.ltp - 1, price.ltp + 1):
                torn.append(price)

    writers = [threading.Thread(target=write, args=(offset,)) for offset in (0, 1_000)]  # noqa: TID251 - proves it with threads
    reader = threading.Thread(target=read)  # noqa: TID251 - proves it with threads
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert not torn
    assert board.counts().accepted == 4_000
