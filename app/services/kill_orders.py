"""The engine's half of the kill switch: ask every run of the scope to exit, then verify until all is flat."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import DeskError, Unavailable
from app.persistence.database import Database
from app.persistence.tables import CommandRow, TradingAccount
from app.ports.clock import Clock
from app.services.account_health import HealthBoard, HealthState
from app.services.activity import Activity
from app.services.commands import CommandKind
from app.services.fair_turns import FairTurns
from app.services.kill_parts import Part, moment_of, parts_in, parts_of, stored
from app.services.kill_switch import target_of
from app.services.run_state import AccountState, load_accounts
from app.services.strategy_executor import StrategyExecutor
from app.services.taken_along import Along, adopted_parts, along_of, ticked_of, write_asks

log = logging.getLogger(__name__)

ALARM_AFTER = timedelta(seconds=30)
"""A run that is not flat so long after the switch was pressed is an alarm."""

LOOK_S = 1.0


class KillOrders:
    """Belongs to the intake loop. Doing a kill again asks the same runs again, which changes nothing."""

    def __init__(self, database: Database, executor: StrategyExecutor) -> None:
        self._database = database
        self._executor = executor
        self._turns = FairTurns()

    def do(self, command_id: int) -> str:
        """Latch the exit of everything that lives in the scope, and ask for what is to be taken along. Returns the
        sentence that says so.

        One run's refusal keeps no other from getting out, and neither does one that crashes: it comes last the next
        time. Raises Unavailable when nobody can say just now.
        """
        parts, by, along = self._take(command_id)
        refusals: list[str] = []
        for run_id in self._turns.order({part.run_id for part in parts}):
            with self._turns.turn(run_id):
                refusals += self._ask([part for part in parts if part.run_id == run_id], f"Kill switch by {by}")
        count = len(parts) - len(refusals)
        words = f"{count} {'run is' if count == 1 else 'runs are'} on the way out." if parts else "No run was open."
        going = f"{along} foreign {'position goes' if along == 1 else 'positions go'} along once the books are read."
        return " ".join([words, *refusals, *([going] if along else [])])

    def _ask(self, parts: Sequence[Part], why: str) -> list[str]:
        """Of one run; gives what it refuses. Raises Unavailable."""
        refusals: list[str] = []
        for part in parts:
            try:
                self._executor.ask_exit(part.run_id, account_id=part.account_id, leg=None, why=why)
            except Unavailable:
                raise
            except DeskError as refusal:
                log.warning("kill switch, run %s: %s", part.run_id, refusal)
                refusals.append(f"Run {part.run_id}: {refusal}")
        return refusals

    def _take(self, command_id: int) -> tuple[list[Part], str, int]:
        """What lived in the scope when it was first taken: entries are halted by then, so nothing is added to it. Also
        who asked, and how many foreign positions go along.
        """
        with self._database.transaction() as session:
            command = session.get_one(CommandRow, command_id)
            target, by = target_of(command.payload), str(command.payload["by"])
            kept, along = parts_of(command.payload), len(ticked_of(command.payload))
            if kept is not None:
                return list(kept), by, along
            parts = parts_in(session, target.scope, target.id)
            command.payload = {**command.payload, "parts": stored(parts)}
            write_asks(session, command)
            return parts, by, along


class KillWatch:
    """`step` belongs to the kill loop: says once that all of a kill is flat, and once that after 30 s it is not."""

    def __init__(self, database: Database, clock: Clock, activity: Activity, health: HealthBoard) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity
        self._health = health
        self._turns = FairTurns()

    def step(self) -> float:
        for command_id in self._turns.order(self._unfinished()):
            with self._turns.turn(command_id), self._database.transaction() as session:
                self._look(session, session.get_one(CommandRow, command_id), self._clock.now())
        return LOOK_S

    def _unfinished(self) -> list[int]:
        done = select(CommandRow).where(CommandRow.kind == CommandKind.KILL.value, CommandRow.state == "DONE")
        with self._database.reading() as session:
            return [row.id for row in session.scalars(done) if moment_of(row.payload, "flat_at") is None]

    def _look(self, session: Session, command: CommandRow, now: datetime) -> None:
        along = along_of(session, command)
        left = [
            account
            for part in (*(parts_of(command.payload) or ()), *adopted_parts(along))
            for account in load_accounts(
                session, part.run_id, only=None if part.account_id is None else {part.account_id}
            )
            if any(execution.net or execution.is_moving for execution in account.executions)
        ]
        waiting = [each for each in along if each.waits]
        if not left and not waiting:
            self._say(session, command, "flat", now, flat_words(along))
        elif now - command.asked_at >= ALARM_AFTER and moment_of(command.payload, "alarm_at") is None:
            names = dict.fromkeys(
                [
                    *(self._words(session, account) for account in left),
                    *(f"foreign and not taken along yet: {each.ticked.name}" for each in waiting),
                ]
            )
            self._say(session, command, "alarm", now, f"Not flat 30 s after the kill switch: {'; '.join(names)}.")

    def _words(self, session: Session, account: AccountState) -> str:
        units = sum(abs(execution.net) for execution in account.executions)
        orders = sum(len(execution.open_intents()) for execution in account.executions)
        health = self._health.of(account.account_id)
        reason = "" if health.state is HealthState.OK or not health.reason else f" ({health.reason.rstrip('.')})"
        name = session.get_one(TradingAccount, account.account_id).name
        return f"{name} has {units} units and {orders} open {'order' if orders == 1 else 'orders'}{reason}"

    def _say(self, session: Session, command: CommandRow, what: str, now: datetime, sentence: str) -> None:
        command.payload = {**command.payload, f"{what}_at": now.isoformat()}
        self._activity.record(
            session,
            user_id=None,
            actor="engine",
            action=f"kill.{what}",
            subject=target_of(command.payload).subject,
            sentence=sentence,
        )


def flat_words(along: Sequence[Along]) -> str:
    """That all is flat, with the foreign positions that were ticked and stay, and why."""
    stays = [f"{each.ticked.name} ({each.refused})" for each in along if each.refused is not None]
    words = "Everything of ours in the scope of the kill switch is flat."
    return f"{words} Foreign and not taken along: {'; '.join(stays)}" if stays else words
