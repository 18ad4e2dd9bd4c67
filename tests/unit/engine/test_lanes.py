"""Lanes: exits first, never faster than the limit, never the same job twice, one worker kept for the way out."""

import threading
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.engine.lanes import ENTRY_URGENCY, EXIT_URGENCY, Governor, Job, Lane, Lanes
from app.engine.supervisor import Supervisor

SOON_S = 5.0


class HandClock:
    """Monotonic time that the test sets."""

    def __init__(self) -> None:
        self.second = 100.0

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 4, 0, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.second


def _lane(clock: HandClock, most: int = 8) -> Lane:
    return Lane(Governor(clock, most))


def _take(lane: Lane, *, exits_only: bool = False) -> Job:
    job = lane.take(exits_only=exits_only)
    assert isinstance(job, Job)
    return job


def test_exits_go_before_entries_and_each_in_order() -> None:
    lane = _lane(HandClock())
    for intent, urgency in ((1, ENTRY_URGENCY), (2, EXIT_URGENCY), (3, ENTRY_URGENCY), (4, EXIT_URGENCY)):
        lane.put(intent, urgency=urgency)
    assert [_take(lane).intent_id for _ in range(4)] == [2, 4, 1, 3]


def test_the_same_job_is_not_queued_twice_until_it_is_done() -> None:
    lane = _lane(HandClock())
    lane.put(7, urgency=ENTRY_URGENCY)
    lane.put(7, urgency=ENTRY_URGENCY)
    job = _take(lane)
    lane.put(7, urgency=ENTRY_URGENCY)
    assert lane.waiting() == 0, "while it is under way it is not queued again"
    lane.done(job)
    lane.put(7, urgency=ENTRY_URGENCY)
    assert lane.waiting() == 1


def test_a_cancel_is_another_job_than_the_send() -> None:
    lane = _lane(HandClock())
    lane.put(7, urgency=ENTRY_URGENCY)
    lane.put(7, urgency=EXIT_URGENCY, cancel=True)
    assert _take(lane).cancel


def test_the_worker_kept_for_exits_leaves_entries_alone() -> None:
    lane = _lane(HandClock())
    lane.put(1, urgency=ENTRY_URGENCY)
    assert isinstance(lane.take(exits_only=True), float)
    lane.put(2, urgency=EXIT_URGENCY)
    assert _take(lane, exits_only=True).intent_id == 2


@given(st.lists(st.floats(min_value=0.0, max_value=0.6), max_size=80), st.integers(min_value=1, max_value=10))
def test_never_more_than_the_limit_in_any_sliding_second(steps: list[float], most: int) -> None:
    clock = HandClock()
    governor = Governor(clock, most)
    taken: list[float] = []
    for step in steps:
        clock.second += step
        if governor.wait_s() == 0:
            taken.append(clock.second)
    for index, moment in enumerate(taken):
        inside = [other for other in taken[index:] if other - moment < 1.0]
        assert len(inside) <= most


def test_the_governor_says_how_long_to_wait() -> None:
    clock = HandClock()
    governor = Governor(clock, 2)
    assert governor.wait_s() == 0
    clock.second += 0.4
    assert governor.wait_s() == 0
    assert round(governor.wait_s(), 6) == 0.6
    clock.second += 0.6
    assert governor.wait_s() == 0


class HangingEntries:
    """Order calls of which every entry hangs until the test lets it go."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.exited = threading.Event()
        self.entered = threading.Semaphore(0)

    def send(self, intent_id: int) -> None:
        if intent_id >= 1000:
            self.exited.set()
            return
        self.entered.release()
        self.release.wait(SOON_S)

    def cancel(self, intent_id: int) -> None:
        raise AssertionError(f"nobody asked to cancel {intent_id}")


def test_entries_that_hang_do_not_block_the_way_out() -> None:
    supervisor, calls = Supervisor(), HangingEntries()
    lanes = Lanes(supervisor, HandClock(), calls, workers=2, per_second=50)
    supervisor.start()
    try:
        for intent in range(5):
            lanes.send(3, intent, is_exit=False)
        assert calls.entered.acquire(timeout=SOON_S)
        assert calls.entered.acquire(timeout=SOON_S)
        lanes.send(3, 1000, is_exit=True)
        assert calls.exited.wait(SOON_S)
        assert lanes.depth() == {3: 3}
    finally:
        calls.release.set()
        supervisor.stop()
