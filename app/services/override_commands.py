"""Asking the engine to send an exit of unknown outcome again: stored once, by whom, then the engine is woken."""

from collections.abc import Callable, Mapping

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, NotFound
from app.persistence.database import Database
from app.persistence.tables import CommandRow, Run, StrategyExecution, TradingAccount
from app.ports.clock import Clock
from app.services.account_types import Actor
from app.services.activity import Activity
from app.services.commands import CommandKind, check_key
from app.services.overrides import Override


class OverrideCommands:
    """Thread-safe. The same key from the same user is the same command."""

    def __init__(self, database: Database, clock: Clock, activity: Activity, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity
        self._wake = wake

    def ask(self, run_id: int, wanted: Override, *, actor: Actor, key: str) -> int:
        """The id of the command. An admin may ask it of anybody's run.

        Raises NotFound for a run that is not the actor's or a part it does not have, Conflict when it is closed.
        """
        check_key(key)
        try:
            with self._database.transaction() as session:
                known = _keyed(session, actor.id, key)
                if known is None:
                    known = self._write(session, _open_run(session, run_id, actor), wanted, actor, key)
                command_id = _same(known, run_id, wanted)
        except IntegrityError:
            # Another click with this key won the race: its command is the answer.
            with self._database.reading() as session:
                winner = _keyed(session, actor.id, key)
            if winner is None:
                raise
            command_id = _same(winner, run_id, wanted)
        self._wake()
        return command_id

    def _write(self, session: Session, run: Run, wanted: Override, actor: Actor, key: str) -> CommandRow:
        symbol = session.scalars(
            select(StrategyExecution.symbol).where(
                StrategyExecution.run_id == run.id,
                StrategyExecution.account_id == wanted.account_id,
                StrategyExecution.leg == wanted.leg,
            )
        ).one_or_none()
        if symbol is None:
            raise NotFound("This run has no such account or leg.")
        command = CommandRow(
            user_id=actor.id,
            key=key,
            kind=CommandKind.OVERRIDE.value,
            run_id=run.id,
            payload={"account_id": wanted.account_id, "leg": wanted.leg, "by": actor.username},
            state="ASKED",
            asked_at=self._clock.now(),
        )
        session.add(command)
        session.flush()
        account = session.get_one(TradingAccount, wanted.account_id).name
        self._activity.record(
            session,
            user_id=actor.id,
            actor=actor.username,
            action="run.override",
            subject=f"run:{run.id}",
            sentence=f"Asked to send the exit of {symbol} in {account} again, whose outcome is unknown, at own risk.",
        )
        return command


def override_of(payload: Mapping[str, object]) -> tuple[Override, str]:
    """What a stored command asks for, and who asked."""
    return Override(int(str(payload["account_id"])), int(str(payload["leg"]))), str(payload["by"])


def _open_run(session: Session, run_id: int, actor: Actor) -> Run:
    run = session.get(Run, run_id)
    if run is None or not (actor.is_admin or run.user_id == actor.id):
        raise NotFound("There is no such run.")
    if run.state in {"CLOSED", "REFUSED"}:
        raise Conflict("This run is closed already; there is nothing to send again.")
    return run


def _keyed(session: Session, user_id: int, key: str) -> CommandRow | None:
    return session.scalars(select(CommandRow).where(CommandRow.user_id == user_id, CommandRow.key == key)).one_or_none()


def _same(known: CommandRow, run_id: int, wanted: Override) -> int:
    """Its id. Raises Conflict when the key stands for anything but this very exit."""
    same = known.kind == CommandKind.OVERRIDE and known.run_id == run_id and override_of(known.payload)[0] == wanted
    if not same:
        raise Conflict("This key was used for something else. Reload the page and try again.")
    return known.id
