"""What a run's rows say together: for each account its executions, their intents and the fills they got."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.orm import Session

from app.domain import refusals as texts
from app.domain.contracts import Contract, ContractKey, Kind, Side
from app.domain.money import Units
from app.domain.orders import OPEN, IntentState, Purpose, move
from app.domain.positions import Fill, PositionState, fold, settled
from app.persistence.plain import Columns, PlainRows, RowIsPlain
from app.persistence.tables import PUSHED, FillRow, Intent, StrategyExecution
from app.services.doubt import Unowned, nothing_unowned
from app.services.holdings import Holdings
from app.services.settled_at import settled_at

_OPEN = frozenset(state.value for state in OPEN)

_ACCOUNTS: BindParameter[int] = bindparam("accounts", expanding=True)


class Rows(Enum):
    """What executions and intents of a run are loaded as. Those of WRITABLE and LOCKED are locked until the end, so
    that what a lane or the books say of an intent meanwhile is not written over.
    """

    PLAIN = "to be read"
    LOCKED = "to be read, and new ones written by what they say: who changes one of them gets RowIsPlain"
    WRITABLE = "to be changed"


def plain_first(decide: Callable[[Rows], None]) -> None:
    """Decide on plain rows, since hardly ever one that is there is changed, and all over again where one is."""
    try:
        decide(Rows.LOCKED)
    except RowIsPlain:
        decide(Rows.WRITABLE)


_Narrow = Callable[[Select[Any], Columns], Select[Any]]


def _executions(*, all_of_run: bool) -> _Narrow:
    def narrow(query: Select[Any], c: Columns) -> Select[Any]:
        mine = query.where(c.run_id == bindparam("run_id")).order_by(c.account_id, c.leg)
        return mine if all_of_run else mine.where(c.account_id.in_(_ACCOUNTS))

    return narrow


def _intents(*, all_of_run: bool, locked: bool) -> _Narrow:
    def narrow(query: Select[Any], c: Columns) -> Select[Any]:
        mine = query.where(c.run_id == bindparam("run_id")).order_by(c.id)
        mine = mine if all_of_run else mine.where(c.account_id.in_(_ACCOUNTS))
        return mine.with_for_update(key_share=True) if locked else mine

    return narrow


# Made once: making a query takes longer than asking it.
_EACH = (True, False)
_EXECUTIONS = {
    every: _executions(all_of_run=every)(select(StrategyExecution), StrategyExecution.__table__.c) for every in _EACH
}
_INTENTS = {every: _intents(all_of_run=every, locked=True)(select(Intent), Intent.__table__.c) for every in _EACH}
_PLAIN_EXECUTIONS = {every: PlainRows(StrategyExecution, _executions(all_of_run=every)) for every in _EACH}
_PLAIN_INTENTS = {
    (every, locked): PlainRows(Intent, _intents(all_of_run=every, locked=locked)) for every in _EACH for locked in _EACH
}
_FILLS = PlainRows(
    FillRow, lambda query, c: query.where(c.execution_id.in_(bindparam("ids", expanding=True))).order_by(c.id)
)


@dataclass(slots=True)
class ExecutionState:
    """One leg in one account. `position` is folded from all its fills, `entry` from those of its entry alone.

    `settlement` is what one unit was settled at when its contract expired, None while nobody has typed that; `expired`
    are the signed units that were held then, which `position` counts until it is known.

    `ahead` are units that were pushed as filled and that the books do not show yet; `adopted` those that no order of
    ours brought.
    """

    row: StrategyExecution
    intents: list[Intent]
    position: PositionState
    entry: PositionState
    filled_by_intent: dict[int, int]
    ahead: int = 0
    adopted: int = 0
    settlement: Decimal | None = None
    expired: int = 0

    @property
    def net(self) -> int:
        """Signed units held: + long, - short. None of a contract that has expired: nobody can trade them any more."""
        return Units(0) if self.row.expired_at is not None else self.position.units

    @property
    def settled_by_exchange(self) -> bool:
        """Units were held when the contract expired: what they brought is known once somebody has typed it."""
        return bool(self.expired)

    @property
    def side(self) -> Side:
        return Side(self.row.side)

    @property
    def key(self) -> ContractKey:
        return ContractKey(self.row.exchange, self.row.symbol)

    def of(self, purpose: Purpose) -> list[Intent]:
        return [intent for intent in self.intents if intent.purpose == purpose]

    def open_intents(self, purpose: Purpose | None = None) -> list[Intent]:
        """Intents whose units may still change hands."""
        return [i for i in self.intents if i.state in _OPEN and purpose in {None, i.purpose}]

    @property
    def exits_under_way(self) -> list[Intent]:
        """Exits whose end a new one has to wait for: not those that a person has set aside."""
        return [intent for intent in self.open_intents(Purpose.EXIT) if intent.set_aside_at is None]

    @property
    def is_moving(self) -> bool:
        """True while units may still change hands, or have and their trades are yet to be read."""
        return bool(self.open_intents()) or any(self.is_late(intent) for intent in self.intents)

    def is_late(self, intent: Intent) -> bool:
        """The broker says filled, and not all of its trades are in the trade book yet."""
        return intent.state == IntentState.FILLED and self.filled_by_intent.get(intent.id, 0) < intent.units

    @property
    def crossed(self) -> bool:
        """True when more was closed than was ever opened: what is held has the sign it never should have."""
        return self.net * self.side.sign < 0

    @property
    def given_away(self) -> int:
        """Steps of price that the next exit gives away: one for each generation that stood in the market and did not
        fill, or was refused for its price. Refusals for anything else say nothing about the price.
        """
        gone = (i for i in self.of(Purpose.EXIT) if i.sent_at is not None and _says_price(i))
        return len({i.generation for i in gone})

    @property
    def entry_open(self) -> bool:
        return bool(self.open_intents(Purpose.ENTRY))

    @property
    def entered(self) -> int:
        """Units that entry fills brought or that were adopted, unsigned."""
        return self.adopted + sum(self.filled_by_intent.get(i.id, 0) for i in self.of(Purpose.ENTRY))

    @property
    def entry_average(self) -> Decimal | None:
        """Average price of the entry fills; None before the first."""
        return self.entry.average

    def generation(self, purpose: Purpose) -> int:
        """The newest of that purpose; 0 when there is none."""
        return max((intent.generation for intent in self.intents if intent.purpose == purpose), default=0)


@dataclass(slots=True)
class AccountState:
    """An account's part in a run, and what the desks decided to send and cancel now."""

    account_id: int
    executions: list[ExecutionState]
    holdings: Holdings
    to_send: list[Intent] = field(default_factory=list)
    to_cancel: list[Intent] = field(default_factory=list)
    to_modify: list[Intent] = field(default_factory=list)

    def is_exit(self, intent: Intent) -> bool:
        return intent.purpose == Purpose.EXIT


def _says_price(exit_: Intent) -> bool:
    refused = exit_.state == IntentState.REJECTED and texts.is_about_price(exit_.reason or "")
    return refused or exit_.state == IntentState.CANCELLED


def drop_unsent(intents: list[Intent], now: datetime, why: str) -> None:
    """Intents that were never sent are cancelled here, without a word to the broker."""
    for intent in intents:
        if intent.state == IntentState.READY:
            intent.state = move(IntentState.READY, IntentState.CANCELLED).value
            intent.reason, intent.settled_at = why, now


def contract_of(row: StrategyExecution) -> Contract:
    """The contract an execution trades, rebuilt from its own row."""
    return Contract(
        key=ContractKey(row.exchange, row.symbol),
        underlying=row.underlying,
        kind=Kind(row.kind),
        expiry=date.fromisoformat(row.expiry),
        strike=row.strike,
        lot_size=row.lot_size,
        tick=row.tick,
        freeze=None,
    )


def load_accounts(
    session: Session,
    run_id: int,
    *,
    only: Collection[int] | None = None,
    rows: Rows = Rows.PLAIN,
    unowned: Unowned = nothing_unowned,
) -> list[AccountState]:
    """Accounts of the run, all or `only` these, in order of id, with their executions in order of leg.

    `unowned` are orders that exits have to leave room for.
    """
    which: dict[str, object] = {"run_id": run_id}
    if only is not None:
        which["accounts"] = sorted(only)
    executions, of_run = _loaded(session, which, rows, all_of_run=only is None)
    intents: dict[int, list[Intent]] = defaultdict(list)
    for intent in of_run:
        intents[intent.execution_id].append(intent)
    fills: dict[int, list[FillRow]] = defaultdict(list)
    for fill in _FILLS.read(session, {"ids": [row.id for row in executions]}):
        fills[fill.execution_id].append(fill)
    prices = settled_at(session, executions)
    accounts: dict[int, AccountState] = {}
    holdings = Holdings(session, {row.account_id for row in executions}, unowned)
    for row in executions:
        account = accounts.setdefault(row.account_id, AccountState(row.account_id, [], holdings))
        execution = _execution(row, intents[row.id], fills[row.id], prices.get(row.id))
        account.executions.append(execution)
    return list(accounts.values())


def _loaded(
    session: Session, which: dict[str, object], rows: Rows, *, all_of_run: bool
) -> tuple[Sequence[StrategyExecution], Sequence[Intent]]:
    if rows is Rows.WRITABLE:
        executions = session.scalars(_EXECUTIONS[all_of_run], which).all()
        return executions, session.scalars(_INTENTS[all_of_run], which).all()
    plain = _PLAIN_EXECUTIONS[all_of_run].read(session, which)
    return plain, _PLAIN_INTENTS[all_of_run, rows is Rows.LOCKED].read(session, which)


def _execution(
    row: StrategyExecution, intents: list[Intent], fills: list[FillRow], settlement: Decimal | None
) -> ExecutionState:
    filled: dict[int, int] = {}
    for fill in fills:
        if fill.intent_id is not None:
            filled[fill.intent_id] = filled.get(fill.intent_id, 0) + fill.units
    entry = [fill for fill in fills if fill.side == row.side]
    ahead = sum(fill.units for fill in fills if fill.traded_at == PUSHED)
    adopted = sum(fill.units for fill in fills if fill.adoption_id is not None)
    position, ours = fold(as_fills(fills)), fold(as_fills(entry))
    if row.expired_at is None:
        return ExecutionState(row, intents, position, ours, filled, ahead, adopted)
    held = position.units
    if settlement is not None:
        position = settled(position, settlement)
    return ExecutionState(row, intents, position, ours, filled, ahead, adopted, settlement, held)


def as_fills(rows: list[FillRow]) -> list[Fill]:
    return [Fill(row.order_id, Side(row.side), Units(row.units), row.price, row.at) for row in rows]
