"""An admin takes prices from another account, or gives that back: asked of the engine that leads, from any process."""

import uuid
from collections.abc import Callable, Mapping

from sqlalchemy import select

from app.domain.errors import Conflict
from app.persistence.database import Database
from app.persistence.tables import CommandRow
from app.ports.clock import Clock
from app.services.account_types import Actor
from app.services.accounts import Accounts
from app.services.activity import Activity
from app.services.commands import CommandKind
from app.services.websocket_manager import WebSocketManager


class FeedChoice:
    """Thread-safe. The engine that leads keeps the choice: another one begins with the order of the accounts."""

    def __init__(
        self,
        feed: WebSocketManager,
        accounts: Accounts,
        database: Database,
        clock: Clock,
        activity: Activity,
        wake: Callable[[], None],
    ) -> None:
        """`feed` is of this process, which may be another than the one that feeds."""
        self._feed = feed
        self._accounts = accounts
        self._database = database
        self._clock = clock
        self._activity = activity
        self._wake = wake

    def choose(self, by: Actor, account_id: int) -> str:
        """The account's name. Raises NotFound, and Conflict for one that serves by choice already."""
        name = self._accounts.one(by, account_id).name
        if self._feed.state().chosen == account_id:
            raise Conflict(f"{name} is chosen already.")
        sentence = f"Prices are to come from {name}, whatever the order says."
        self._ask(by, account_id, "feed.choose", f"account:{account_id}", sentence)
        return name

    def give_back(self, by: Actor) -> None:
        """Raises Conflict when nothing was chosen."""
        if self._feed.order() and self._feed.state().chosen is None:
            raise Conflict("No account was chosen by hand: the order of the accounts holds already.")
        self._ask(by, None, "feed.give_back", "feed", "Prices come from the first account in order again.")

    def _ask(self, by: Actor, account_id: int | None, action: str, subject: str, sentence: str) -> None:
        """One command and one line of the activity log, however often it is asked before the engine has taken it."""
        payload: dict[str, object] = {"account_id": account_id, "by": by.username}
        with self._database.transaction() as session:
            waiting = session.scalars(
                select(CommandRow)
                .where(CommandRow.state == "ASKED", CommandRow.kind == CommandKind.FEED.value)
                .order_by(CommandRow.id.desc())
            ).first()
            if waiting is None or waiting.payload != payload:
                session.add(self._command(by, payload))
                self._activity.record(
                    session, user_id=by.id, actor=by.username, action=action, subject=subject, sentence=sentence
                )
        self._wake()

    def _command(self, by: Actor, payload: dict[str, object]) -> CommandRow:
        return CommandRow(
            user_id=by.id,
            key=uuid.uuid4().hex,
            kind=CommandKind.FEED.value,
            payload=payload,
            state="ASKED",
            asked_at=self._clock.now(),
        )


def take_choice(feed: WebSocketManager, payload: Mapping[str, object]) -> str:
    """The engine's half: what became of it, in words. Raises Conflict for what cannot be done here and now."""
    account_id, by = payload["account_id"], str(payload["by"])
    if account_id is None:
        feed.give_back(by)
        return "Given back."
    feed.choose(int(str(account_id)), by)
    return "Chosen."
