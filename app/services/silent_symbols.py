"""Finds the contract whose prices stopped while its neighbours' go on: names it, has it quoted and subscribed anew."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.books import Quote
from app.domain.contracts import UNDERLYINGS, ContractKey
from app.domain.errors import Unavailable
from app.ports.clock import Clock
from app.services.board_row import BoardArrival
from app.services.exact_figures import exact
from app.services.feed_pool import PUSHED_BY
from app.services.price_board import PriceBoard

SILENT_AFTER_S = 5.0
MOVING_WITHIN_S = 2.0
LOOK_EVERY_S = 0.4
ASK_EVERY_S = 10.0
UNANSWERED_AGAIN_S = 2.0
"""One whose silence is not judged yet is not left for ten seconds because a gateway failed once."""
ASK_AT_MOST = 100
RENEW_AT_MOST = 3
"""How often a contract whose pushes are missing is subscribed anew before it is only quoted."""

_MARKETS = {underlying.spot.exchange: underlying.exchange for underlying in UNDERLYINGS}
"""An index is a neighbour of its options, though its exchange has another name."""

Fetch = Callable[[Sequence[ContractKey]], Mapping[ContractKey, Quote]]
"""`Quotes.fetch`: quotes that go onto the board as well. Raises Unavailable."""
Renew = Callable[[Sequence[ContractKey]], None]
"""Has the feed ask for these contracts anew; returns at once."""


class Silence(StrEnum):
    """NEW: no answer yet. UNPUSHED: a quote shows that it trades. QUIET: a quote shows that nobody trades it."""

    NEW = "new"
    UNPUSHED = "unpushed"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class SilentContract:
    """`for_s`: seconds since it was pushed last, or since it was confirmed."""

    key: ContractKey
    silence: Silence
    for_s: float

    @property
    def words(self) -> str:
        said = {
            Silence.NEW: "no quote of it has been read yet",
            Silence.UNPUSHED: "a quote shows that it trades: its pushes are missing",
            Silence.QUIET: "a quote shows that nobody trades it",
        }[self.silence]
        return f"No tick for {self.for_s:.0f} s while others move; {said}."


class SilentSymbols:
    """`step` and `ask_step` are for a thread each, `found` for any. Nothing is silent while the market is closed."""

    def __init__(
        self,
        board: PriceBoard,
        confirmed: Callable[[], frozenset[ContractKey]],
        session_since: Callable[[], float | None],
        fetch: Fetch,
        renew: Renew,
        clock: Clock,
    ) -> None:
        """`confirmed` are the contracts that are pushed now; `session_since` is None while the market is closed."""
        self._board = board
        self._confirmed = confirmed
        self._session_since = session_since
        self._fetch = fetch
        self._renew = renew
        self._clock = clock
        self._heard: dict[ContractKey, float] = {}
        self._pushed: dict[ContractKey, BoardArrival] = {}
        self._verdicts: dict[ContractKey, Silence] = {}
        self._asked: dict[ContractKey, float] = {}
        self._renewed: Counter[ContractKey] = Counter()
        self._found: tuple[SilentContract, ...] = ()

    def found(self) -> tuple[SilentContract, ...]:
        """All that are silent just now, those that trade first."""
        return self._found

    def step(self) -> float:
        """Look at the newest tick of each contract. Never blocks."""
        now, confirmed, since = self._clock.monotonic(), self._confirmed(), self._session_since()
        if since is None or not confirmed:
            self._heard, self._pushed, self._found = {}, {}, ()
            return LOOK_EVERY_S
        self._listen(confirmed, now)
        moving = self._moving(now)
        silent = {
            key: now - max(at, since)
            for key, at in self._heard.items()
            if now - max(at, since) > SILENT_AFTER_S and not moving.get(_market(key), set()) <= {key}
        }
        self._verdicts = {key: said for key, said in self._verdicts.items() if key in silent}
        found = [SilentContract(key, self._verdicts.get(key, Silence.NEW), for_s) for key, for_s in silent.items()]
        self._found = tuple(sorted(found, key=lambda each: (_GRAVITY.index(each.silence), each.key.symbol)))
        return LOOK_EVERY_S

    def ask_step(self) -> float:
        """Quote what is silent: the quote goes onto the board, so that decisions have a price. May block."""
        now, found = self._clock.monotonic(), self._found
        self._asked = {each.key: self._asked[each.key] for each in found if each.key in self._asked}
        self._renewed = Counter({key: self._renewed[key] for key in self._asked})
        keys = [each.key for each in found if self._due(each, now)][:ASK_AT_MOST]
        if not keys:
            return LOOK_EVERY_S
        self._asked |= dict.fromkeys(keys, now)
        pushed = {key: self._pushed.get(key) for key in keys}
        try:
            quotes = self._fetch(keys)
        except Unavailable:
            return LOOK_EVERY_S  # nothing was learnt: they stay silent, and are asked for again
        said = {key: _verdict(pushed[key], quote) for key, quote in quotes.items() if key in pushed}
        self._verdicts |= said
        self._have_renewed([key for key in keys if said.get(key) is Silence.UNPUSHED])
        return LOOK_EVERY_S

    def _due(self, silent: SilentContract, now: float) -> bool:
        asked = self._asked.get(silent.key)
        again_s = UNANSWERED_AGAIN_S if silent.silence is Silence.NEW else ASK_EVERY_S
        return asked is None or now - asked >= again_s

    def _have_renewed(self, unpushed: Iterable[ContractKey]) -> None:
        again = [key for key in unpushed if self._renewed[key] < RENEW_AT_MOST]
        self._renewed.update(again)
        self._renew(again)

    def _listen(self, confirmed: Iterable[ContractKey], now: float) -> None:
        """A contract that was just confirmed is given its time from now on."""
        heard: dict[ContractKey, float] = {}
        pushed: dict[ContractKey, BoardArrival] = {}
        for key, price in self._board.arrivals(confirmed):
            heard[key] = self._heard.get(key, now)
            if price is not None and price.source.startswith(PUSHED_BY):
                heard[key] = price.received if key in self._heard else max(price.received, now)
                pushed[key] = price
            elif key in self._pushed:
                pushed[key] = self._pushed[key]  # a quote has taken its place on the board
        self._heard, self._pushed = heard, pushed

    def _moving(self, now: float) -> dict[str, set[ContractKey]]:
        """The contracts of each market that ticked a moment ago."""
        moving: dict[str, set[ContractKey]] = {}
        for key, at in self._heard.items():
            if now - at <= MOVING_WITHIN_S:
                moving.setdefault(_market(key), set()).add(key)
        return moving


_GRAVITY = (Silence.UNPUSHED, Silence.NEW, Silence.QUIET)


def _market(key: ContractKey) -> str:
    return _MARKETS.get(key.exchange, key.exchange)


def _verdict(pushed: BoardArrival | None, quote: Quote) -> Silence:
    if pushed is None or quote.ltp != exact(pushed.ltp):
        return Silence.UNPUSHED
    traded = quote.volume is not None and pushed.volume is not None and quote.volume > pushed.volume
    return Silence.UNPUSHED if traded else Silence.QUIET
