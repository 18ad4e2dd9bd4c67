"""The prices that pages show: the board's, and in a process that does not lead those that the leader told.

No decision reads what was told: rules, orders and previews ask the board or a gateway.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from app.domain.contracts import ContractKey
from app.ports.clock import Clock
from app.services.price_board import BoardPrice, PriceBoard
from app.services.told_market import ToldPrice

SAME_S = 0.05
"""What was told twice is as old both times, give or take the way it came."""


class Prices(Protocol):
    """What shows prices needs of them; as in PriceBoard."""

    def latest(self, key: ContractKey) -> BoardPrice | None: ...

    def age_s(self, key: ContractKey) -> float | None: ...

    def take_dirty(self, consumer: str) -> set[ContractKey]: ...


class ShownPrices:
    """The Prices port. Thread-safe: what was told is replaced as a whole. `take_dirty` is for one consumer."""

    def __init__(self, board: PriceBoard, clock: Clock, *, leads: Callable[[], bool]) -> None:
        self._board = board
        self._clock = clock
        self._leads = leads
        self._told: dict[ContractKey, BoardPrice] = {}
        self._seen: dict[ContractKey, BoardPrice] = {}

    def take(self, prices: Iterable[ToldPrice], told_at: float) -> None:
        """The leader's prices; `told_at` is on our monotonic clock. Contracts that are missing keep what they had."""
        before = self._told
        told = dict(before)
        for price in prices:
            key = ContractKey(price.exchange, price.symbol)
            found, known = price.on_board(told_at), before.get(key)
            if known is None or found.received > known.received + SAME_S or not _is_same(found, known):
                told[key] = found
        self._told = told

    def forget(self) -> None:
        """Nobody is followed any more."""
        self._told = {}

    def latest(self, key: ContractKey) -> BoardPrice | None:
        """The younger of the two; None when no price ever came. Says nothing about age: see `received`."""
        own = self._board.latest(key)
        if self._leads():
            return own
        told = self._told.get(key)
        if own is None or told is None:
            return own or told
        return own if own.received >= told.received else told

    def age_s(self, key: ContractKey) -> float | None:
        """Seconds since the price came or was confirmed; None when there is none."""
        price = self.latest(key)
        return None if price is None else max(0.0, self._clock.monotonic() - price.received)

    def take_dirty(self, consumer: str) -> set[ContractKey]:
        """Contracts with a new price since this was last asked."""
        dirty = self._board.take_dirty(consumer)
        if self._leads():
            return dirty
        told, seen = self._told, self._seen
        self._seen = told
        return dirty | {key for key, price in told.items() if seen.get(key) is not price}


def _is_same(one: BoardPrice, other: BoardPrice) -> bool:
    return (one.ltp, one.bid, one.ask, one.volume) == (other.ltp, other.bid, other.ask, other.volume)
