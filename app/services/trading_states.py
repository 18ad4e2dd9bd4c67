"""What the trading states say of an entry: asked at preview, at the start of a run, and inside each claim."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Denied
from app.domain.gate import STOPPED_BY
from app.domain.trading_states import Scope, TradingState, effective
from app.persistence.locking import turn_switch, watch_switch
from app.persistence.plain import PlainRows
from app.persistence.tables import TradingStateRow
from app.services.day_locks import in_force, refuse_locked
from app.services.group_facts import groups_in

EVERYTHING = 0
"""The `scope_id` of the scope ALL."""

_WHOSE = {
    Scope.ALL: "for everything",
    Scope.USER: "for the runs of this user",
    Scope.GROUP: "in the accounts of a group",
    Scope.ACCOUNT: "in this account",
    Scope.STRATEGY: "for this strategy",
}
_WHAT = {TradingState.HALTED: "Trading is halted", TradingState.REDUCE_ONLY: "Only exits are sent"}

_STANDING = PlainRows(
    TradingStateRow, lambda query, c: query.where(c.state != TradingState.ACTIVE.value).order_by(c.scope_id, c.id)
)


@dataclass(frozen=True, slots=True)
class Standing:
    """One state that was set and is not ACTIVE. `at` is real time. `members` are the accounts of a group's state."""

    scope: Scope
    scope_id: int
    state: TradingState
    actor: str
    at: datetime
    why: str
    user_id: int | None
    members: frozenset[int] = frozenset()

    @property
    def sentence(self) -> str:
        """For the trader whose entry it stops."""
        return (
            f"{_WHAT[self.state]} {_WHOSE[self.scope]}, by {self.actor}: "
            f"{self.why.rstrip('.')}. Nothing new is begun until that is released; exits go on."
        )


def refuse_entry(session: Session, *, user_id: int, account_id: int, strategy_id: int | None) -> None:
    """Raises Denied when no entry may go. In a transaction the answer stays true until that ends."""
    watch_switch(session)
    found = _against(standings(session), user_id=user_id, account_id=account_id, strategy_id=strategy_id)
    if found is not None:
        raise Denied(STOPPED_BY[found.state], found.sentence)
    refuse_locked(in_force(session), account_id)


def refuse_start(session: Session, *, user_id: int, strategy_id: int | None, accounts: Mapping[int, str]) -> None:
    """Raises Denied when any of these accounts, named by id, takes no entries of this run."""
    watch_switch(session)
    standing = standings(session)
    locks = in_force(session)
    for account_id, name in accounts.items():
        found = _against(standing, user_id=user_id, account_id=account_id, strategy_id=strategy_id)
        if found is not None:
            who = f"{name}: " if found.scope in {Scope.ACCOUNT, Scope.GROUP} else ""
            raise Denied(STOPPED_BY[found.state], f"{who}{found.sentence}")
        refuse_locked(locks, account_id, name)


def standings(session: Session) -> list[Standing]:
    """Every state that is not ACTIVE, the widest scope first."""
    order = list(Scope)
    rows = _STANDING.read(session)
    stopped = [row.scope_id for row in rows if row.scope == Scope.GROUP.value]
    members = {group.id: group.members for group in groups_in(session, ids=stopped)} if stopped else {}
    return sorted((_standing(row, members) for row in rows), key=lambda each: order.index(each.scope))


def write_state(
    session: Session,
    scope: Scope,
    scope_id: int,
    state: TradingState,
    *,
    user_id: int | None,
    actor: str,
    at: datetime,
    why: str,
) -> TradingState:
    """Set the state; returns the one before. No claim under the old state is open any more when this returns."""
    turn_switch(session)
    row = session.scalars(
        select(TradingStateRow).where(TradingStateRow.scope == scope.value, TradingStateRow.scope_id == scope_id)
    ).one_or_none()
    before = TradingState.ACTIVE if row is None else TradingState(row.state)
    if row is None:
        row = TradingStateRow(scope=scope.value, scope_id=scope_id)
        session.add(row)
    row.state, row.user_id, row.actor, row.at, row.why = state.value, user_id, actor, at, why
    session.flush()
    return before


def strictest(of: Iterable[Standing], ids: Mapping[Scope, int | None]) -> Standing | None:
    """The strictest of them that applies to these ids (None: of no such thing); None: nothing holds entries back.

    That of a group applies to its accounts.
    """
    account = ids[Scope.ACCOUNT]
    found = [
        each
        for each in of
        if (account in each.members if each.scope is Scope.GROUP else ids[each.scope] == each.scope_id)
    ]
    state = effective(each.state for each in found)
    return next((each for each in found if each.state is state), None)


def _against(of: Iterable[Standing], *, user_id: int, account_id: int, strategy_id: int | None) -> Standing | None:
    ids: dict[Scope, int | None] = {
        Scope.ALL: EVERYTHING,
        Scope.USER: user_id,
        Scope.ACCOUNT: account_id,
        Scope.STRATEGY: strategy_id,
    }
    return strictest(of, ids)


def _standing(row: TradingStateRow, members: Mapping[int, frozenset[int]]) -> Standing:
    scope, state = Scope(row.scope), TradingState(row.state)
    of_group = members.get(row.scope_id, frozenset()) if scope is Scope.GROUP else frozenset()
    return Standing(scope, row.scope_id, state, row.actor, row.at, row.why, row.user_id, of_group)
