"""A cache that may forget anything at any time; nothing that decides about money is read from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from app.domain.errors import Unavailable


class CacheDown(Unavailable):
    """A tier of the cache cannot be reached. Whoever asked goes on without it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A value, how long ago it was put, and for how long it may still be shown.

    Each tier tells ages by one clock of its own: those of two machines are never compared.
    """

    value: bytes
    age_s: float
    left_s: float


class Cache(Protocol):
    """Thread-safe and never raises."""

    def get(self, key: str, max_age_s: float = float("inf")) -> Kept | None:
        """The youngest that can be had, None when absent or expired.

        A copy at hand that is at most `max_age_s` old is good enough; where nothing younger exists, what comes is older
        all the same. The very same bytes put again are no news: their age goes on.
        """
        ...

    def put(self, key: str, value: bytes, ttl_s: float, *, lasting: bool = False) -> None:
        """`lasting`: within seconds it is in the database as well, where other processes find it without Redis."""
        ...


class Tier(Protocol):
    """One place where values are kept. Thread-safe. Every method may raise CacheDown."""

    def get(self, key: str) -> Kept | None:
        """None when absent or expired."""
        ...

    def put(self, key: str, kept: Kept) -> None: ...


class LastTier(Protocol):
    """The database, which is written by one thread, many values at once. Every method may raise CacheDown."""

    def get(self, key: str) -> Kept | None:
        """None when absent or expired."""
        ...

    def put_all(self, kept: Mapping[str, Kept]) -> None: ...

    def sweep(self) -> None:
        """Delete what has expired."""
        ...
