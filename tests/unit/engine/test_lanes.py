"""Lanes: exits first, never faster than the limit, never the same job twice, one place kept for the way out."""

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.outcomes import Outcome, Verdict
from app.engine.lane import EXITS_ONLY, Ask, Job, Lane, Urgency, Work
from app.engine.lanes import AT_ONCE, GATHER_S, STOPPED, Lanes
from app.engine.supervisor import Supervisor
from app.persistence.tables import Intent
from app.services.claims import Claimed, Claims
from app.services.pace_settings import Paces

SOON_S = 5.0
ACK = Outcome(Verdict.ACK, "1", "", 200)


class HandClock:
    """Monotonic time that the test sets."""

    def __init__(self) -> None:
        self.second = 100.0

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 4, 0, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.second


class JobMaker:
    """Jobs of one account, numbered as they are made."""

    def __init__(self, width: int = 8) -> None:
        self.number, self.width = 0, width

    def __call__(
        self,
        intent: int,
        urgency: Urgency = Urgency.ENTRY,
        ask: Ask = Ask.SEND,
        *,
        run: int = 1,
        segment: str = "NFO",
        width: int | None = None,
    ) -> Job:
        self.number += 1
        return Job(urgency, self.number, ask, 3, intent, run, segment, width or self.width)


def lane_of(clock: HandClock, *, workers: int = 8, rate: int = 8) -> Lane:
    return Lane(clock, workers, lambda: rate)


def going(lane: Lane) -> list[int]:
    return [job.intent_id for job in lane.due()[0]]


def test_exits_go_before_entries_and_each_in_order() -> None:
    lane, job = lane_of(HandClock()), JobMaker()
    for intent, urgency in ((1, Urgency.ENTRY), (2, Urgency.EXIT), (3, Urgency.ENTRY), (4, Urgency.EXIT)):
        lane.put(job(intent, urgency))
    assert going(lane) == [2, 4, 1, 3]


def test_the_same_job_is_not_queued_twice_until_it_is_forgotten() -> None:
    lane, job = lane_of(HandClock()), JobMaker()
    assert lane.put(job(7))
    assert not lane.put(job(7))
    (first,), _ = lane.due()
    assert not lane.put(job(7)), "while it is under way it is not queued again"
    lane.free(first)
    assert not lane.put(job(7)), "nor before its answer is recorded"
    lane.forget(first)
    assert lane.put(job(7))


def test_a_cancel_is_another_job_than_the_send() -> None:
    lane, job = lane_of(HandClock()), JobMaker()
    lane.put(job(7))
    lane.put(job(7, Urgency.EXIT, Ask.CANCEL))
    assert [each.ask for each in lane.due()[0]] == [Ask.CANCEL, Ask.SEND]


def test_a_change_waits_with_the_entries_and_counts_as_a_call() -> None:
    lane, job = lane_of(HandClock(), rate=2), JobMaker()
    lane.put(job(7))
    lane.put(job(7, ask=Ask.MODIFY))
    lane.put(job(8))
    assert [each.ask for each in lane.due()[0]] == [Ask.SEND, Ask.MODIFY]
    assert lane.waiting() == 1


def test_entries_never_use_the_place_kept_for_exits() -> None:
    lane, job = lane_of(HandClock(), workers=2), JobMaker(2)
    for intent in (1, 2, 3):
        lane.put(job(intent))
    assert going(lane) == [1, 2]
    lane.put(job(9, Urgency.EXIT))
    lane.put(job(10, Urgency.EXIT))
    assert going(lane) == [9], "one more than the entries, and no more"


def test_exits_may_use_every_place() -> None:
    lane, job = lane_of(HandClock(), workers=2), JobMaker(2)
    for intent in range(5):
        lane.put(job(intent, Urgency.EXIT))
    assert going(lane) == [0, 1, 2]


def test_a_place_is_free_again_when_the_call_has_ended() -> None:
    lane, job = lane_of(HandClock(), workers=1), JobMaker(1)
    lane.put(job(1))
    lane.put(job(2))
    (first,), _ = lane.due()
    assert going(lane) == []
    lane.free(first)
    assert going(lane) == [2]


def test_a_run_is_no_wider_than_its_strategy_wants_and_holds_back_no_other() -> None:
    lane, job = lane_of(HandClock()), JobMaker()
    for intent, run in ((1, 1), (2, 1), (3, 1), (4, 2)):
        lane.put(job(intent, run=run, width=2))
    assert going(lane) == [1, 2, 4]


def test_a_wide_strategy_has_more_under_way_than_the_settings_say() -> None:
    lane, job = lane_of(HandClock(), workers=2), JobMaker(2)
    for intent in range(5):
        lane.put(job(intent, width=4))
    assert going(lane) == [0, 1, 2, 3]
    lane.put(job(9, Urgency.EXIT))
    assert going(lane) == [9]


def test_segments_are_counted_apart() -> None:
    lane, job = lane_of(HandClock(), rate=1), JobMaker()
    for intent, segment in ((1, "NFO"), (2, "NFO"), (3, "BFO")):
        lane.put(job(intent, segment=segment))
    due, wait_s = lane.due()
    assert [each.intent_id for each in due] == [1, 3]
    assert 0 < wait_s <= 1


def test_what_was_not_sent_uses_up_nothing() -> None:
    lane, job = lane_of(HandClock(), workers=1, rate=1), JobMaker(1)
    lane.put(job(1))
    lane.put(job(2))
    (first,), _ = lane.due()
    lane.drop(first)
    assert going(lane) == [2]
    assert lane.put(job(1)), "and may be queued again"


def test_what_was_fetched_for_is_claimed_again_in_its_old_turn() -> None:
    lane, job = lane_of(HandClock(), workers=1), JobMaker(1)
    lane.put(job(1))
    lane.put(job(2))
    (first,), _ = lane.due()
    lane.fetches(first)
    lane.again(first)
    assert going(lane) == [1]


def test_the_worker_kept_for_exits_leaves_entries_alone() -> None:
    lane, job = lane_of(HandClock()), JobMaker()
    lane.hand(Work(job(1)))
    assert lane.next(EXITS_ONLY) is None
    lane.hand(Work(job(2, Urgency.EXIT)))
    exit_ = lane.next(EXITS_ONLY)
    assert exit_ is not None
    assert exit_.job.intent_id == 2


def test_one_idle_worker_is_woken_for_each_work_and_that_of_the_exits_for_an_exit_alone() -> None:
    lane, job = lane_of(HandClock()), JobMaker()
    assert lane.hand(Work(job(1))) is None, "none has said that it is idle: whoever comes takes it"
    first = lane.next(1)
    assert first is not None
    assert first.job.intent_id == 1
    for worker in (EXITS_ONLY, 1, 2):
        assert lane.next(worker) is None
    assert {lane.hand(Work(job(2))), lane.hand(Work(job(3)))} == {1, 2}
    assert lane.hand(Work(job(4))) is None, "the worker of the exits is not woken for an entry"
    assert lane.hand(Work(job(5, Urgency.EXIT))) == EXITS_ONLY


PACES = Paces(rate=50, width=2, rates={}, widths={})


class Calls:
    """Order calls that remember what they were asked. Entries hang until the test lets them go; exits are above 999."""

    def __init__(self, *, lacking: Sequence[int] = ()) -> None:
        self.release = threading.Event()
        self.exited = threading.Event()
        self.entered = threading.Semaphore(0)
        self.recorded = threading.Semaphore(0)
        self.batches: list[list[int]] = []
        self.order: list[str] = []
        self.answers: dict[int, Outcome] = {}
        self.fetched: list[int] = []
        self.lacking = set(lacking)

    def claim(self, intent_ids: Sequence[int]) -> Claims:
        self.batches.append(list(intent_ids))
        self.order.append("claim")
        going: Any = {each: _claimed(each) for each in intent_ids if each not in self.lacking}
        return Claims(ready=going, lacking=self.lacking & set(intent_ids))

    def fetch(self, intent_id: int) -> bool:
        self.fetched.append(intent_id)
        self.lacking.discard(intent_id)
        return True

    def call(self, claimed: Claimed) -> Outcome:
        if claimed.intent_id >= 1000:
            self.exited.set()
        else:
            self.entered.release()
            self.release.wait(SOON_S)
        return ACK

    def record(self, answers: Mapping[int, Outcome]) -> None:
        self.answers |= answers
        self.order.append("record")
        for _ in answers:
            self.recorded.release()

    def cancel(self, intent_id: int) -> None:
        raise AssertionError(f"nobody asked to cancel {intent_id}")


def _claimed(intent_id: int) -> Any:
    return Claimed(intent_id, 1, 3, None, None, 0.0, None, None)  # type: ignore[arg-type]


def intent(number: int, account_id: int = 3) -> Intent:
    purpose = "EXIT" if number >= 1000 else "ENTRY"
    return Intent(id=number, account_id=account_id, run_id=1, exchange="NFO", purpose=purpose)


def lanes_of(supervisor: Supervisor, calls: Calls, workers: int = 2) -> Lanes:
    return lanes_at(HandClock(), supervisor, calls, workers)


def lanes_at(clock: HandClock, supervisor: Supervisor, calls: Calls, workers: int) -> Lanes:
    lanes = Lanes(supervisor, clock, calls, modify=calls.cancel, paces=lambda: PACES, workers=workers)
    supervisor.add("orders", lanes.step)
    supervisor.start()
    return lanes


def test_row_32_entries_that_hang_block_neither_the_way_out_nor_another_account() -> None:
    supervisor, calls = Supervisor(), Calls()
    lanes = lanes_of(supervisor, calls)
    try:
        for number in range(5):
            lanes.send(intent(number), strategy_id=1)
        assert calls.entered.acquire(timeout=SOON_S)
        assert calls.entered.acquire(timeout=SOON_S)
        lanes.send(intent(1000), strategy_id=1)
        assert calls.exited.wait(SOON_S)
        lanes.send(intent(7, account_id=4), strategy_id=1)
        assert calls.entered.acquire(timeout=SOON_S), "another account's lane is its own"
        assert lanes.waiting() == {3: 3, 4: 0}
    finally:
        calls.release.set()
        supervisor.stop()


def test_what_is_lacking_is_fetched_by_a_worker_and_then_sent_once() -> None:
    supervisor, calls = Supervisor(), Calls(lacking=[1])
    calls.release.set()
    lanes = lanes_of(supervisor, calls)
    try:
        lanes.send(intent(1), strategy_id=1)
        assert calls.recorded.acquire(timeout=SOON_S)
        assert calls.fetched == [1]
        assert calls.batches == [[1], [1]]
        assert calls.answers == {1: ACK}
    finally:
        supervisor.stop()


def test_orders_of_all_accounts_are_claimed_together() -> None:
    supervisor, calls = Supervisor(), Calls()
    lanes = Lanes(supervisor, HandClock(), calls, modify=calls.cancel, paces=lambda: PACES, workers=4)
    for number in range(1, 101):
        lanes.send(intent(number, account_id=number), strategy_id=1)
    lanes.step()
    assert [len(batch) for batch in calls.batches] == [AT_ONCE, 100 - AT_ONCE]


def test_an_answer_waits_a_moment_for_others_under_way_and_no_longer() -> None:
    clock, supervisor, calls = HandClock(), Supervisor(), Calls()
    lanes = lanes_at(clock, supervisor, calls, 2)
    try:
        lanes.send(intent(1), strategy_id=1)
        assert calls.entered.acquire(timeout=SOON_S)
        lanes.send(intent(1000), strategy_id=1)
        assert calls.exited.wait(SOON_S)
        assert calls.answers == {}, "an entry hangs: its answer could come with this one"
        clock.second += GATHER_S
        assert calls.recorded.acquire(timeout=SOON_S)
        assert calls.answers == {1000: ACK}
        calls.release.set()
        assert calls.recorded.acquire(timeout=SOON_S), "the last one waits for nobody"
        assert calls.answers == {1: ACK, 1000: ACK}
    finally:
        calls.release.set()
        supervisor.stop()


def test_a_claim_waits_for_no_answers_to_be_written_and_one_that_crashes_keeps_none_from_it() -> None:
    supervisor, calls, clock = Supervisor(), Calls(), HandClock()
    calls.release.set()
    lanes = Lanes(supervisor, clock, calls, modify=calls.cancel, paces=lambda: PACES, workers=4)
    lanes.send(intent(1), strategy_id=1)
    lanes.step()
    supervisor.start()
    assert calls.entered.acquire(timeout=SOON_S)
    assert supervisor.stop() == []
    lanes.send(intent(1000), strategy_id=1)
    lanes.step()
    assert calls.order == ["claim", "claim", "record"]

    def crash(_ids: Sequence[int]) -> Claims:
        raise RuntimeError("a bug")

    calls.claim = crash  # type: ignore[assignment, method-assign]
    lanes.send(intent(1001), strategy_id=1)
    lanes._answers.append((JobMaker()(2), ACK))
    with pytest.raises(RuntimeError):
        lanes.step()
    assert calls.answers == {1: ACK, 2: ACK}


def test_what_a_stopped_engine_claimed_and_nobody_began_was_not_sent_and_what_was_answered_is_recorded() -> None:
    supervisor, calls = Supervisor(), Calls()
    calls.release.set()
    lanes = Lanes(supervisor, HandClock(), calls, modify=calls.cancel, paces=lambda: PACES, workers=4)
    lanes.send(intent(1), strategy_id=1)
    lanes.step()  # claimed and handed over; no worker ever runs
    lanes._answers.append((JobMaker()(2), ACK))
    lanes.finish()
    assert calls.answers == {1: STOPPED, 2: ACK}
    supervisor.start()
    assert supervisor.stop() == []
    assert not calls.entered.acquire(blocking=False), "a worker that wakes late finds nothing to send"
