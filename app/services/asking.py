"""Asking something of the engine: one command for one key of one user, whatever is clicked how often."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput
from app.persistence.database import Database
from app.persistence.tables import CommandRow
from app.ports.clock import Clock
from app.services.activity import Activity


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked, by whom. `key` names it for this user; `run_id` is None where it is about no run.

    `payload` is kept as JSON; who asked is put beside it as `by`.
    """

    kind: str
    user_id: int
    username: str
    key: str
    run_id: int | None = None
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Said:
    """The line of the activity log that goes with a command."""

    action: str
    subject: str
    sentence: str


Judge = Callable[[Session], Said]
"""Says no by raising; what it writes is committed together with the command."""


class Asking:
    """Thread-safe. The same key from the same user is the same command, whatever happens in between."""

    def __init__(self, database: Database, clock: Clock, activity: Activity, wake: Callable[[], None]) -> None:
        """`wake` has the engine look for commands now, when it is in this process."""
        self._database = database
        self._clock = clock
        self._activity = activity
        self._wake = wake

    def once(self, wish: Wish, judge: Judge) -> int:
        """The id of the command. `judge` is asked when the key is new, inside the transaction that writes it.

        Raises InvalidInput for what is no key, Conflict for one that stands for something else, and what `judge` does.
        """
        check_key(wish.key)
        try:
            with self._database.transaction() as session:
                known = _keyed(session, wish)
                if known is None:
                    known = self._write(session, wish, judge(session))
                command_id = _same(known, wish)
        except IntegrityError:
            # Another click with this key won the race: its command is the answer.
            with self._database.reading() as session:
                winner = _keyed(session, wish)
            if winner is None:
                raise
            command_id = _same(winner, wish)
        self._wake()
        return command_id

    def _write(self, session: Session, wish: Wish, said: Said) -> CommandRow:
        command = CommandRow(
            user_id=wish.user_id,
            key=wish.key,
            kind=wish.kind,
            run_id=wish.run_id,
            payload={**wish.payload, "by": wish.username},
            state="ASKED",
            asked_at=self._clock.now(),
        )
        session.add(command)
        session.flush()
        self._activity.record(
            session,
            user_id=wish.user_id,
            actor=wish.username,
            action=said.action,
            subject=said.subject,
            sentence=said.sentence,
        )
        return command


def check_key(key: str) -> None:
    """Raises InvalidInput when it is not a key that a form or script may name a command by."""
    if not (8 <= len(key) <= 64 and key.isascii() and key.replace("-", "").isalnum()):
        raise InvalidInput("idempotency_key", "The idempotency key must be 8 to 64 letters, digits or dashes.")


def _keyed(session: Session, wish: Wish) -> CommandRow | None:
    return session.scalars(
        select(CommandRow).where(CommandRow.user_id == wish.user_id, CommandRow.key == wish.key)
    ).one_or_none()


def _same(known: CommandRow, wish: Wish) -> int:
    """Its id. Raises Conflict when the key stands for anything but this very wish."""
    payload = {name: value for name, value in known.payload.items() if name != "by"}
    if (known.kind, known.run_id, payload) != (wish.kind, wish.run_id, dict(wish.payload)):
        raise Conflict("This key was used for something else. Reload the page and try again.")
    return known.id
