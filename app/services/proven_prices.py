"""The prices that rules decide by: of each held contract the newest that is borne out, and which are in doubt."""

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.domain.contracts import ContractKey, Kind
from app.domain.pnl import MARK_MAX_AGE_S, Mark
from app.domain.proven import NOTHING, Belief, weighed
from app.ports.clock import Clock
from app.services.price_board import PriceBoard
from app.services.prints import print_of
from app.services.run_board import RunView

JUST_ENTERED_S = 60.0
"""What a contract was entered at stands for its price before the first for so long."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What a run is judged by, of one moment. A contract without a price that counts is not in `marks`.

    `in_doubt` are contracts whose mark may be overtaken: a newer price is not borne out, or none has come since the
    feed was lost. A mark too old to be fresh is none of them: it counts as missing.
    """

    marks: Mapping[ContractKey, Mark]
    in_doubt: frozenset[ContractKey]


class ProvenPrices:
    """Thread-safe. A price is weighed when somebody looks; whoever looks second finds it as the first left it."""

    def __init__(self, board: PriceBoard, clock: Clock, gap_from: Callable[[], float | None]) -> None:
        """`gap_from`: pushed prices that came until then (monotonic) are of before the feed was lost."""
        self._board = board
        self._clock = clock
        self._gap_from = gap_from
        self._beliefs: dict[ContractKey, Belief] = {}
        self._lock = threading.Lock()
        self.ask: Callable[[], None] = lambda: None
        """Called when a price is doubted that was not: it is to be quoted at once."""

    def of(self, view: RunView) -> Proven:
        """What this run is judged by now."""
        futures = {key for key, kind in view.owned if kind is Kind.FUT}
        gap, marks = self._gap(), {}
        now, is_new = self._clock.monotonic(), False
        with self._lock:
            for key in view.held:
                latest = self._board.latest(key)
                if latest is None:
                    continue
                before = self._beliefs.get(key, NOTHING)
                entered_at = self._entered_at(view, key) if before.proven is None else None
                found = self._beliefs[key] = weighed(
                    before, print_of(latest), is_future=key in futures, entered_at=entered_at, gap_from=gap
                )
                is_new = is_new or (found.doubted is not None and before.doubted is None)
                if found.proven is not None:
                    marks[key] = Mark(found.proven.value, now - found.proven.received, latest.bid, latest.ask)
            in_doubt = self._overtaken(view.held, gap, now)
        if is_new:
            self.ask()
        return Proven(marks, in_doubt)

    def marks(self, view: RunView) -> Mapping[ContractKey, Mark]:
        """The prices that count; a contract without one is left out."""
        return self.of(view).marks

    def in_doubt(self, keys: Iterable[ContractKey]) -> frozenset[ContractKey]:
        """As of the last look: which of these have a mark that is fresh and may be overtaken."""
        gap, now = self._gap(), self._clock.monotonic()
        with self._lock:
            return self._overtaken(keys, gap, now)

    def to_ask(self, keys: Iterable[ContractKey]) -> frozenset[ContractKey]:
        """Which of these a quote would settle at once."""
        with self._lock:
            doubted = {key for key in keys if self._beliefs.get(key, NOTHING).doubted is not None}
        return self.in_doubt(keys) | doubted

    def keep(self, keys: frozenset[ContractKey]) -> None:
        """Nobody holds others any more."""
        with self._lock:
            self._beliefs = {key: each for key, each in self._beliefs.items() if key in keys}

    def _overtaken(self, keys: Iterable[ContractKey], gap: float, now: float) -> frozenset[ContractKey]:
        found = set()
        for key in keys:
            belief = self._beliefs.get(key, NOTHING)
            last = belief.proven
            if last is None or now - last.received > MARK_MAX_AGE_S:
                continue
            if belief.doubted is not None or last.received <= gap:
                found.add(key)
        return frozenset(found)

    def _gap(self) -> float:
        gap = self._gap_from()
        return -math.inf if gap is None else gap

    def _entered_at(self, view: RunView, key: ContractKey) -> Decimal | None:
        """What it was bought or sold at a moment ago; None where that is long ago, or not known."""
        now = self._clock.now()
        for cell in view.cells:
            if cell.contract.key != key or cell.average is None or cell.since is None:
                continue
            if 0.0 <= (now - cell.since).total_seconds() <= JUST_ENTERED_S:
                return cell.average
        return None
