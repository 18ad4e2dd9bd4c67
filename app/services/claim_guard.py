"""What our own ledger says against a claim, asked inside the transaction that makes it."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from app.domain.contracts import Side
from app.domain.errors import Denied
from app.domain.orders import FINAL, OPEN, IntentState, Purpose
from app.persistence.tables import FillRow, Intent, Position, Run, StrategyExecution, TradingAccount
from app.services import trading_states

_OPEN = [state.value for state in OPEN if state is not IntentState.READY]
_FINAL = [state.value for state in FINAL]
_UNSETTLED = [IntentState.SENDING.value, IntentState.UNKNOWN.value]

# Made once: a claim asks most of these, and making a query takes longer than asking it.
_ALIKE = and_(
    Intent.account_id == bindparam("account_id"),
    Intent.exchange == bindparam("exchange"),
    Intent.symbol == bindparam("symbol"),
    Intent.product == bindparam("product"),
    Intent.side == bindparam("side"),
)
_ELSEWHERE = Intent.execution_id != bindparam("execution_id")
_ENTRY_ELSEWHERE = (
    select(Intent.id).where(_ALIKE, Intent.purpose == Purpose.ENTRY.value, Intent.state.in_(_OPEN), _ELSEWHERE).limit(1)
)
_UNSETTLED_ELSEWHERE = select(Intent.id).where(_ALIKE, _ELSEWHERE, Intent.state.in_(_UNSETTLED)).limit(1)
_NET = select(Position.net).where(
    Position.account_id == bindparam("account_id"),
    Position.exchange == bindparam("exchange"),
    Position.symbol == bindparam("symbol"),
    Position.product == bindparam("product"),
)


def _asked_and_filled(which: ColumnElement[bool]) -> Select[tuple[int, int]]:
    """Units of these intents, and how many of them filled."""
    filled = select(func.coalesce(func.sum(FillRow.units), 0)).join(Intent, Intent.id == FillRow.intent_id)
    asked = select(func.coalesce(func.sum(Intent.units), 0)).where(which)
    return asked.add_columns(filled.where(which).correlate(None).scalar_subquery())


_EXITS = and_(_ALIKE, Intent.purpose == Purpose.EXIT.value, Intent.state.in_(_OPEN))
_EXITS_ELSEWHERE = _asked_and_filled(and_(_EXITS, _ELSEWHERE))
_OTHER_EXITS = _asked_and_filled(and_(_EXITS, Intent.id != bindparam("intent_id")))
_ENTRIES_BESIDE = and_(
    Intent.execution_id == bindparam("execution_id"),
    Intent.purpose == Purpose.ENTRY.value,
    Intent.id != bindparam("intent_id"),
)
_ENTRIES_OPEN = _asked_and_filled(and_(_ENTRIES_BESIDE, Intent.state.in_(_OPEN)))
_ENTRIES_SENT = _asked_and_filled(and_(_ENTRIES_BESIDE, Intent.state.in_(_OPEN + _FINAL)))


def hold(session: Session, intent_id: int) -> Intent:
    """The intent and its account, locked until the transaction ends: claims of one account follow one another.

    Always the intent first: settling takes them in the same order.
    """
    intent = session.get_one(Intent, intent_id, with_for_update={"key_share": True})
    session.get_one(TradingAccount, intent.account_id, with_for_update={"key_share": True})
    return intent


def check(session: Session, intent: Intent) -> None:
    """Raises Denied when this intent must not be claimed beside what is under way already."""
    if intent.purpose == Purpose.ENTRY:
        _not_stopped(session, intent)
        _still_wanted(session, intent)
        _against_nothing(session, intent)
        _one_at_a_time(session, intent)
        _within_plan(session, intent)
    else:
        _within_net(session, intent)


def leaving_elsewhere(session: Session, execution: StrategyExecution) -> int:
    """Units of this execution's holding that exits of other executions may still take away."""
    alike = _alike(execution, Side(execution.side).opposite)
    return _unfilled(session, _EXITS_ELSEWHERE, {**alike, "execution_id": execution.id})


def _not_stopped(session: Session, intent: Intent) -> None:
    """After the kill switch is committed no entry is claimed any more: whoever sets a state waits for open claims."""
    run = session.get_one(Run, intent.run_id)
    trading_states.refuse_entry(session, user_id=run.user_id, account_id=intent.account_id, strategy_id=run.strategy_id)


def _still_wanted(session: Session, intent: Intent) -> None:
    """An exit that was asked for is known here before the executor takes back what the lanes have in hand."""
    execution = session.get_one(StrategyExecution, intent.execution_id, with_for_update={"read": True})
    if execution.exit_wanted:
        raise Denied("EXIT_WANTED", f"The exit came first: {execution.exit_wanted}")


def _against_nothing(session: Session, intent: Intent) -> None:
    """Two opposite positions in one contract are one net at the broker, and neither could be closed from it.

    A preview refuses that too, but the account may have traded since.
    """
    side = Side(intent.side)
    net = broker_net(session, intent)
    others = {**_alike(intent, side.opposite), "execution_id": intent.execution_id}
    if (net or 0) * side.sign < 0:
        raise Denied("OPPOSITE_EXPOSURE", f"The account holds {net:+d} units of {intent.symbol}; close those first.")
    if session.scalars(_ENTRY_ELSEWHERE, others).first() is not None:
        raise Denied("OPPOSITE_EXPOSURE", f"Another run is trading {intent.symbol} the other way in this account.")


def _one_at_a_time(session: Session, intent: Intent) -> None:
    """Two runs' orders that nobody could tell apart are never unresolved together."""
    others = {**_alike(intent, intent.side), "execution_id": intent.execution_id}
    if session.scalars(_UNSETTLED_ELSEWHERE, others).first() is not None:
        raise Denied("KEY_BUSY", f"Another run's order in {intent.symbol} is not settled yet; this one waits for it.")


def _within_plan(session: Session, intent: Intent) -> None:
    """What filled, what is under way and this together are never more than the execution is to have."""
    beside = {"execution_id": intent.execution_id, "intent_id": intent.id}
    under_way = _unfilled(session, _ENTRIES_OPEN, beside)
    entered = int(session.execute(_ENTRIES_SENT, beside).one()[1])
    wanted = session.get_one(StrategyExecution, intent.execution_id).units
    if entered + under_way + intent.units > wanted:
        raise Denied(
            "OVER_ENTRY", f"{entered} of {wanted} units of {intent.symbol} are in; {intent.units} more is too many."
        )


def _within_net(session: Session, intent: Intent) -> None:
    """All exits under way and this together are never more than the broker's net position."""
    net = broker_net(session, intent)
    if net is None:
        raise Denied("NET_UNREAD", f"The broker's position in {intent.symbol} has not been read; the exit waits.")
    if net * Side(intent.side).sign >= 0 or intent.units > abs(net):
        # The gate asked the same, but the books were read since then, and may have been waited for.
        raise Denied(
            "OVER_CLOSE", f"The broker's net position in {intent.symbol} is {net:+d}; {intent.units} is too many."
        )
    taken = _unfilled(session, _OTHER_EXITS, {**_alike(intent, intent.side), "intent_id": intent.id})
    if taken and intent.units + taken > abs(net):
        raise Denied(
            "EXITS_UNDER_WAY",
            f"{taken} of {abs(net)} units of {intent.symbol} are on their way out; the exit waits for them.",
        )


def broker_net(session: Session, of: Intent | StrategyExecution) -> int | None:
    """The broker's signed net in its contract and product as last read; None when it never was."""
    return session.scalars(_NET, _place(of)).one_or_none()


def _place(of: Intent | StrategyExecution) -> dict[str, object]:
    return {"account_id": of.account_id, "exchange": of.exchange, "symbol": of.symbol, "product": of.product}


def _alike(of: Intent | StrategyExecution, side: str) -> dict[str, object]:
    """Names intents of the same account, contract and product on this side."""
    return {**_place(of), "side": side}


def _unfilled(session: Session, query: Select[tuple[int, int]], which: Mapping[str, object]) -> int:
    asked, filled = session.execute(query, which).one()
    return max(0, int(asked) - int(filled))
