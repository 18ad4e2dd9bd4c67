"""What the trading states say of an entry: asked at preview, at the start of a run, and inside each claim."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.domain.errors import Denied
from app.domain.trading_states import Scope, TradingState, effective
from app.persistence.locking import turn_switch, watch_switch
from app.persistence.tables import TradingStateRow

EVERYTHING = 0
"""The `scope_id` of the scope ALL."""

CODES = {TradingState.HALTED: "TRADING_HALTED", TradingState.REDUCE_ONLY: "REDUCE_ONLY"}
"""Why an entry is denied; neither passes by itself, so it does not wait."""

_WHOSE = {
    Scope.ALL: "for everything",
    Scope.USER: "for the runs of this user",
    Scope.ACCOUNT: "in this account",
    Scope.STRATEGY: "for this strategy",
}
_WHAT = {TradingState.HALTED: "Trading is halted", TradingState.REDUCE_ONLY: "Only exits are sent"}


@dataclass(frozen=True, slots=True)
class Standing:
    """One state that was set and is not ACTIVE. `at` is real time."""

    scope: Scope
    scope_id: int
    state: TradingState
    actor: str
    at: datetime
    why: str
    user_id: int | None

    @property
    def sentence(self) -> str:
        """For the trader whose entry it stops."""
        return (
            f"{_WHAT[self.state]} {_WHOSE[self.scope]}, by {self.actor}: "
            f"{self.why.rstrip('.')}. Nothing new is begun until that is released; exits go on."
        )


def refuse_entry(session: Session, *, user_id: int, account_id: int, strategy_id: int) -> None:
    """Raises Denied when no entry may go. In a transaction the answer stays true until that ends."""
    watch_switch(session)
    found = _against(session, user_id=user_id, account_id=account_id, strategy_id=strategy_id)
    if found is not None:
        raise Denied(CODES[found.state], found.sentence)


def refuse_start(session: Session, *, user_id: int, strategy_id: int, accounts: Mapping[int, str]) -> None:
    """Raises Denied when any of these accounts, named by id, takes no entries of this run."""
    watch_switch(session)
    for account_id, name in accounts.items():
        found = _against(session, user_id=user_id, account_id=account_id, strategy_id=strategy_id)
        if found is not None:
            who = f"{name}: " if found.scope is Scope.ACCOUNT else ""
            raise Denied(CODES[found.state], f"{who}{found.sentence}")


def standings(session: Session) -> list[Standing]:
    """Every state that is not ACTIVE, the widest scope first."""
    rows = session.scalars(
        select(TradingStateRow)
        .where(TradingStateRow.state != TradingState.ACTIVE.value)
        .order_by(TradingStateRow.scope_id, TradingStateRow.id)
    )
    order = list(Scope)
    return sorted((_standing(row) for row in rows), key=lambda each: order.index(each.scope))


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


def _against(session: Session, *, user_id: int, account_id: int, strategy_id: int) -> Standing | None:
    """The strictest state that applies; None when that is ACTIVE."""
    ids = {
        Scope.ALL: EVERYTHING,
        Scope.USER: user_id,
        Scope.ACCOUNT: account_id,
        Scope.STRATEGY: strategy_id,
    }
    applies = or_(
        *(
            and_(TradingStateRow.scope == scope.value, TradingStateRow.scope_id == number)
            for scope, number in ids.items()
        )
    )
    found = [_standing(row) for row in session.scalars(select(TradingStateRow).where(applies))]
    state = effective(each.state for each in found)
    if state is TradingState.ACTIVE:
        return None
    return next(each for each in found if each.state is state)


def _standing(row: TradingStateRow) -> Standing:
    return Standing(Scope(row.scope), row.scope_id, TradingState(row.state), row.actor, row.at, row.why, row.user_id)
