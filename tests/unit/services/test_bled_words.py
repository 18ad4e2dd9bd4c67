"""Row 27: a row that a mapper left at the word of the row above it ends no order that lives."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.books import BrokerOrder, OrderStatus
from app.domain.contracts import Side
from app.domain.money import Units
from app.domain.orders import IntentState
from app.services.book_memory import BLED_S, Memory
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import LOT, PUT

Reader = Callable[..., list[BrokerOrder]]


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    """A short whose exit was refused once, with the next one resting at the broker."""
    world = OrderWorld(tmp_path)
    world.broker.fills_at_once = True
    run_id = world.start((PUT, Side.SELL, 1))
    world.turns(3)
    world.broker.fills_at_once = False
    world.exit(run_id)
    world.turns(1)
    world.broker.standing[-1].status = OrderStatus.REJECTED
    for _ in range(8):
        world.turn(0.6)
        if exits(world)[-1] == (2, IntentState.WORKING):
            break
    return world


def bleed(world: OrderWorld) -> None:
    """Working rows show the word of the row above them, in every read."""
    real: Reader = world.broker.order_book

    def read(expected: object = None) -> list[BrokerOrder]:
        rows = real(expected)
        for place, row in enumerate(rows[1:], start=1):
            if not row.status.is_final:
                rows[place] = replace(row, status=rows[place - 1].status)
        return rows

    world.broker.order_book = read  # type: ignore[method-assign]


def exits(world: OrderWorld) -> list[tuple[int, str]]:
    return [(intent.generation, intent.state) for intent in world.intents("EXIT")]


def test_row_27_an_exit_that_reads_like_the_refused_one_above_it_is_not_sent_again(world: OrderWorld) -> None:
    assert exits(world)[-1] == (2, IntentState.WORKING)
    bleed(world)
    world.turns(4, 0.6)
    assert exits(world)[-1] == (2, IntentState.WORKING)
    world.broker.fill_all()
    world.turns(4)
    assert world.broker.net(PUT.key) == 0
    assert world.account().state == "ACTIVE"


def row(status: OrderStatus) -> BrokerOrder:
    price = Decimal(100)
    return BrokerOrder("2", PUT.key, Side.BUY, Units(LOT), "MIS", "LIMIT", price, Decimal(0), status, "10:00:00")


R, C, O = OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.OPEN  # noqa: E741 - as in the table


@pytest.mark.parametrize(
    ("reads", "proven"),
    [
        ([(0, R, O)], False),
        ([(0, R, O), (1, R, O)], True),
        ([(0, R, None), (1, R, None)], True),
        ([(0, R, R), (1, R, R), (5, R, R)], False),
        ([(0, R, R), (BLED_S, R, R)], True),
        ([(0, R, R), (1, R, C)], True),
        ([(0, R, R), (4, O, R), (5, R, R), (7, R, R)], False),
        ([(0, R, O), (1, C, O)], False),
        ([(0, O, O), (1, O, O)], False),
    ],
)
def test_a_word_is_proven_by_a_second_read_in_which_it_is_not_that_of_the_row_above(
    reads: list[tuple[float, OrderStatus, OrderStatus | None]], proven: bool
) -> None:
    memory = Memory()
    said = [memory.has_proven(row(status), above, at) for at, status, above in reads]
    assert said[-1] is proven


def test_a_word_that_is_not_proven_yet_is_looked_at_again_though_the_books_stay_the_same() -> None:
    memory, reading = Memory(), ("the", "same")
    memory.has_proven(row(R), R, 0.0)
    for _ in range(4):
        memory.wrote(reading, changed=False)
    assert not memory.is_known(reading)
    memory.has_proven(row(R), R, BLED_S)
    assert memory.is_known(reading)


def test_the_word_of_an_id_that_is_given_out_again_on_another_day_is_read_for_the_first_time() -> None:
    memory, row = Memory(), BrokerOrder(
        "7", PUT.key, Side.BUY, Units(LOT), "MIS", "LIMIT", Decimal(100), Decimal(0), OrderStatus.REJECTED, "10:30:00"
    )  # fmt: skip
    memory.begin(date(2026, 11, 23), frozenset({"7"}))
    assert [memory.has_proven(row, None, at) for at in (0.0, 1.0)] == [False, True]
    memory.begin(date(2026, 11, 24), frozenset({"7"}))
    assert not memory.has_proven(row, None, 80_000.0)
