"""The supervisor owns threads: it wakes, restarts and stops them."""

import threading
from collections.abc import Iterator

import pytest

from app.engine.supervisor import CRASHES_THAT_HALT, Loop, Supervisor

SOON_S = 5.0


def test_a_step_is_called_again_as_soon_as_somebody_wakes_it() -> None:
    supervisor = Supervisor()
    calls = threading.Semaphore(0)

    def step() -> float:
        calls.release()
        return 3600.0

    loop = supervisor.add("sleeper", step)
    supervisor.start()
    assert calls.acquire(timeout=SOON_S)
    loop.wake()
    assert calls.acquire(timeout=SOON_S)
    assert supervisor.stop() == []


def test_a_wake_during_a_step_is_not_lost() -> None:
    supervisor = Supervisor()
    entered, go_on, calls = threading.Event(), threading.Event(), threading.Semaphore(0)

    def step() -> float:
        entered.set()
        go_on.wait(SOON_S)
        calls.release()
        return 3600.0

    loop = supervisor.add("busy", step)
    supervisor.start()
    assert entered.wait(SOON_S)
    loop.wake()
    go_on.set()
    assert calls.acquire(timeout=SOON_S)
    assert calls.acquire(timeout=SOON_S), "the wake that came during the first step must cause a second"
    supervisor.stop()


def test_a_crash_is_counted_told_and_survived() -> None:
    crashes = 0

    def step() -> float:
        nonlocal crashes
        crashes += 1
        raise ValueError("the book is on fire")

    loop = Loop("crashing", step, threading.Event())
    waits = [loop._beat_once() for _ in range(CRASHES_THAT_HALT)]
    assert waits == sorted(waits), "each wait is at least as long as the one before"
    assert waits[-1] <= 5, "whoever shares the loop with the one that crashes it is served again soon"
    pulse = loop.pulse()
    assert pulse.crashes == CRASHES_THAT_HALT
    assert pulse.last_error == "ValueError: the book is on fire"


def test_a_good_step_ends_a_row_of_crashes() -> None:
    answers: Iterator[ValueError | float] = iter([ValueError("once"), 1.0])

    def step() -> float:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    loop = Loop("recovering", step, threading.Event())
    loop._beat_once()
    assert loop._beat_once() == 1.0
    assert loop.pulse().crashes == 0


def test_five_crashes_in_a_row_make_a_thread_unwell() -> None:
    supervisor = Supervisor()

    def step() -> float:
        raise ValueError("always")

    loop = supervisor.add("sick", step)
    for _ in range(CRASHES_THAT_HALT - 1):
        loop._beat_once()
    assert supervisor.unwell == []
    loop._beat_once()
    assert [pulse.name for pulse in supervisor.unwell] == ["sick"]


def test_stop_is_immediate_though_a_loop_would_wait_an_hour() -> None:
    supervisor = Supervisor()
    names = [f"loop-{number}" for number in range(8)]
    for name in names:
        supervisor.add(name, lambda: 3600.0)
    supervisor.start()
    assert supervisor.stop(deadline_s=SOON_S) == []


def test_stop_names_the_loops_that_would_not_end() -> None:
    supervisor = Supervisor()
    hung, entered = threading.Event(), threading.Event()

    def step() -> float:
        entered.set()
        hung.wait(SOON_S)
        return 0.0

    supervisor.add("hung", step)
    supervisor.start()
    assert entered.wait(SOON_S)
    assert supervisor.stop(deadline_s=0.05) == ["hung"]
    hung.set()


def test_a_loop_added_later_starts_at_once_and_names_are_unique() -> None:
    supervisor = Supervisor()
    supervisor.start()
    ran = threading.Event()

    def step() -> float:
        ran.set()
        return 3600.0

    supervisor.add("late", step)
    assert ran.wait(SOON_S)
    with pytest.raises(ValueError, match="late"):
        supervisor.add("late", step)
    supervisor.stop()


def test_waking_a_loop_that_is_not_here_is_no_fault() -> None:
    Supervisor().wake("engine-elsewhere")
