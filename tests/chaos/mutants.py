"""The product with one of its rules taken out, each the mistake that some desk has made: the checker must notice."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from app.domain import gate
from app.domain.orders import OrderRequest
from app.domain.outcomes import Outcome, Verdict
from app.domain.plan import Mode
from app.domain.reconcile import QuietWindows
from app.services import claim_facts, claims, exits
from app.services.world import World
from tests.chaos.world import WatchedBroker


def _unknown_is_taken_for_not_sent(patch: pytest.MonkeyPatch) -> None:
    place = WatchedBroker.place

    def sure(broker: WatchedBroker, request: OrderRequest, *, expected: Mode) -> Outcome:
        outcome = place(broker, request, expected=expected)
        unknown = outcome.verdict in {Verdict.UNKNOWN_OPEN, Verdict.UNKNOWN_ANSWERED}
        return replace(outcome, verdict=Verdict.NOT_SENT) if unknown else outcome

    patch.setattr(WatchedBroker, "place", sure)


def _old_epochs_still_claim(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claim_facts, "leads", lambda _session, _epoch: True)
    patch.setattr(claims, "_CLAIM_WHILE_LEADING", {False: claims._CLAIM})


def _exits_have_no_cap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gate, "_closes", lambda *_: None)
    patch.setattr(exits, "_closable", lambda _account, execution: abs(execution.net))


def _the_kill_switch_is_not_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gate, "_stopped", lambda *_: None)


def _no_ids_are_kept_before_a_send(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claims.ClaimDesk, "_baseline", lambda *_, **__: claims._Baseline([], 0, weak=False))


def _nothing_is_waited_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(QuietWindows, "after", lambda *_: 0.0)


def _exits_do_not_wait_for_the_first_books(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(World, "outdated", lambda *_: frozenset())


@dataclass(frozen=True)
class Mutant:
    """`breaks`: invariants of which one must be seen to break, by a schedule from `first_seed` on."""

    takes_out: Callable[[pytest.MonkeyPatch], None]
    breaks: frozenset[str]
    first_seed: int = 1


HARM = frozenset({"I1", "I2", "I5", "I8"})

MUTANTS = {
    "unknown is taken for not sent": Mutant(_unknown_is_taken_for_not_sent, HARM, first_seed=7),
    "old epochs still claim": Mutant(_old_epochs_still_claim, frozenset({"I3"}), first_seed=27),
    "exits have no cap": Mutant(_exits_have_no_cap, frozenset({"I2"}), first_seed=3),
    "no order ids are kept before a send": Mutant(_no_ids_are_kept_before_a_send, HARM, first_seed=46),
    "nothing is waited for": Mutant(_nothing_is_waited_for, HARM, first_seed=32),
    "exits do not wait for the first books": Mutant(_exits_do_not_wait_for_the_first_books, HARM, first_seed=112),
    "the kill switch is not asked": Mutant(_the_kill_switch_is_not_asked, frozenset({"I4"}), first_seed=26),
}
