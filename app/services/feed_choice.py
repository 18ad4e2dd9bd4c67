"""An admin takes prices from another account, or gives that back: done in this process, and written down."""

from app.domain.errors import Conflict
from app.persistence.database import Database
from app.services.account_types import Actor
from app.services.accounts import Accounts
from app.services.activity import Activity
from app.services.websocket_manager import WebSocketManager


class FeedChoice:
    """Thread-safe. A choice is not stored: a new process begins with the order of the accounts."""

    def __init__(self, feed: WebSocketManager, accounts: Accounts, database: Database, activity: Activity) -> None:
        self._feed = feed
        self._accounts = accounts
        self._database = database
        self._activity = activity

    def choose(self, by: Actor, account_id: int) -> str:
        """The account's name. Raises NotFound, and Conflict for one that feeds nothing or serves by choice already."""
        name = self._accounts.one(by, account_id).name
        if self._feed.state().chosen == account_id:
            raise Conflict(f"{name} is chosen already.")
        self._feed.choose(account_id, by.username)
        self._write(
            by, "feed.choose", f"account:{account_id}", f"Prices are to come from {name}, whatever the order says."
        )
        return name

    def give_back(self, by: Actor) -> None:
        """Raises Conflict when nothing was chosen."""
        self._feed.give_back(by.username)
        self._write(by, "feed.give_back", "feed", "Prices come from the first account in order again.")

    def _write(self, by: Actor, action: str, subject: str, sentence: str) -> None:
        with self._database.transaction() as session:
            self._activity.record(
                session, user_id=by.id, actor=by.username, action=action, subject=subject, sentence=sentence
            )
