"""How fast and how wide an account is sent to: what is set for it or for a strategy, else what the settings say."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from app.persistence.database import Database
from app.persistence.tables import Strategy, TradingAccount

_OWN_RATES = select(TradingAccount.id, TradingAccount.orders_per_second)
_RATES = _OWN_RATES.where(TradingAccount.orders_per_second.is_not(None))
_WIDTHS = select(Strategy.id, Strategy.max_workers).where(Strategy.max_workers.is_not(None))


@dataclass(frozen=True, slots=True)
class Paces:
    """Every figure at one moment. `rate` and `width` hold for whoever has none of their own."""

    rate: int
    width: int
    rates: Mapping[int, int]
    widths: Mapping[int, int]

    def rate_of(self, account_id: int) -> int:
        """The most calls (place, modify, cancel) in any sliding second, in each segment of this account."""
        return self.rates.get(account_id, self.rate)

    def width_of(self, strategy_id: int | None) -> int:
        """The most orders of this strategy that are under way at once in each account; None: of no strategy."""
        return self.width if strategy_id is None else self.widths.get(strategy_id, self.width)


class PaceSettings:
    """Thread-safe. Asks the database each time."""

    def __init__(self, database: Database, orders_per_second: int, workers: int) -> None:
        """The two figures are those of the settings."""
        self._database = database
        self._orders_per_second = orders_per_second
        self._workers = workers

    def now(self) -> Paces:
        """All figures at once: an order that goes out at fifty accounts must not wait for fifty queries."""
        with self._database.reading() as session:
            rates = {account_id: rate for account_id, rate in session.execute(_RATES).tuples() if rate is not None}
            widths = {
                strategy_id: width for strategy_id, width in session.execute(_WIDTHS).tuples() if width is not None
            }
        return Paces(self._orders_per_second, self._workers, rates, widths)
