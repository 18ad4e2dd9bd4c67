"""What the price board keeps of one contract: ticks as they came, and when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from app.domain.contracts import ContractKey
from app.ports.feed import Tick


class BoardArrival(NamedTuple):
    """When and from where the newest price of a contract came or was confirmed, and what it was; see BoardPrice."""

    received: float
    source: str
    ltp: float
    volume: int | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What ticks that came together share: when they came, monotonic and in UTC, and from where."""

    received: float
    at: datetime
    source: str


class BoardRow:
    """One contract. Ticks are kept as they came; Decimals are made by whoever reads."""

    __slots__ = (
        "arrived",
        "confirmed",
        "day",
        "key",
        "latest",
        "quoted",
        "serial",
        "stamp",
        "touch",
        "touch_received",
        "watchers",
    )

    def __init__(self, key: ContractKey) -> None:
        self.key = key
        self.latest: Tick | None = None
        self.serial = 0
        self.quoted = False
        self.stamp: float | None = None
        self.arrived = _NEVER
        self.confirmed = _NEVER
        """When the newest price came or was found to stand still."""
        self.day: Tick | None = None
        self.touch: Tick | None = None
        self.touch_received = 0.0
        self.watchers: tuple[Callable[[], None], ...] = ()

    @property
    def newest(self) -> BoardArrival | None:
        """None when no price ever came."""
        if self.latest is None:
            return None
        volume = self.latest.figures.volume
        if volume is None:
            volume = (self.day or self.latest).figures.volume
        return BoardArrival(self.confirmed.received, self.confirmed.source, self.latest.ltp, volume)

    def take(self, tick: Tick, arrival: Arrival, *, quoted: bool = False) -> None:
        last = self.latest
        if tick.stamp is None or last is None or tick.stamp != last.stamp or tick.ltp != last.ltp:
            self.serial += 1  # else it is the same tick, brought twice
        self.latest, self.quoted = tick, quoted
        self.arrived = self.confirmed = arrival
        if tick.has_close or self.day is None:
            self.day = tick
        if tick.has_touch:
            self.touch, self.touch_received = tick, arrival.received


_NEVER = Arrival(0.0, datetime.min.replace(tzinfo=UTC), "")
