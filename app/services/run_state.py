"""What a run's rows say together: for each account its executions, their intents and the fills they got."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.domain.contracts import Contract, ContractKey, Kind, Side
from app.domain.money import Units
from app.domain.orders import OPEN, IntentState, Purpose
from app.domain.positions import Fill, PositionState, fold
from app.persistence.tables import FillRow, Intent, StrategyExecution

_EXECUTIONS = (
    select(StrategyExecution)
    .where(StrategyExecution.run_id == bindparam("run_id"))
    .order_by(StrategyExecution.account_id, StrategyExecution.leg)
)
_INTENTS = select(Intent).where(Intent.run_id == bindparam("run_id")).order_by(Intent.id)
_INTENTS_TO_WRITE = _INTENTS.with_for_update(key_share=True)
_FILLS = select(FillRow).where(FillRow.execution_id.in_(bindparam("ids", expanding=True))).order_by(FillRow.id)


@dataclass(slots=True)
class ExecutionState:
    """One leg in one account. `position` is folded from all its fills, `entry` from those of its entry alone."""

    row: StrategyExecution
    intents: list[Intent]
    position: PositionState
    entry: PositionState
    filled_by_intent: dict[int, int]

    @property
    def net(self) -> int:
        """Signed units held: + long, - short."""
        return self.position.units

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
        return [i for i in self.intents if purpose in {None, i.purpose} and IntentState(i.state) in OPEN]

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
    def rested_exits(self) -> int:
        """Generations of the exit that stood in the market and did not fill."""
        gone = (i for i in self.of(Purpose.EXIT) if i.state == IntentState.CANCELLED and i.sent_at is not None)
        return len({i.generation for i in gone})

    @property
    def entry_open(self) -> bool:
        return bool(self.open_intents(Purpose.ENTRY))

    @property
    def entered(self) -> int:
        """Units that entry fills brought, unsigned."""
        return sum(self.filled_by_intent.get(i.id, 0) for i in self.of(Purpose.ENTRY))

    @property
    def entry_average(self) -> Decimal | None:
        """Average price of the entry fills; None before the first."""
        return self.entry.average

    @property
    def generation(self) -> dict[Purpose, int]:
        """The newest generation of each purpose; 0 when there is none."""
        return {p: max((i.generation for i in self.of(p)), default=0) for p in Purpose}


@dataclass(slots=True)
class AccountState:
    """An account's part in a run, and what the desks decided to send and cancel now."""

    account_id: int
    executions: list[ExecutionState]
    to_send: list[Intent] = field(default_factory=list)
    to_cancel: list[Intent] = field(default_factory=list)

    def is_exit(self, intent: Intent) -> bool:
        return intent.purpose == Purpose.EXIT


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
    session: Session, run_id: int, *, only: Collection[int] | None = None, to_write: bool = False
) -> list[AccountState]:
    """Accounts of the run, all or `only` these, in order of id, with their executions in order of leg.

    `to_write` locks the intents, so that what a lane or the books say of them meanwhile is not written over.
    """
    mine, theirs = _EXECUTIONS, _INTENTS_TO_WRITE if to_write else _INTENTS
    if only is not None:
        mine = mine.where(StrategyExecution.account_id.in_(only))
        theirs = theirs.where(Intent.account_id.in_(only))
    rows = session.scalars(mine, {"run_id": run_id}).all()
    intents: dict[int, list[Intent]] = {}
    for intent in session.scalars(theirs, {"run_id": run_id}):
        intents.setdefault(intent.execution_id, []).append(intent)
    fills: dict[int, list[FillRow]] = {}
    wanted = [row.id for row in rows]
    for fill in session.scalars(_FILLS, {"ids": wanted}):
        fills.setdefault(fill.execution_id, []).append(fill)
    accounts: dict[int, AccountState] = {}
    for row in rows:
        account = accounts.setdefault(row.account_id, AccountState(row.account_id, []))
        account.executions.append(_execution(row, intents.get(row.id, []), fills.get(row.id, [])))
    return list(accounts.values())


def _execution(row: StrategyExecution, intents: list[Intent], fills: list[FillRow]) -> ExecutionState:
    filled: dict[int, int] = {}
    for fill in fills:
        filled[fill.intent_id] = filled.get(fill.intent_id, 0) + fill.units
    entry = [fill for fill in fills if fill.side == row.side]
    return ExecutionState(row, intents, fold(as_fills(fills)), fold(as_fills(entry)), filled)


def as_fills(rows: list[FillRow]) -> list[Fill]:
    return [Fill(row.order_id, Side(row.side), Units(row.units), row.price, row.at) for row in rows]
