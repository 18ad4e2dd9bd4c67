"""What follows from a leg that cannot be had: a table of cases, and what holds for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.failure_policy import MOST_RETRIES, FailurePolicy, GroupPolicy, LegPolicy
from app.domain.integrity import Loss, LostOrder, Next, after, halved, loss_of
from app.domain.orders import IntentState
from app.domain.outcomes import Verdict

UNWIND, KEEP = FailurePolicy(), FailurePolicy(LegPolicy.KEEP)
TWICE = FailurePolicy(LegPolicy.RETRY, 2)
S, V = IntentState, Verdict
REJECTED = LostOrder(S.REJECTED, V.REJECTED, about_size=False)
REJECTED_LATER = LostOrder(S.REJECTED, V.ACK, about_size=False)
TOO_LARGE = LostOrder(S.REJECTED, V.REJECTED, about_size=True)

policies = st.builds(
    lambda leg, times, group: FailurePolicy(leg, times if leg is LegPolicy.RETRY else 0, group),
    st.sampled_from(LegPolicy),
    st.integers(1, MOST_RETRIES),
    st.sampled_from(GroupPolicy),
)
orders = st.builds(
    LostOrder, st.sampled_from(IntentState), st.none() | st.sampled_from(Verdict), about_size=st.booleans()
)


@pytest.mark.parametrize(
    ("lost", "loss"),
    [
        ([REJECTED], Loss.REJECTED),
        ([REJECTED_LATER], Loss.REJECTED),
        ([REJECTED, REJECTED_LATER], Loss.REJECTED),
        ([TOO_LARGE], Loss.TOO_LARGE),
        ([REJECTED, TOO_LARGE], Loss.TOO_LARGE),
        ([LostOrder(S.REJECTED, V.UNKNOWN_OPEN, about_size=False)], Loss.UNCERTAIN),
        ([LostOrder(S.REJECTED, None, about_size=False)], Loss.UNCERTAIN),
        ([LostOrder(S.NOT_SENT, V.UNKNOWN_OPEN, about_size=False), REJECTED], Loss.UNCERTAIN),
        ([LostOrder(S.NOT_SENT, V.NOT_SENT, about_size=False)], Loss.UNCERTAIN),
        ([LostOrder(S.DENIED, None, about_size=False)], Loss.UNCERTAIN),
        ([LostOrder(S.CANCELLED, V.ACK, about_size=False)], Loss.UNCERTAIN),
    ],
)
def test_the_least_certain_order_decides(lost: list[LostOrder], loss: Loss) -> None:
    assert loss_of(lost) is loss


def test_nothing_lost_is_no_loss() -> None:
    with pytest.raises(ValueError, match="No order"):
        loss_of([])


@pytest.mark.parametrize(
    ("loss", "policy", "retried", "halves", "then"),
    [
        (Loss.REJECTED, UNWIND, 0, False, Next.UNWIND),
        (Loss.REJECTED, KEEP, 0, False, Next.KEEP),
        (Loss.REJECTED, TWICE, 0, False, Next.SEND_REST),
        (Loss.REJECTED, TWICE, 1, False, Next.SEND_REST),
        (Loss.REJECTED, TWICE, 2, False, Next.UNWIND),
        (Loss.UNCERTAIN, TWICE, 0, False, Next.UNWIND),
        (Loss.UNCERTAIN, KEEP, 0, False, Next.KEEP),
        (Loss.TOO_LARGE, UNWIND, 0, True, Next.SEND_REST),
        (Loss.TOO_LARGE, KEEP, 0, True, Next.SEND_REST),
        (Loss.TOO_LARGE, UNWIND, 0, False, Next.UNWIND),
        (Loss.TOO_LARGE, TWICE, 1, False, Next.SEND_REST),
    ],
)
def test_what_follows(loss: Loss, policy: FailurePolicy, retried: int, halves: bool, then: Next) -> None:
    assert after(loss, policy, retried=retried, can_halve=halves) is then


@given(st.lists(orders, min_size=1, max_size=5), policies, st.integers(0, 9), st.booleans())
def test_after_an_unknown_outcome_nothing_is_sent_again(
    lost: list[LostOrder], policy: FailurePolicy, retried: int, halves: bool
) -> None:
    then = after(loss_of(lost), policy, retried=retried, can_halve=halves)
    if any(each.state is not S.REJECTED or each.verdict not in {V.ACK, V.REJECTED} for each in lost):
        assert then is not Next.SEND_REST


@given(policies, st.booleans())
def test_rejections_are_sent_again_as_often_as_chosen_and_no_more(policy: FailurePolicy, halves: bool) -> None:
    sent = 0
    while after(Loss.REJECTED, policy, retried=sent, can_halve=halves) is Next.SEND_REST:
        sent += 1
    assert sent == policy.retries


@given(st.sampled_from(Loss), policies, st.integers(0, 9), st.booleans())
def test_only_keep_keeps(loss: Loss, policy: FailurePolicy, retried: int, halves: bool) -> None:
    then = after(loss, policy, retried=retried, can_halve=halves)
    assert (then is Next.KEEP) <= (policy.leg is LegPolicy.KEEP)
    assert (then is Next.UNWIND) <= (policy.leg is not LegPolicy.KEEP)


@given(st.integers(1, 100), st.integers(1, 400))
def test_half_is_whole_lots_and_ends_at_one(lot: int, lots: int) -> None:
    units, steps = lot * lots, 0
    while units > lot:
        smaller = halved(units, lot)
        assert lot <= smaller < units
        assert smaller % lot == 0
        units, steps = smaller, steps + 1
    assert halved(units, lot) == units
    assert steps <= 9


@given(policies)
def test_every_policy_is_said_in_whole_sentences(policy: FailurePolicy) -> None:
    assert policy.words().endswith(".")
    assert policy.words().count(". ") == 1
