"""A feed's listener that keeps what it hears."""

from app.domain.books import OrderUpdate
from app.ports.feed import Tick


class Listening:
    """The FeedListener port."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []
        self.updates: list[OrderUpdate] = []
        self.dropped: list[str] = []

    def tick(self, tick: Tick) -> None:
        self.ticks.append(tick)

    def order_update(self, update: OrderUpdate) -> None:
        self.updates.append(update)

    def dropped_frame(self, reason: str) -> None:
        self.dropped.append(reason)
