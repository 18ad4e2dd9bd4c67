"""A feed's listener that keeps what it hears."""

from collections.abc import Sequence

from app.domain.books import OrderUpdate
from app.ports.feed import Drop, Tick


class Listening:
    """The FeedListener port."""

    def __init__(self) -> None:
        self.came: list[Tick] = []
        self.updates: list[OrderUpdate] = []
        self.dropped: list[str] = []
        self.kinds: list[Drop] = []

    def ticks(self, ticks: Sequence[Tick]) -> None:
        self.came.extend(ticks)

    def order_update(self, update: OrderUpdate) -> None:
        self.updates.append(update)

    def dropped_frame(self, kind: Drop, reason: str) -> None:
        self.kinds.append(kind)
        self.dropped.append(reason)
