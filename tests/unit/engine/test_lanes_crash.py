"""A bug with one order of one account: no other is kept from its claim, and no other answer is lost."""

import contextlib
from collections.abc import Mapping, Sequence

import pytest

from app.domain.outcomes import Outcome
from app.engine.lanes import Lanes
from app.engine.supervisor import Supervisor
from app.services.claims import Claims
from tests.unit.engine.test_lanes import ACK, PACES, Calls, HandClock, JobMaker, intent


class OnePoisoned(Calls):
    """A bug, with one intent of one account: whatever it is claimed or recorded with crashes."""

    def claim(self, intent_ids: Sequence[int]) -> Claims:
        claims = super().claim(intent_ids)
        if 5 in intent_ids:
            raise ZeroDivisionError("a bug")
        return claims

    def record(self, answers: Mapping[int, Outcome]) -> None:
        if 5 in answers:
            raise ZeroDivisionError("a bug")
        super().record(answers)


def test_one_intent_that_crashes_its_claim_keeps_no_other_from_going() -> None:
    supervisor, calls = Supervisor(), OnePoisoned()
    lanes = Lanes(supervisor, HandClock(), calls, modify=calls.cancel, paces=lambda: PACES, workers=4)
    intents = [intent(number, account_id=number) for number in (5, 1001, 1002)]
    for _ in range(3):  # the executor asks again for what is READY still
        for each in intents:
            lanes.send(each, strategy_id=1)
        with pytest.raises(ZeroDivisionError):
            lanes.step()
        gone = {number for batch in calls.batches for number in batch if 5 not in batch}
        intents = [each for each in intents if each.id not in gone]
    assert [each.id for each in intents] == [5]
    lanes.send(intent(1003, account_id=3), strategy_id=1)
    lanes.step()
    assert calls.batches[-1] == [1003], "and what comes later never meets it"


def test_one_answer_that_cannot_be_recorded_takes_no_other_along() -> None:
    supervisor, calls = Supervisor(), OnePoisoned()
    lanes = Lanes(supervisor, HandClock(), calls, modify=calls.cancel, paces=lambda: PACES, workers=4)
    job = JobMaker()
    lanes._answers.extend((job(number), ACK) for number in (1, 5, 2))
    for _ in range(3):
        with contextlib.suppress(ZeroDivisionError):
            lanes.step()
    assert calls.answers == {1: ACK, 2: ACK}
    lanes._answers.extend((job(number), ACK) for number in (3, 4))
    lanes.step()
    assert calls.order[-1] == "record"
    assert calls.answers.keys() == {1, 2, 3, 4}
