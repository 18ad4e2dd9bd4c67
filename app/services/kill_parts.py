"""Which runs a use of the kill switch gets out of, as its command keeps them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.trading_states import Scope
from app.persistence.tables import Run, StrategyExecution
from app.services.group_facts import groups_in

GOING = ("REQUESTED", "ENTERING", "OPEN", "EXITING", "ATTENTION")
"""States of a run that the switch ends. One that was only asked for is refused before anything is sent."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run, or (`account_id`) what it has in one account."""

    run_id: int
    account_id: int | None


def parts_in(session: Session, scope: Scope, scope_id: int) -> list[Part]:
    """What lives in the scope now. A run that an account's halt keeps from starting is refused when it starts."""
    if scope is Scope.ACCOUNT:
        return _in_accounts(session, {scope_id})
    if scope is Scope.GROUP:
        return _in_accounts(session, {each for group in groups_in(session, ids=[scope_id]) for each in group.members})
    wanted = select(Run.id).where(Run.state.in_(GOING)).order_by(Run.id)
    if scope is Scope.USER:
        wanted = wanted.where(Run.user_id == scope_id)
    elif scope is Scope.STRATEGY:
        wanted = wanted.where(Run.strategy_id == scope_id)
    return [Part(run_id, None) for run_id in session.scalars(wanted)]


def _in_accounts(session: Session, accounts: Collection[int]) -> list[Part]:
    """What living runs have in each of these accounts."""
    theirs = (
        select(StrategyExecution.run_id, StrategyExecution.account_id)
        .join(Run, Run.id == StrategyExecution.run_id)
        .where(StrategyExecution.account_id.in_(accounts), Run.state.in_(GOING))
        .order_by(StrategyExecution.run_id, StrategyExecution.account_id)
    )
    return [Part(run_id, account_id) for run_id, account_id in session.execute(theirs.distinct())]


def stored(parts: list[Part]) -> list[list[int | None]]:
    """As the command's payload holds them."""
    return [[part.run_id, part.account_id] for part in parts]


def parts_of(payload: Mapping[str, object]) -> tuple[Part, ...] | None:
    """None while the engine has not taken the command."""
    kept = payload.get("parts")
    if not isinstance(kept, list):
        return None
    return tuple(Part(run_id, account_id) for run_id, account_id in kept)


def moment_of(payload: Mapping[str, object], name: str) -> datetime | None:
    """A moment that was written with `isoformat`; None when it has not come."""
    kept = payload.get(name)
    return datetime.fromisoformat(kept) if isinstance(kept, str) else None
