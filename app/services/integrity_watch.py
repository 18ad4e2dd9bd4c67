"""Looks for what no machine can put right alone in a run's accounts, raises it, and stops entries where it must."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import refusals as texts
from app.domain.alarms import (
    REFUSALS_ALARM,
    STOPS_ACCOUNT,
    STOPS_STRATEGY,
    AlarmKind,
    Finding,
)
from app.domain.calendar import Phase
from app.domain.contracts import ContractKey, Kind
from app.domain.naked import NAKED_ALARM_S, HeldLeg, naked_units
from app.domain.orders import IntentState, Purpose
from app.domain.pnl import Mark
from app.domain.trading_states import ENGINE, Scope, TradingState
from app.persistence.tables import Run, TradingAccount, TradingStateRow
from app.ports.clock import Clock
from app.services.alarms import Alarms
from app.services.blind_watch import IncompleteWatch, OppositeWatch
from app.services.exit_watch import ExitWatch
from app.services.exits import refused_exits, refused_in_a_row
from app.services.reconciler import KnownBook
from app.services.run_state import AccountState, ExecutionState
from app.services.trading_states import write_state

log = logging.getLogger(__name__)


class IntegrityWatch:
    """Called by the executor, on its thread, inside its transaction; makes no network calls.

    Since when a short has been naked is kept in memory: a new engine counts its ten seconds anew, unless that was an
    alarm already.
    """

    def __init__(
        self,
        clock: Clock,
        alarms: Alarms,
        *,
        lot_size: Callable[[ContractKey], int | None],
        mark: Callable[[ContractKey], Mark | None],
        books: Callable[[int], KnownBook | None],
        phase: Callable[[str], Phase],
    ) -> None:
        """`lot_size` is today's, None when nobody can say; `mark` the newest price, None when there never was one.

        `books` is what an account's books said when they were last read; None before the first time.
        """
        self._clock = clock
        self._alarms = alarms
        self._lot_size = lot_size
        self._books = books
        self._exits = ExitWatch(clock, alarms, books=books)
        self._incomplete = IncompleteWatch(clock, alarms, mark=mark, phase=phase)
        self._opposite = OppositeWatch(clock, alarms)
        self._naked_since: dict[tuple[int, int], float] = {}
        self._quiet: set[int] = set()
        self._looking: set[int] = set()

    def look(self, session: Session, run: Run, accounts: Sequence[AccountState], now: datetime) -> None:
        """Make the alarms of this run what there is to be alarmed about.

        A bug in here keeps nothing from getting out: after a crash the next decision about that run goes without.
        """
        if run.id in self._looking:
            log.error("run %s: the last look for its alarms crashed; what is decided now goes without one", run.id)
        else:
            self._looking.add(run.id)
            self._look(session, run, accounts, now)
        self._looking.discard(run.id)

    def _look(self, session: Session, run: Run, accounts: Sequence[AccountState], now: datetime) -> None:
        findings = [finding for account in accounts for finding in self._of_account(session, run, account, now)]
        findings += self._incomplete.look(session, run, accounts)
        findings += self._opposite.look(session, run, accounts, lambda account_id: str(_Name(session, account_id)))
        if not findings and run.id in self._quiet:
            return
        fresh, lasts = self._alarms.settle(session, run, findings)
        self._quiet.discard(run.id)
        if not lasts:
            self._quiet.add(run.id)  # nothing stands in the table either: it is not asked again until something is
        for finding in fresh:
            self._stop_entries(session, run, finding)

    def _of_account(self, session: Session, run: Run, account: AccountState, now: datetime) -> Iterator[Finding]:
        name = _Name(session, account.account_id)
        yield from self._naked(session, run, account, name)
        yield from _address_refused(account, name)
        yield from self._unnamed(session, run, account, name)
        yield from self._exits.look(session, run, account, name.__str__, now)
        for execution in account.executions:
            yield from _refused_exit(execution, name)
            yield from _kept(run, account, execution, name)
            yield from self._odd_lot(execution, name)

    def _unnamed(self, session: Session, run: Run, account: AccountState, name: "_Name") -> Iterator[Finding]:
        """Any of our contracts may be in such a row. Before the first read an engine goes by what stood before it."""
        book = self._books(account.account_id)
        if book is None:
            stands = self._alarms.is_open(session, run.id, account.account_id, AlarmKind.UNNAMED)
        else:
            stands = book.unnamed > 0
        if stands:
            yield Finding(
                AlarmKind.UNNAMED,
                account.account_id,
                None,
                f"{name}: its broker shows a position that its gateway cannot name. Contracts of this run that the "
                "book does not list count as our fills say, as far as that position can be theirs. Load the contract "
                "list of the gateway anew, and compare the broker's book with this page.",
            )

    def _naked(self, session: Session, run: Run, account: AccountState, name: "_Name") -> Iterator[Finding]:
        place = (run.id, account.account_id)
        units = naked_units(_held(execution) for execution in account.executions)
        if not units:
            self._naked_since.pop(place, None)
            return
        now = self._clock.monotonic()
        if place not in self._naked_since:
            known = self._alarms.is_open(session, run.id, account.account_id, AlarmKind.NAKED)
            self._naked_since[place] = now - NAKED_ALARM_S if known else now
        if now - self._naked_since[place] < NAKED_ALARM_S:
            return
        leaving = all(execution.row.exit_wanted for execution in account.executions if execution.net < 0)
        rest = "They are being bought back." if leaving else "Nothing buys them back: exit them, or hedge them."
        yield Finding(
            AlarmKind.NAKED,
            account.account_id,
            None,
            f"{name}: {units} units are sold without their hedge for more than {NAKED_ALARM_S:.0f} s. {rest}",
        )

    def _odd_lot(self, execution: ExecutionState, name: "_Name") -> Iterator[Finding]:
        if not execution.net or execution.is_moving:
            return
        lot = self._lot_size(execution.key)
        if lot and execution.net % lot:
            yield Finding(
                AlarmKind.ODD_LOT,
                execution.row.account_id,
                execution.row.leg,
                f"{name} holds {execution.net:+d} units of {execution.row.symbol}, whose lot is {lot} today. What is "
                "no whole lot cannot be closed by an order. Look at the broker's book.",
            )

    def _stop_entries(self, session: Session, run: Run, finding: Finding) -> None:
        """What this alarm means for new orders. A stricter state that stands already is left alone."""
        if finding.kind in STOPS_STRATEGY and run.strategy_id is not None:
            self._reduce_only(session, Scope.STRATEGY, run.strategy_id, run, finding)
        if finding.kind in STOPS_ACCOUNT:
            self._reduce_only(session, Scope.ACCOUNT, finding.account_id, run, finding)

    def _reduce_only(self, session: Session, scope: Scope, scope_id: int, run: Run, finding: Finding) -> None:
        standing = session.scalars(
            select(TradingStateRow.state).where(
                TradingStateRow.scope == scope.value, TradingStateRow.scope_id == scope_id
            )
        ).one_or_none()
        if standing not in {None, TradingState.ACTIVE.value}:
            return
        write_state(
            session, scope, scope_id, TradingState.REDUCE_ONLY,
            user_id=run.user_id, actor=ENGINE, at=self._clock.now(), why=finding.sentence,
        )  # fmt: skip


class _Name:
    """An account's name, read when a sentence needs it."""

    def __init__(self, session: Session, account_id: int) -> None:
        self._session = session
        self._account_id = account_id

    def __str__(self) -> str:
        return self._session.get_one(TradingAccount, self._account_id).name


def _held(execution: ExecutionState) -> HeldLeg:
    row, side = execution.row, execution.side
    return HeldLeg(row.underlying, Kind(row.kind), side, row.units, max(0, execution.net * side.sign))


def _refused_exit(execution: ExecutionState, name: _Name) -> Iterator[Finding]:
    row, in_a_row = execution.row, refused_in_a_row(execution)
    if not execution.net or not row.exit_wanted or in_a_row < REFUSALS_ALARM:
        return
    newest = [i for i in refused_exits(execution)[execution.generation(Purpose.EXIT)] if i.state != IntentState.DENIED]
    if newest:
        why = (newest[-1].reason or "no reason given").rstrip(".")
        yield Finding(
            AlarmKind.EXIT_REFUSED,
            row.account_id,
            row.leg,
            f"{name}: the exit of {abs(execution.net)} {row.symbol} was refused {in_a_row} times in a row: {why}. "
            "It is tried on; the strategy takes no entries.",
            newest[-1].id,
        )


def _kept(run: Run, account: AccountState, execution: ExecutionState, name: _Name) -> Iterator[Finding]:
    row = execution.row
    holds = any(each.net and not each.row.exit_wanted for each in account.executions)
    if run.leg_failure == "keep" and row.failed and holds and not row.exit_wanted:
        words = f"{name}: {row.failed.rstrip('.')}. What the account has is kept, as this strategy says; look at it."
        yield Finding(AlarmKind.LEG_KEPT, row.account_id, row.leg, words)


def _address_refused(account: AccountState, name: _Name) -> Iterator[Finding]:
    refused = [
        intent
        for execution in account.executions
        for intent in execution.intents
        if intent.state == IntentState.REJECTED and texts.is_about_address(intent.reason or "")
    ]
    if refused:
        newest = max(refused, key=lambda intent: intent.id)
        yield Finding(
            AlarmKind.IP_REFUSED,
            account.account_id,
            None,
            f"{name}: the broker refuses the address that its orders come from ({newest.reason}). It takes no entries; "
            "exits are tried, or close by hand at the broker. Register the address there.",
            newest.id,
        )
