"""How fast and how wide an account is sent to: what is set for it or for a strategy, else what the settings say."""

from sqlalchemy import select

from app.persistence.database import Database
from app.persistence.tables import Strategy, TradingAccount


class PaceSettings:
    """Thread-safe. Asks the database each time: a changed figure holds from the next order on."""

    def __init__(self, database: Database, orders_per_second: int, workers: int) -> None:
        """The two figures are those of the settings."""
        self._database = database
        self._orders_per_second = orders_per_second
        self._workers = workers

    def rate(self, account_id: int) -> int:
        """The most calls (place, modify, cancel) in any sliding second, in each segment of this account."""
        query = select(TradingAccount.orders_per_second).where(TradingAccount.id == account_id)
        with self._database.reading() as session:
            return session.scalars(query).one() or self._orders_per_second

    def max_workers(self, strategy_id: int) -> int:
        """The most orders of this strategy that are under way at once in each account."""
        with self._database.reading() as session:
            wanted = session.scalars(select(Strategy.max_workers).where(Strategy.id == strategy_id)).one()
        return wanted or self._workers
