"""Takes what people asked, in the order they asked it, and gives it to the executor."""

import logging
from collections.abc import Callable, Mapping

from app.domain.errors import DeskError, Unavailable
from app.persistence.database import Database
from app.persistence.plain import PlainRows
from app.persistence.tables import CommandRow
from app.ports.clock import Clock
from app.services.adoption import Adopter
from app.services.commands import CommandKind, pending_of
from app.services.fair_turns import FairTurns
from app.services.kill_orders import KillOrders
from app.services.override_commands import override_of
from app.services.strategy_executor import StrategyExecutor

log = logging.getLogger(__name__)

LOOK_S = 0.25
"""Commands wake this loop at once; another process can only leave them in the table."""

_ASKED = PlainRows(CommandRow, lambda query, c: query.where(c.state == "ASKED"))


class Intake:
    """`step` belongs to the intake loop. A command whose work was done but not marked is done again: that is safe."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        executor: StrategyExecutor,
        adopter: Adopter,
        choose_feed: Callable[[Mapping[str, object]], str],
    ) -> None:
        self._adopter = adopter
        self._choose_feed = choose_feed
        self._database = database
        self._clock = clock
        self._executor = executor
        self._kills = KillOrders(database, executor)
        self._turns = FairTurns()

    def step(self) -> float:
        """One command. Those that fail on a bug, or that nobody can do just now, are tried again after all others."""
        command = self._next()
        if command is None:
            return LOOK_S
        try:
            with self._turns.turn(command.id):
                self._take(command)
        except Unavailable as trouble:
            log.warning("command %s waits: %s", command.id, trouble)
            return LOOK_S
        return 0.0

    def _take(self, command: CommandRow) -> None:
        """Raises Unavailable when nobody can say just now: an exit that was asked for is never given up for that."""
        try:
            state, answer = "DONE", self._do(command)
        except Unavailable:
            raise
        except DeskError as refusal:
            state, answer = "REFUSED", str(refusal)
        self._done(command.id, state, answer)

    def _next(self) -> CommandRow | None:
        """In the order asked; but an exit waits for no other run's start, which asks gateways for prices, and the kill
        switch for none at all: what is started after it is refused.
        """
        with self._database.reading() as session:
            asked = {command.id: command for command in _ASKED.read(session)}
        in_turn = [asked[command_id] for command_id in self._turns.order(asked)]
        starting = {command.run_id for command in in_turn if command.kind == CommandKind.START}
        exits = (
            c
            for c in in_turn
            if c.kind == CommandKind.KILL
            or (c.kind in {CommandKind.EXIT, CommandKind.OVERRIDE} and c.run_id not in starting)
        )
        return next(exits, in_turn[0] if in_turn else None)

    def _do(self, command: CommandRow) -> str:
        by_id = {
            CommandKind.KILL: self._kills.do,
            CommandKind.ADOPT: self._adopter.do,
            CommandKind.RULES: self._adopter.rules.do,
        }
        if command.kind in by_id:
            return by_id[CommandKind(command.kind)](command.id)
        if command.kind == CommandKind.FEED:
            return self._choose_feed(command.payload)
        if command.run_id is None:
            return "This command names no run."
        if command.kind == CommandKind.START:
            return self._executor.start(command.run_id)
        if command.kind == CommandKind.PENDING:
            return self._executor.ask_pending(command.run_id, *pending_of(command.payload))
        if command.kind == CommandKind.OVERRIDE:
            return self._executor.ask_override(command.run_id, *override_of(command.payload))
        payload = command.payload
        account_id, leg = payload.get("account_id"), payload.get("leg")
        self._executor.ask_exit(
            command.run_id,
            account_id=account_id if isinstance(account_id, int) else None,
            leg=leg if isinstance(leg, int) else None,
            with_shorts=payload.get("with_shorts") is True,
            why=f"Exit asked by {payload.get('by', 'somebody')}",
        )
        return "Exit asked for."

    def _done(self, command_id: int, state: str, answer: str) -> None:
        with self._database.transaction() as session:
            command = session.get_one(CommandRow, command_id)
            command.state, command.answer, command.done_at = state, answer, self._clock.now()
