"""Asking the engine to send an exit of unknown outcome again: stored once, by whom, then the engine is woken."""

from collections.abc import Callable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, NotFound
from app.persistence.database import Database
from app.persistence.tables import Run, StrategyExecution, TradingAccount
from app.ports.clock import Clock
from app.services.account_types import Actor
from app.services.activity import Activity
from app.services.asking import Asking, Said, Wish
from app.services.commands import CommandKind
from app.services.overrides import Override


class OverrideCommands:
    """Thread-safe. The same key from the same user is the same command."""

    def __init__(self, database: Database, clock: Clock, activity: Activity, wake: Callable[[], None]) -> None:
        self._asking = Asking(database, clock, activity, wake)

    def ask(self, run_id: int, wanted: Override, *, actor: Actor, key: str) -> int:
        """The id of the command. An admin may ask it of anybody's run.

        Raises NotFound for a run that is not the actor's or a part it does not have, Conflict when it is closed.
        """
        return self._asking.once(
            Wish(
                kind=CommandKind.OVERRIDE, user_id=actor.id, username=actor.username, key=key, run_id=run_id,
                payload={"account_id": wanted.account_id, "leg": wanted.leg},
            ),
            lambda session: _said(session, _open_run(session, run_id, actor), wanted),
        )  # fmt: skip


def _said(session: Session, run: Run, wanted: Override) -> Said:
    symbol = session.scalars(
        select(StrategyExecution.symbol).where(
            StrategyExecution.run_id == run.id,
            StrategyExecution.account_id == wanted.account_id,
            StrategyExecution.leg == wanted.leg,
        )
    ).one_or_none()
    if symbol is None:
        raise NotFound("This run has no such account or leg.")
    account = session.get_one(TradingAccount, wanted.account_id).name
    words = f"Asked to send the exit of {symbol} in {account} again, whose outcome is unknown, at own risk."
    return Said("run.override", f"run:{run.id}", words)


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
