"""The product with one of its rules taken out, each the mistake that some desk has made: the checker must notice.

Three that schedules are too coarse for are found out one by one: books read by a former engine that are believed
(tests/unit/services/test_settlement.py, "under an old epoch"), a final word that counts when it is read first
(test_bled_words.py) and a book that lost ids and is taken for clean (tests of row 9).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.domain import gate, pnl, reconcile
from app.domain.adoption import Adoptable, AverageFrom
from app.domain.orders import IntentState, OrderRequest
from app.domain.outcomes import Outcome, Verdict
from app.domain.plan import Mode
from app.domain.reconcile import Finding, QuietWindows, UnknownIntent, Wait
from app.engine.governor import Governor
from app.persistence.direct import Change
from app.persistence.tables import Intent, RunEvent
from app.services import adoption, claim_facts, claims, exits, order_desk, settling
from app.services.journal import Journal
from app.services.kill_switch import KillSwitch, Target
from app.services.order_desk import OrderDesk
from app.services.reconciler import Reconciler
from app.services.world import World
from tests.chaos.watched_broker import WatchedBroker
from tests.unit.services.pretend_broker import PRICE


def _unknown_is_taken_for_not_sent(patch: pytest.MonkeyPatch) -> None:
    place = WatchedBroker.place

    def sure(broker: WatchedBroker, request: OrderRequest, *, expected: Mode) -> Outcome:
        outcome = place(broker, request, expected=expected)
        unknown = outcome.verdict in {Verdict.UNKNOWN_OPEN, Verdict.UNKNOWN_ANSWERED}
        return replace(outcome, verdict=Verdict.NOT_SENT) if unknown else outcome

    patch.setattr(WatchedBroker, "place", sure)


def _old_epochs_still_claim(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claim_facts, "leads", lambda _session, _epoch: True)
    patch.setattr(claims, "_CLAIM_WHILE_LEADING", {False: Change(claims._CLAIM)})


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


def _what_is_found_is_claimed_late(patch: pytest.MonkeyPatch) -> None:
    match = reconcile.match_slices

    def late(intents: Sequence[UnknownIntent], *books: Any, **known: Any) -> tuple[Finding, ...]:
        if all(each.is_quiet_over for each in intents):
            return match(intents, *books, **known)
        return (Wait("An order may still appear."),) * len(intents)

    patch.setattr(settling, "match_slices", late)


def _events_are_written_over(patch: pytest.MonkeyPatch) -> None:
    note = Journal.note

    def tidy(journal: Journal, session: Session, run_id: int, kind: str, *words: Any) -> None:
        session.execute(update(RunEvent).where(RunEvent.run_id == run_id, RunEvent.kind == kind).values(sentence="-"))
        note(journal, session, run_id, kind, *words)

    patch.setattr(Journal, "note", tidy)


def _what_was_typed_is_kept(patch: pytest.MonkeyPatch) -> None:
    release = KillSwitch.release

    def telling(switch: KillSwitch, target: Target, *, actor: Any, password: str, address: str) -> None:
        release(switch, target, actor=actor, password=password, address=address)
        with switch._database.transaction() as session:
            switch._record(session, actor, "kill.release", target, f"Released by {password}.")

    patch.setattr(KillSwitch, "release", telling)


def _nobody_keeps_the_pace(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Governor, "take", lambda *_: 0.0)
    patch.setattr(Governor, "call", lambda *_: None)


def _old_prices_are_good(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pnl, "_is_fresh", lambda mark, _max_age_s: mark.value > 0)


def _more_is_adopted_than_is_foreign(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(adoption, "adopt", lambda _at, *, units, **_: Adoptable(2 * units, PRICE, AverageFrom.TYPED))


def _cancels_ask_for_no_lease(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(order_desk, "leads", lambda _session, _epoch: True)


def _a_cancel_is_settled_by_its_answer(patch: pytest.MonkeyPatch) -> None:
    cancel = OrderDesk.cancel

    def settled(desk: OrderDesk, intent_id: int) -> None:
        cancel(desk, intent_id)
        with desk._database.transaction() as session:
            intent = session.get_one(Intent, intent_id)
            if intent.state == IntentState.WORKING and intent.cancel_asked_at is not None:
                intent.state, intent.settled_at = IntentState.CANCELLED.value, desk._clock.now()

    patch.setattr(OrderDesk, "cancel", settled)


def _nothing_is_recovered(patch: pytest.MonkeyPatch) -> None:
    def leave(reconciler: Reconciler, epoch: int) -> int:
        reconciler._settlement.epoch = epoch
        return 0

    patch.setattr(Reconciler, "recover", leave)


@dataclass(frozen=True)
class Mutant:
    """`breaks`: invariants of which one must be seen to break, by a schedule from `first_seed` on."""

    takes_out: Callable[[pytest.MonkeyPatch], None]
    breaks: frozenset[str]
    first_seed: int = 1


HARM = frozenset({"I1", "I2", "I5", "I8"})

MUTANTS = {
    "unknown is taken for not sent": Mutant(_unknown_is_taken_for_not_sent, HARM),
    "old epochs still claim": Mutant(_old_epochs_still_claim, frozenset({"I3"}), first_seed=12),
    "exits have no cap": Mutant(_exits_have_no_cap, frozenset({"I2"}), first_seed=6),
    "no order ids are kept before a send": Mutant(_no_ids_are_kept_before_a_send, HARM, first_seed=20),
    "nothing is waited for": Mutant(_nothing_is_waited_for, HARM, first_seed=37),
    "exits do not wait for the first books": Mutant(_exits_do_not_wait_for_the_first_books, HARM, first_seed=21),
    "the kill switch is not asked": Mutant(_the_kill_switch_is_not_asked, frozenset({"I4"}), first_seed=23),
    "what is found is claimed late": Mutant(_what_is_found_is_claimed_late, frozenset({"I5"}), first_seed=5),
    "events are written over": Mutant(_events_are_written_over, frozenset({"I9"})),
    "what was typed is kept": Mutant(_what_was_typed_is_kept, frozenset({"I10"}), first_seed=30),
    "nobody keeps the pace": Mutant(_nobody_keeps_the_pace, frozenset({"I11"}), first_seed=3),
    "old prices are good": Mutant(_old_prices_are_good, frozenset({"I12"}), first_seed=9),
    "more is adopted than is foreign": Mutant(_more_is_adopted_than_is_foreign, HARM, first_seed=5),
    "cancels ask for no lease": Mutant(_cancels_ask_for_no_lease, frozenset({"I3"}), first_seed=33),
    "a cancel is settled by its answer": Mutant(_a_cancel_is_settled_by_its_answer, HARM, first_seed=14),
    "nothing is recovered": Mutant(_nothing_is_recovered, frozenset({"I6"}), first_seed=5),
}
