"""Takes what people asked, in the order they asked it, and gives it to the executor."""

from sqlalchemy import select

from app.persistence.database import Database
from app.persistence.tables import CommandRow
from app.ports.clock import Clock
from app.services.commands import CommandKind
from app.services.strategy_executor import StrategyExecutor

LOOK_S = 0.25
"""Commands wake this loop at once; another process can only leave them in the table."""


class Intake:
    """`step` belongs to the intake loop. A command whose work was done but not marked is done again: that is safe."""

    def __init__(self, database: Database, clock: Clock, executor: StrategyExecutor) -> None:
        self._database = database
        self._clock = clock
        self._executor = executor

    def step(self) -> float:
        with self._database.reading() as session:
            asked = list(session.scalars(select(CommandRow).where(CommandRow.state == "ASKED").order_by(CommandRow.id)))
        for command in asked:
            self._done(command.id, self._do(command))
        return LOOK_S

    def _do(self, command: CommandRow) -> str:
        if command.run_id is None:
            return "This command names no run."
        if command.kind == CommandKind.START:
            return self._executor.start(command.run_id)
        payload = command.payload
        account_id, leg = payload.get("account_id"), payload.get("leg")
        self._executor.ask_exit(
            command.run_id,
            account_id=account_id if isinstance(account_id, int) else None,
            leg=leg if isinstance(leg, int) else None,
            why=f"Exit asked by {payload.get('by', 'somebody')}",
        )
        return "Exit asked for."

    def _done(self, command_id: int, answer: str) -> None:
        with self._database.transaction() as session:
            command = session.get_one(CommandRow, command_id)
            command.state, command.answer, command.done_at = "DONE", answer, self._clock.now()
