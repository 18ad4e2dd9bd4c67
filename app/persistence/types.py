"""Column types that keep money exact and times aware on every database."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect
from sqlalchemy.types import TypeDecorator

MEANINGS_KEPT = 4_000
"""Of each kind. The same few prices and moments are read again and again, and what they mean never changes."""


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

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Decimal | None]:  # noqa: ARG002 - SQLAlchemy's signature
        return _unscaled(self.scale)


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

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        read: Any = self.impl_instance.result_processor(dialect, coltype)
        return _aware(read)


@cache
def _unscaled(scale: int) -> Callable[[Any], Decimal | None]:
    @lru_cache(MEANINGS_KEPT)
    def meaning(stored: Any) -> Decimal | None:
        return None if stored is None else Decimal(stored).scaleb(-scale)

    return meaning


@cache
def _aware(read: Callable[[Any], datetime | None] | None) -> Callable[[Any], datetime | None]:
    """`read` makes a moment of what the driver gives; None when that is one already."""

    @lru_cache(MEANINGS_KEPT)
    def meaning(stored: Any) -> datetime | None:
        moment: datetime | None = stored if read is None else read(stored)
        if moment is None:
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    return meaning
