"""Column types that keep money exact and times aware on every database."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect
from sqlalchemy.types import TypeDecorator


class _Scaled(TypeDecorator[Decimal]):
    """A Decimal stored as a whole number of its smallest part, so that no database can round it."""

    impl = BigInteger
    cache_ok = True
    scale: int

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        scaled = value.scaleb(self.scale)
        whole = int(scaled)
        if whole != scaled:
            raise ValueError(f"{value} has more than {self.scale} decimal places; round it where its meaning is known.")
        return whole

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else Decimal(value).scaleb(-self.scale)


class Rupees(_Scaled):
    """Money in whole paise."""

    cache_ok = True
    scale = 2


class PriceRupees(_Scaled):
    """A price in 1/10000 rupee: averages and four-decimal ticks fit."""

    cache_ok = True
    scale = 4


class Factor(_Scaled):
    """A plain number with up to six decimal places: a multiplier, a fraction, a count."""

    cache_ok = True
    scale = 6


class Instant(TypeDecorator[datetime]):
    """An aware moment, stored as UTC; SQLite, which has no zones, gives it back aware as well."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone cannot be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
