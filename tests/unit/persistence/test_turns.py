"""Turns to write: urgent ones before others, nobody for ever, and one owner at a time."""

import threading
from collections.abc import Callable

import pytest

from app.persistence.turns import Turn, WriterTurns

SOON_S = 5.0


class Writers:
    """Threads that wait for their turn in a known order, and write down who had it."""

    def __init__(self) -> None:
        self.turns = WriterTurns()
        self.wrote: list[str] = []
        self._threads: list[threading.Thread] = []  # noqa: TID251 - the product's rule

    def queue(self, name: str, turn: Turn) -> None:
        """Start one, and return when it waits."""
        waiting = len(self.turns._waiting)
        thread = threading.Thread(target=self._write, args=(name, turn), daemon=True)  # noqa: TID251 - the product's rule
        self._threads.append(thread)
        thread.start()
        until(lambda: len(self.turns._waiting) > waiting)

    def _write(self, name: str, turn: Turn) -> None:
        with self.turns.turn(turn):
            self.wrote.append(name)

    def all_done(self) -> None:
        for thread in self._threads:
            thread.join(SOON_S)
            assert not thread.is_alive()


def until(holds: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(1000):
        if holds():
            return
        tick.wait(SOON_S / 1000)
    raise AssertionError("it never came to that")


def test_what_an_order_waits_for_goes_first_and_equals_go_as_they_came() -> None:
    writers = Writers()
    with writers.turns.turn(Turn.SOON):
        for name, turn in (
            ("book 1", Turn.LATER), ("push 1", Turn.SOON), ("book 2", Turn.LATER), ("exit 1", Turn.NOW),
            ("push 2", Turn.SOON), ("exit 2", Turn.NOW),
        ):  # fmt: skip
            writers.queue(name, turn)
        assert writers.wrote == []
    writers.all_done()
    assert writers.wrote == ["exit 1", "exit 2", "push 1", "push 2", "book 1", "book 2"]


def test_whose_patience_is_over_goes_before_whoever_comes_now(monkeypatch: pytest.MonkeyPatch) -> None:
    second = 100.0
    monkeypatch.setattr("app.persistence.turns.monotonic", lambda: second)
    writers = Writers()
    with writers.turns.turn(Turn.SOON):
        writers.queue("book", Turn.LATER)
        second += Turn.LATER.value + 0.01
        writers.queue("exit", Turn.NOW)
    writers.all_done()
    assert writers.wrote == ["book", "exit"]


def test_the_owner_takes_it_again_and_gives_it_back_once() -> None:
    writers = Writers()
    with writers.turns.turn(Turn.LATER):
        with writers.turns.turn(Turn.NOW):
            writers.queue("other", Turn.NOW)
        assert writers.wrote == [], "the outer one still writes"
    writers.all_done()
    assert writers.wrote == ["other"]


def test_a_turn_that_raises_is_given_back() -> None:
    turns = WriterTurns()
    with pytest.raises(ValueError, match="a bug"), turns.turn(Turn.NOW):
        raise ValueError("a bug")
    writers = Writers()
    writers.turns = turns
    with turns.turn(Turn.NOW):
        writers.queue("next", Turn.SOON)
    writers.all_done()
    assert writers.wrote == ["next"]


def test_many_at_once_are_one_at_a_time() -> None:
    turns, inside, most = WriterTurns(), 0, 0
    start = threading.Barrier(8)

    def write(turn: Turn) -> None:
        nonlocal inside, most
        start.wait(SOON_S)
        for _ in range(200):
            with turns.turn(turn):
                inside += 1
                most = max(most, inside)
                inside -= 1

    turns_of = (*Turn, *Turn, Turn.NOW, Turn.NOW)
    threads = [threading.Thread(target=write, args=(turn,), daemon=True) for turn in turns_of]  # noqa: TID251 - as above
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON_S)
        assert not thread.is_alive()
    assert (inside, most) == (0, 1)


def test_who_gives_up_waiting_holds_up_nobody() -> None:
    writers = Writers()
    with writers.turns.turn(Turn.SOON):
        writers.queue("gone", Turn.NOW)
        writers.queue("next", Turn.LATER)
        gone = writers._threads[0].ident
        assert gone is not None
        writers.turns._give_up(gone)  # what an interrupt makes of it; the thread itself waits on here for ever
    writers._threads[1].join(SOON_S)
    assert writers.wrote == ["next"]
    with writers.turns.turn(Turn.NOW):
        writers.wrote.append("anybody")
    assert writers.wrote == ["next", "anybody"]
