"""What is large and stays is left out of the collector's passes, once for each version of it."""

import gc
from collections.abc import Iterator

import pytest

from app.engine.memory import YOUNG, Memory


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def test_nothing_is_changed_before_there_is_something_large() -> None:
    threshold, frozen = gc.get_threshold(), gc.get_freeze_count()
    assert Memory(lambda: None).step() > 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == (threshold, frozen)


def test_what_came_is_kept_apart_once_and_what_replaced_it_again() -> None:
    large: list[list[list[int]]] = [[[n] for n in range(50_000)]]
    memory = Memory(lambda: len(large))
    gc.collect()  # what other tests left
    memory.step()
    frozen = gc.get_freeze_count()
    assert frozen > 50_000
    assert gc.get_threshold()[0] == YOUNG
    later = [[n] for n in range(1_000)]
    memory.step()
    assert gc.get_freeze_count() <= frozen, "what is young now is looked at as ever"
    large.append(later)
    memory.step()
    assert gc.get_freeze_count() > frozen
