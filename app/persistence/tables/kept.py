"""What processes tell each other and may lose at any time. On PostgreSQL these tables are not logged."""

from datetime import datetime

from sqlalchemy import LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.persistence.database import Table
from app.persistence.types import Instant


class CacheEntry(Table):
    """The last tier of the cache. Both moments are on the clock of the database where it has one."""

    __tablename__ = "cache_entries"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)
    written_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)


class Onlooker(Table):
    """A process that serves pages and does not lead: what they look at, for as long as it goes on saying so."""

    __tablename__ = "onlookers"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    wanted: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(Instant)
