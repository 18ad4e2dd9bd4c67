"""The one calculation of what a run holds and what it is worth; pages, rules and events all show this."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from decimal import Decimal

from cachetools import LRUCache
from sqlalchemy import bindparam, select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from app.domain.contracts import Contract, ContractKey, Kind, Side
from app.domain.exit_rules import ExitRules
from app.domain.orders import IntentState, Purpose
from app.domain.pnl import HeldLeg, Mark, RunPnl, run_pnl, together
from app.domain.positions import PositionState
from app.domain.trailing import Floors
from app.persistence.database import Database
from app.persistence.direct import Question
from app.persistence.plain import PlainRows
from app.persistence.tables import AccountPeak, Intent, Run, StrategyExecution, TradingAccount
from app.ports.clock import Clock
from app.services import exit_rule_text, floor_text
from app.services.run_state import AccountState, ExecutionState, contract_of, load_accounts
from app.services.shown_prices import Prices
from app.services.typed_entries import is_chased

LIVING = ("ENTERING", "OPEN", "EXITING", "ATTENTION")
"""States of a run in which units may be held or change hands."""

KEPT_S = 2.0
"""How long a view is shown without reading it again: an engine in another process tells only its own."""

LED_KEPT_S = 30.0
"""The same beside the engine that leads: every change of a run is told to it, and a view of fifty accounts is dear."""

LIVING_KEPT_S = 0.5

MOST_KEPT = 256
"""Views kept at once; runs that nobody looks at any more make room."""

_NAMED = PlainRows(TradingAccount, lambda query, c: query.where(c.id.in_(bindparam("ids", expanding=True))))
_R, _E = Run.__table__.c, StrategyExecution.__table__.c
_RUN = PlainRows(Run, lambda query, c: query.where(c.id == bindparam("run_id")))
_LIVING = Question(select(_R.id).where(_R.state.in_(LIVING)).order_by(_R.id))

_AT_WORK = Question(select(_E.account_id).where(_E.run_id == _R.id, _R.state.in_(LIVING)).distinct())


@dataclass(frozen=True, slots=True)
class CellView:
    """One leg in one account. `entered` and `net` are units, `net` signed; `state` is the word for its newest intent.

    `average` is the average of the entry, None before any fill. `since` is when its newest intent last moved, on real
    time; `note` is the newest reason given, by them or by us.
    """

    execution_id: int
    account_id: int
    leg: int
    contract: Contract
    product: str
    side: Side
    lots: int
    units: int
    entered: int
    net: int
    average: Decimal | None
    state: str
    since: datetime | None
    note: str | None
    exit_wanted: str | None
    unknown: bool
    open_orders: int
    position: PositionState
    at_cost: bool = False


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account's part in a run."""

    account_id: int
    name: str
    mode: str
    cells: tuple[CellView, ...]


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it stood when it was last changed; prices are not in it. `strategy_id` None: it was adopted.

    `rules_of` and `rules_at`: the strategy whose rules it was put under since, and when; None for none.
    """

    run_id: int
    user_id: int
    strategy_id: int | None
    name: str
    state: str
    mode: str
    reason: str | None
    max_loss: Decimal | None
    max_profit: Decimal | None
    square_off: time | None
    floors: Floors
    exits: ExitRules
    peak: Decimal
    account_peaks: Mapping[int, Decimal]
    account_distances: Mapping[int, Decimal]
    trail_distance: Decimal | None
    requested_at: datetime
    started_at: datetime | None
    closed_at: datetime | None
    rules_of: int | None
    rules_at: datetime | None
    accounts: tuple[AccountView, ...]
    held: frozenset[ContractKey] = field(init=False)
    """Contracts in which units are held or may come to be."""
    book: tuple[HeldLeg, ...] = field(init=False)
    """What it holds over all accounts, one leg for each contract."""
    owned: frozenset[tuple[ContractKey, Kind]] = field(init=False)
    """Contracts in which units are held."""

    @property
    def watched_from(self) -> datetime | None:
        """When its rules began to hold; None before it has started."""
        return self.rules_at or self.started_at

    @property
    def cells(self) -> tuple[CellView, ...]:
        return tuple(cell for account in self.accounts for cell in account.cells)

    def __post_init__(self) -> None:
        """Asked for with every tick, and the same for as long as the view is."""
        held = frozenset(cell.contract.key for cell in self.cells if cell.net or cell.open_orders)
        object.__setattr__(self, "held", held)
        owned = frozenset((cell.contract.key, cell.contract.kind) for cell in self.cells if cell.net)
        object.__setattr__(self, "book", together(_held(cell) for cell in self.cells))
        object.__setattr__(self, "owned", owned)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A view, and when all of it and when the newest part of it was read (monotonic)."""

    view: RunView
    read_at: float
    merged_at: float


@dataclass(frozen=True, slots=True)
class _Living:
    """Runs that live, when that was read (monotonic), and after how many changes of whole runs."""

    runs: tuple[int, ...]
    read_at: float
    changes: int


class RunBoard:
    """Keeps the newest view of each run in memory until `changed` says what of it is old, or for KEPT_S. Thread-safe.

    With fifty accounts a run is two hundred legs, and every order changes one: only that account is read again.
    """

    def __init__(
        self, database: Database, prices: Prices, clock: Clock, *, leads: Callable[[], bool] = lambda: False
    ) -> None:
        """`leads` says whether the engine of this process is the one: then all that changes a run is told here."""
        self._leads = leads
        self._living: _Living | None = None
        self._changes = 0
        self._database = database
        self._prices = prices
        self._clock = clock
        self._kept: LRUCache[int, _Kept] = LRUCache(MOST_KEPT)
        self._old: dict[int, set[int | None]] = {}
        self._noting, self._reading = threading.Lock(), threading.Lock()

    def changed(self, run_id: int, account_id: int | None = None) -> None:
        """Rows of this run were written, in one account or (None) in any: its next view reads them anew."""
        with self._noting:
            self._old.setdefault(run_id, set()).add(account_id)
            self._changes += account_id is None  # an account alone neither begins a run nor ends it

    def is_behind(self, run_id: int) -> bool:
        """Whether something of this run changed that its newest view does not show."""
        with self._noting:
            return run_id in self._old

    def view(self, run_id: int, *, behind_s: float = 0.0) -> RunView:
        """Raises NoResultFound when there is no such run. Changes of the last `behind_s` seconds may be missing."""
        with self._reading:
            now, kept = self._clock.monotonic(), self._kept.get(run_id)
            if kept is not None and now - kept.merged_at < behind_s:
                return kept.view
            with self._noting:
                old = self._old.pop(run_id, set())
            if kept is not None and now - kept.read_at >= (LED_KEPT_S if self._leads() else KEPT_S):
                kept = None
            if kept is not None and not old:
                return kept.view
            accounts = {account_id for account_id in old if account_id is not None}
            part = kept is not None and accounts == old
            view = None
            try:
                view = self._load(run_id, accounts if part else None)
            finally:
                if view is None:  # the change is still to be read
                    with self._noting:
                        self._old.setdefault(run_id, set()).update(old)
            if kept is not None and part:
                kept = self._kept[run_id] = _Kept(_merged(kept.view, view), kept.read_at, now)
            else:
                kept = self._kept[run_id] = _Kept(view, now, now)
            return kept.view

    def living(self) -> list[int]:
        """Ids of the runs in which something may still change hands or be worth something."""
        now = self._clock.monotonic()
        with self._noting:
            known, changes = self._living, self._changes
        if known is None or known.changes != changes or now - known.read_at >= LIVING_KEPT_S:
            with self._database.reading() as session:
                known = _Living(tuple(run_id for (run_id,) in _LIVING.ask(session)), now, changes)
            self._living = known
        return list(known.runs)

    def accounts_at_work(self) -> frozenset[int]:
        """Accounts of the runs that live: their orders may change at any moment."""
        with self._database.reading() as session:
            return frozenset(account_id for (account_id,) in _AT_WORK.ask(session))

    def pnl(self, view: RunView, account_id: int | None = None) -> RunPnl:
        """Gross profit and loss at the newest prices, of the run or of one account in it."""
        if account_id is None:
            return run_pnl(view.book, self.marks(view.book))
        return self.worth([cell for cell in view.cells if cell.account_id == account_id])

    def worth(self, cells: list[CellView]) -> RunPnl:
        """As `pnl`, of any cells."""
        legs = [_held(cell) for cell in cells]
        return run_pnl(legs, self.marks(legs))

    def marks(self, legs: Iterable[HeldLeg]) -> dict[ContractKey, Mark]:
        """The newest prices of their contracts, each read once; a contract that never had one is left out."""
        found = {key: self.mark(key) for key in {leg.contract for leg in legs}}
        return {key: mark for key, mark in found.items() if mark is not None}

    def mark(self, key: ContractKey) -> Mark | None:
        """The newest price of a contract with its age; None when none ever came."""
        latest = self._prices.latest(key)
        if latest is None:
            return None
        return Mark(latest.ltp, self._clock.monotonic() - latest.received, latest.bid, latest.ask)

    def _load(self, run_id: int, only: set[int] | None) -> RunView:
        """The run with the accounts of `only`, all when it is None."""
        with self._database.reading() as session:
            run = _one(session, run_id)
            accounts = load_accounts(session, run_id, only=only)
            ids = [account.account_id for account in accounts]
            named = {row.id: row for row in _NAMED.read(session, {"ids": ids})}
            peaks = _account_peaks(session, run)
            return RunView(
                run_id=run.id,
                user_id=run.user_id,
                strategy_id=run.strategy_id,
                name=run.name,
                state=run.state,
                mode=run.mode,
                reason=run.reason,
                max_loss=run.max_loss,
                max_profit=run.max_profit,
                square_off=run.square_off,
                floors=floor_text.read(run.floors),
                exits=exit_rule_text.read(run.exits),
                peak=run.peak,
                account_peaks={row.account_id: row.peak for row in peaks},
                account_distances={r.account_id: r.trail_distance for r in peaks if r.trail_distance is not None},
                trail_distance=run.trail_distance,
                requested_at=run.requested_at,
                started_at=run.started_at,
                closed_at=run.closed_at,
                rules_of=run.rules_of,
                rules_at=run.rules_at,
                accounts=tuple(_account(account, named[account.account_id]) for account in accounts),
            )


def _one(session: Session, run_id: int) -> Run:
    for run in _RUN.read(session, {"run_id": run_id}):
        return run
    raise NoResultFound(f"There is no run {run_id}.")


def _account_peaks(session: Session, run: Run) -> Sequence[AccountPeak]:
    """Of its accounts that have a floor by themselves."""
    if run.exits is None:
        return ()
    return session.scalars(select(AccountPeak).where(AccountPeak.run_id == run.id)).all()


def _held(cell: CellView) -> HeldLeg:
    return HeldLeg(cell.contract.key, cell.position)


def _merged(before: RunView, part: RunView) -> RunView:
    """The newer view with all accounts: those it does not have did not change."""
    newer = {account.account_id: account for account in part.accounts}
    return replace(part, accounts=tuple(newer.get(account.account_id, account) for account in before.accounts))


def _account(account: AccountState, row: TradingAccount) -> AccountView:
    return AccountView(row.id, row.name, row.expected_mode, tuple(_cell(e) for e in account.executions))


def _cell(execution: ExecutionState) -> CellView:
    row = execution.row
    newest = execution.intents[-1] if execution.intents else None
    moments = [newest.settled_at, newest.answered_at, newest.sent_at, newest.created_at] if newest else []
    return CellView(
        execution_id=row.id,
        account_id=row.account_id,
        leg=row.leg,
        contract=contract_of(row),
        product=row.product,
        side=execution.side,
        lots=row.lots,
        units=row.units,
        entered=execution.entered,
        net=execution.net,
        average=execution.entry_average,
        state=_settled_word(execution) if execution.settled_by_exchange else _word(execution),
        since=next((moment for moment in moments if moment is not None), None),
        note=_note(execution, newest),
        exit_wanted=row.exit_wanted,
        unknown=any(i.state == IntentState.UNKNOWN for i in execution.intents),
        open_orders=len(execution.open_intents()),
        position=execution.position,
        at_cost=row.at_cost,
    )


def _settled_word(execution: ExecutionState) -> str:
    return "expired" if execution.settlement is None else "settled"


def _note(execution: ExecutionState, newest: Intent | None) -> str | None:
    if execution.settled_by_exchange and execution.settlement is not None:
        return f"Settled by the exchange at {execution.settlement:.2f}, as typed by a person: no gateway tells it."
    return newest.reason if newest else None


def _rests_as_typed(intent: Intent) -> bool:
    return intent.state == IntentState.WORKING and not is_chased(intent)


def _word(execution: ExecutionState) -> str:
    """What a trader calls the state of this leg, from its intents and fills. Trouble comes first."""
    states = {i.state for i in execution.open_intents()}
    for state, word in ((IntentState.UNKNOWN, "unknown"), (IntentState.PARKED, "parked")):
        if state in states:
            return word
    if execution.row.exit_wanted:
        if execution.net == 0 and not states:
            return "flat"
        return "exiting"
    if states:
        if states == {IntentState.READY}:
            return "waiting"
        return "pending" if any(_rests_as_typed(i) for i in execution.open_intents()) else "working"
    if execution.entered >= execution.row.units:
        return "filled"
    last = [i for i in execution.intents if i.purpose == Purpose.ENTRY]
    return last[-1].state.lower() if last else "waiting"
