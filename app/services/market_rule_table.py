"""The dated market rules of this installation, read from their table and kept until they change."""

from sqlalchemy import select

from app.domain.market_rules import MarketRule, RuleBook, RuleKind
from app.persistence.database import Database
from app.persistence.tables import MarketRuleRow
from app.ports.clock import Clock

READ_AGAIN_S = 60.0


class MarketRuleTable:
    """Thread-safe: the book is replaced whole."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._book: tuple[RuleBook, float] | None = None

    def book(self) -> RuleBook:
        """The rules, at most a minute old."""
        now = self._clock.monotonic()
        if self._book is not None and now - self._book[1] < READ_AGAIN_S:
            return self._book[0]
        with self._database.reading() as session:
            rows = session.scalars(select(MarketRuleRow)).all()
        book = RuleBook(
            MarketRule(RuleKind(row.kind), row.underlying, row.value, row.valid_from, row.source) for row in rows
        )
        self._book = (book, now)
        return book
