"""Accounts that are about to send have a young order book; the others are left in peace."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from app.domain.contracts import Side
from app.ports.gateway import Unreachable
from app.services.accounts_at_work import AccountsAtWork
from app.services.warm_books import AFTER_FAILURE_S, LOOK_S, RUSHED_S, WARM_S, WarmBooks
from app.services.world import BOOK_FRESH_S
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL


class AtOnce(Executor):
    """Does what is submitted before it returns."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as every executor does
            done.set_exception(error)
        return done


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path, accounts=2)


def warm(world: OrderWorld, *at_work: int, rushes: bool = False) -> WarmBooks:
    accounts = AccountsAtWork(world.database, world.clock, lambda: frozenset(at_work))
    return WarmBooks(world.database, world.clock, world.world, AtOnce(), at_work=accounts.ids, rushes=lambda: rushes)


def ages(world: OrderWorld) -> list[float | None]:
    return [world.world.ids_age_s(account_id) for account_id in (1, 2)]


def test_who_does_nothing_is_left_in_peace(world: OrderWorld) -> None:
    warm(world).step()
    assert ages(world) == [None, None]


def test_accounts_of_a_preview_that_can_be_sent_are_kept_young_until_it_ends(world: OrderWorld) -> None:
    world.request((CALL, Side.BUY, 1))
    books = warm(world)
    books.step()
    assert ages(world) == [0, 0]
    world.clock.advance(WARM_S + 0.1)
    books.step()
    assert ages(world) == [0, 0], "long before they are too old to send by"
    world.clock.advance(61)
    books.step()
    assert ages(world) == [61, 61]


def test_a_preview_that_was_sent_keeps_nobody_young_any_more(world: OrderWorld) -> None:
    world.read()
    world.start((CALL, Side.BUY, 1))
    world.read()
    world.clock.advance(WARM_S + 1)
    warm(world).step()
    assert ages(world) == pytest.approx([WARM_S + 1, WARM_S + 1]), "its run does, as long as it lives"


def test_accounts_of_living_runs_are_kept_young(world: OrderWorld) -> None:
    warm(world, 2).step()
    assert ages(world) == [None, 0]


def test_while_orders_go_out_a_book_is_read_when_it_has_to_be(world: OrderWorld) -> None:
    world.read()
    world.clock.advance(RUSHED_S - 0.1)
    warm(world, 1, rushes=True).step()
    assert ages(world)[0] == pytest.approx(RUSHED_S - 0.1)
    world.clock.advance(0.2)
    warm(world, 1, rushes=True).step()
    assert ages(world)[0] == 0
    assert RUSHED_S + LOOK_S < BOOK_FRESH_S, "it is read before an order would have to wait for it"


def test_what_the_cycle_of_the_books_read_just_now_is_not_read_again(world: OrderWorld) -> None:
    world.read()
    world.clock.advance(WARM_S - 0.1)
    warm(world, 1).step()
    assert ages(world)[0] == pytest.approx(WARM_S - 0.1)


def test_an_account_that_cannot_be_read_is_left_alone_for_a_while(world: OrderWorld) -> None:
    world.broker.broken = Unreachable("Nothing answers.")
    books = warm(world, 1)
    books.step()
    world.broker.broken = None
    books.step()
    assert ages(world)[0] is None
    world.clock.advance(AFTER_FAILURE_S)
    books.step()
    assert ages(world)[0] == 0


def test_a_send_with_a_young_book_reads_nothing(world: OrderWorld) -> None:
    world.start((CALL, Side.BUY, 1))
    world.clock.advance(5)
    warm(world, 1, 2).step()
    world.executor.step()
    reads: list[int] = []
    world.world.read_ids = lambda account_id, *_: reads.append(account_id)  # type: ignore[method-assign]
    world.pricing.is_at_hand = True
    world.work()
    assert reads == []
    assert world.broker.placed == 1
