"""Reads one book of many accounts side by side within a deadline, and keeps the last good copy of each with its age."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from app.domain.books import BrokerOrder, BrokerPosition, BrokerTrade, Funds, Holding, Read
from app.domain.errors import Misconfigured, NotFound
from app.ports.cache import Cache
from app.ports.clock import Clock
from app.ports.gateway import Gateway, GatewayError
from app.services.accounts import AccountRow
from app.services.gateways import Gateways

T = TypeVar("T")

KEPT_S = 12 * 3600.0
"""How long a last good copy is worth showing: a trading day."""


@dataclass(frozen=True, slots=True)
class Book(Generic[T]):
    """One kind of book: how it is asked for, and what reads the copy that was kept."""

    name: str
    ask: Callable[[Gateway], T]
    kept: msgspec.json.Decoder[Read[T]]


ORDERS = Book("orders", lambda gateway: gateway.order_book(), msgspec.json.Decoder(Read[list[BrokerOrder]]))
TRADES = Book("trades", lambda gateway: gateway.trade_book(), msgspec.json.Decoder(Read[list[BrokerTrade]]))
POSITIONS = Book("positions", lambda gateway: gateway.position_book(), msgspec.json.Decoder(Read[list[BrokerPosition]]))
HOLDINGS = Book("holdings", lambda gateway: gateway.holdings(), msgspec.json.Decoder(Read[list[Holding]]))
FUNDS = Book("funds", lambda gateway: gateway.funds(), msgspec.json.Decoder(Read[Funds]))


@dataclass(frozen=True, slots=True)
class AccountBook(Generic[T]):
    """One account's book. `reason` says why it could not be read now; then `value` is the last good copy, or None.

    `age_s` and `at` are those of `value`; both None when it was never read.
    """

    account: AccountRow
    value: T | None
    at: datetime | None
    age_s: float | None
    reason: str | None


class BookReader:
    """Thread-safe. At most one read of a book is under way for each account, however many pages ask."""

    def __init__(
        self,
        gateways: Gateways,
        executor: Executor,
        cache: Cache,
        clock: Clock,
        *,
        deadline_s: float = 8.0,
        may_ask: Callable[[int], None] = lambda _account_id: None,
    ) -> None:
        """`may_ask` raises a GatewayError for an account whose gateway is to be left alone for now."""
        self._gateways = gateways
        self._executor = executor
        self._cache = cache
        self._clock = clock
        self._deadline_s = deadline_s
        self._may_ask = may_ask
        self._under_way: dict[tuple[int, str], Future[Any]] = {}
        self._guard = threading.Lock()

    def read(self, book: Book[T], accounts: Sequence[AccountRow]) -> list[AccountBook[T]]:
        """One result for each account, in their order; waits no longer than the deadline.

        A read that comes in later still becomes the last good copy.
        """
        futures = [self._begin(book, account) for account in accounts]
        wait(futures, timeout=self._deadline_s)
        return [self._result(book, account, future) for account, future in zip(accounts, futures, strict=True)]

    def _begin(self, book: Book[T], account: AccountRow) -> Future[Read[T]]:
        place = (account.id, _key(book, account))
        with self._guard:
            known = self._under_way.get(place)
            if known is None or known.done():
                known = self._executor.submit(self._ask, book, account)
                self._under_way[place] = known
            return known

    def _ask(self, book: Book[T], account: AccountRow) -> Read[T]:
        self._may_ask(account.id)
        read = Read(book.ask(self._gateways.of(account.id)), self._clock.now())
        self._cache.put(_key(book, account), msgspec.json.encode(read), KEPT_S)
        return read

    def _result(self, book: Book[T], account: AccountRow, future: Future[Read[T]]) -> AccountBook[T]:
        if not future.done():
            return self._last(book, account, f"It did not answer within {self._deadline_s:g} s.")
        try:
            read = future.result()
        except (GatewayError, NotFound, Misconfigured) as failed:
            return self._last(book, account, str(failed))
        return self._from(account, read, None)

    def _last(self, book: Book[T], account: AccountRow, reason: str) -> AccountBook[T]:
        kept = self._cache.get(_key(book, account))
        if kept is None:
            return AccountBook(account, None, None, None, reason)
        return self._from(account, book.kept.decode(kept.value), reason)

    def _from(self, account: AccountRow, read: Read[T], reason: str | None) -> AccountBook[T]:
        age_s = max(0.0, (self._clock.now() - read.at).total_seconds())
        return AccountBook(account, read.value, read.at, age_s, reason)


def _key(book: Book[T], account: AccountRow) -> str:
    """A copy belongs to an account at an address: another gateway's book is never shown as this one's."""
    place = hashlib.sha256(account.host_url.encode()).hexdigest()[:12]
    return f"book:{account.id}:{place}:{book.name}"
