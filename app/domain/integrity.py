"""What follows from a leg that cannot be had, under the policy its trader chose."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.domain.failure_policy import FailurePolicy, LegPolicy
from app.domain.orders import IntentState
from app.domain.outcomes import Verdict


class Loss(StrEnum):
    """Why the newest orders of a leg did not fill, as far as it decides what follows.

    REJECTED   certainly refused by the broker, each of them. TOO_LARGE: refused, for their size.
    UNCERTAIN  everything else: denied by us, never arrived, ended without our asking.
    """

    REJECTED = "rejected"
    TOO_LARGE = "too large"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class LostOrder:
    """An order of a settled generation that ended unfilled without our asking. `verdict` None: nobody answered."""

    state: IntentState
    verdict: Verdict | None
    about_size: bool


_KNOWN = frozenset({Verdict.ACK, Verdict.REJECTED})
"""Answers after which an outcome never was unknown."""


def loss_of(orders: Iterable[LostOrder]) -> Loss:
    """What these lost orders of one leg are together; the least certain decides. Raises ValueError for none."""
    lost = list(orders)
    if not lost:
        raise ValueError("No order of this leg is lost.")
    if any(each.state is not IntentState.REJECTED or each.verdict not in _KNOWN for each in lost):
        return Loss.UNCERTAIN
    return Loss.TOO_LARGE if any(each.about_size for each in lost) else Loss.REJECTED


class Next(StrEnum):
    """SEND_REST: a new generation of what did not fill. The others are for good."""

    SEND_REST = "send rest"
    UNWIND = "unwind"
    KEEP = "keep"


def after(loss: Loss, policy: FailurePolicy, *, retried: int, can_halve: bool) -> Next:
    """What a leg's account does now.

    `retried` counts generations that were sent for a rejection before. `can_halve`: orders of half the size are still
    a lot at least. A size is not the trader's choice, so it is corrected under every policy, and counts as no retry.
    After an outcome that was ever unknown a machine sends no entry again.
    """
    if loss is Loss.TOO_LARGE and can_halve:
        return Next.SEND_REST
    if loss is not Loss.UNCERTAIN and policy.leg is LegPolicy.RETRY and retried < policy.retries:
        return Next.SEND_REST
    return Next.KEEP if policy.leg is LegPolicy.KEEP else Next.UNWIND


def halved(units: int, lot_size: int) -> int:
    """Half of an order that was too large, in whole lots; a lot at least, and never more than `units`.

    >>> halved(1755, 65), halved(130, 65), halved(65, 65)
    (845, 65, 65)
    """
    return max(units // 2 // lot_size * lot_size, min(lot_size, units))
