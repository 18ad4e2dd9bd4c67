"""The option chains of the followed indices: what is subscribed for them, what is quoted by REST, what a page shows."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from app.domain.calendar import trading_date
from app.domain.contracts import UNDERLYINGS, ContractKey, ContractMaster, Kind, underlying_named
from app.domain.errors import NotFound, Unavailable
from app.domain.strikes import atm as nearest_strike
from app.ports.clock import Clock, MarketClock
from app.ports.feed import FeedMode
from app.services.chain_view import ChainListing, ChainView, future_line, oldest, rows_of, totals_of
from app.services.contract_list import ContractList
from app.services.open_interest import OpenInterest
from app.services.price_board import BoardPrice, PriceBoard
from app.services.quotes import Quotes
from app.services.websocket_manager import WebSocketManager

STEP_S = 0.5
REACH = 20
"""Strikes shown on either side of the money."""
DEPTH_REACH = 2
STICKY = Decimal("0.75")
"""The window moves on when the spot is this part of the way to the next strike; half way would flutter."""
WATCHED_FOR_S = 60.0
SWEEP_EVERY_S = 5.0
SWEEP_AFTER_TROUBLE_S = 10.0
IDLE_PENALTY = REACH + 1
"""A chain that nobody looks at gives way: its strikes count as this many places further from the money."""

SPOTS, DEPTH, QUOTE = "chains.spots", "chains.depth", "chains.quote"

Named = tuple[str, date]


@dataclass(slots=True)
class _Demand:
    """A chain somebody looks at: until when, when it is to be quoted next, and why that failed the last time."""

    until: float
    sweep_at: float = 0.0
    trouble: str | None = None


@dataclass(slots=True)
class _Listings:
    """What was worked out from one contract master; a new master starts anew."""

    master: ContractMaster
    expiries: dict[str, tuple[date, ...]] = field(default_factory=dict)
    chains: dict[Named, ChainListing] = field(default_factory=dict)


class OptionChainManager:
    """`step` is for one thread, which may block on the network; everything else is thread-safe and does not."""

    def __init__(
        self,
        contracts: ContractList,
        board: PriceBoard,
        feed: WebSocketManager,
        quotes: Quotes,
        market_clock: MarketClock,
        clock: Clock,
        *,
        budget: int = 200,
    ) -> None:
        """`budget` is the most contracts to subscribe, those that others hold or watch included."""
        self._contracts = contracts
        self._board = board
        self._feed = feed
        self._quotes = quotes
        self._market_clock = market_clock
        self._clock = clock
        self._budget = budget
        self._reach, self._idle = REACH, True
        self._demands: dict[Named, _Demand] = {}
        self._centres: dict[Named, Decimal] = {}
        self._open_interest = OpenInterest()
        self._listings: _Listings | None = None

    def expiries(self, underlying: str) -> list[date]:
        """Listed expiries of its options that are not past, ascending. Raises NotFound, Unavailable without a list."""
        name = underlying_named(underlying).name
        known = self._known()
        if name not in known.expiries:
            known.expiries[name] = tuple(known.master.expiries(name))
        today = trading_date(self._market_clock.now())
        return [expiry for expiry in known.expiries[name] if expiry >= today]

    def looked_at(self, underlying: str, expiry: date) -> None:
        """Somebody looks at this chain: for the next minute it is subscribed and quoted. Raises as `expiries` does."""
        if expiry not in self.expiries(underlying):
            raise NotFound(f"{underlying} has no expiry on {expiry:%d %b %Y}.")
        until = self._clock.monotonic() + WATCHED_FOR_S
        self._demands.setdefault((underlying, expiry), _Demand(until)).until = until

    def view(self, underlying: str, expiry: date | None = None) -> ChainView:
        """The chain at this moment; of the nearest expiry when none is named.

        What is missing is said in `note`. Raises NotFound for an index or expiry that is not listed.
        """
        name = underlying_named(underlying).name
        try:
            expiries = self.expiries(name)
            wanted = expiry or next(iter(expiries), None)
            if wanted is None:
                reason = self._contracts.missing().get(underlying_named(name).exchange)
                return self._empty(name, (), None, reason or f"No options of {name} are listed today.")
            if wanted not in expiries:
                raise NotFound(f"{name} has no expiry on {wanted:%d %b %Y}. Choose one that is listed.")
            return self._view(self._listing((name, wanted)), tuple(expiries))
        except Unavailable as error:
            return self._empty(name, (), None, str(error))

    def limit(self, *, reach: int = REACH, idle: bool = True) -> None:
        """From now on subscribe only strikes that near to the money, and chains that nobody looks at only if `idle`."""
        self._reach, self._idle = reach, idle

    def step(self) -> float:
        """Follow the spot with the subscriptions, and quote one watched chain. Returns the seconds until the next."""
        now = self._clock.monotonic()
        for chain in [chain for chain, demand in list(self._demands.items()) if demand.until <= now]:
            del self._demands[chain]
        try:
            self._follow()
        except Unavailable:
            return STEP_S  # no contract list yet: pages say why, and there is nothing to subscribe
        self._sweep(now)
        return STEP_S

    def _view(self, listing: ChainListing, expiries: tuple[date, ...]) -> ChainView:
        now = self._clock.monotonic()
        spot = self._board.latest(underlying_named(listing.underlying).spot)
        if spot is None:
            note = f"There is no price of {listing.underlying} yet, so nobody can say where the money is."
            return self._empty(listing.underlying, expiries, listing.expiry, note)
        strikes = listing.window(nearest_strike(listing.strikes, spot.ltp), REACH)
        rows = rows_of(
            listing,
            strikes,
            spot.ltp,
            price_of=self._board.latest,
            open_interest=self._open_interest.known,
            now=now,
        )
        change, change_pct = _moved(spot)
        demand = self._demands.get((listing.underlying, listing.expiry))
        return ChainView(
            underlying=listing.underlying,
            underlyings=_names(),
            expiry=listing.expiry,
            expiries=expiries,
            spot=spot.ltp,
            spot_change=change,
            spot_change_pct=change_pct,
            spot_age_s=max(0.0, now - spot.received),
            atm=next((row.strike for row in rows if row.is_atm), None),
            future=future_line(listing.future, spot.ltp, self._board.latest),
            lot_size=listing.lot_size,
            age_s=oldest(rows),
            note=None if demand is None else demand.trouble,
            rows=rows,
            totals=totals_of(rows),
        )

    def _empty(self, name: str, expiries: tuple[date, ...], expiry: date | None, note: str) -> ChainView:
        return ChainView(
            underlying=name,
            underlyings=_names(),
            expiry=expiry,
            expiries=expiries,
            spot=None,
            spot_change=None,
            spot_change_pct=None,
            spot_age_s=None,
            atm=None,
            future=None,
            lot_size=None,
            age_s=None,
            note=note,
            rows=(),
            totals=None,
        )

    def _follow(self) -> None:
        """Subscribe spots and futures, then contracts by their places from the money, as far as the budget goes."""
        chains = self._chains()
        futures = {self._listing(chain).future for chain in chains}
        base = [underlying.spot for underlying in UNDERLYINGS] + [
            future.key for future in futures if future is not None
        ]
        self._feed.want(SPOTS, base, FeedMode.QUOTE)
        held = self._feed.wanted_by_others(SPOTS, DEPTH, QUOTE)
        left = self._budget - len(held | set(base))
        depth: list[ContractKey] = []
        quote: list[ContractKey] = []
        for places, _, key in sorted(place for chain in chains for place in self._places(chain)):
            if self._is_left_out(places):
                continue
            if key not in held:
                if left <= 0:
                    continue
                left -= 1
            (depth if places <= DEPTH_REACH else quote).append(key)
        self._feed.want(DEPTH, depth, FeedMode.DEPTH)
        self._feed.want(QUOTE, quote, FeedMode.QUOTE)

    def _is_left_out(self, places: int) -> bool:
        is_idle, away = divmod(places, IDLE_PENALTY)
        return away > self._reach or (bool(is_idle) and not self._idle)

    def _chains(self) -> list[Named]:
        """Those that are looked at, and the nearest expiry of each index."""
        nearest = [(each.name, expiries[0]) for each in UNDERLYINGS if (expiries := self.expiries(each.name))]
        listed = [chain for chain in list(self._demands) if chain[1] in self.expiries(chain[0])]
        return list(dict.fromkeys(listed + nearest))

    def _places(self, chain: Named) -> list[tuple[int, str, ContractKey]]:
        """Each contract in the window with its distance from the money in strikes; idle chains count as further out."""
        listing, centre = self._listing(chain), self._centre(chain)
        if centre is None:
            return []
        window = listing.window(centre, REACH)
        middle = window.index(centre)
        penalty = 0 if chain in self._demands else IDLE_PENALTY
        return [
            (abs(place - middle) + penalty, listing.underlying, contract.key)
            for place, strike in enumerate(window)
            for contract in listing.contracts([strike])
        ]

    def _centre(self, chain: Named) -> Decimal | None:
        """The strike the window stands on: it follows the money, but not to and fro between two strikes."""
        listing = self._listing(chain)
        price = self._board.latest(underlying_named(chain[0]).spot)
        if price is None or not listing.strikes:
            return None
        nearest, before = nearest_strike(listing.strikes, price.ltp), self._centres.get(chain)
        if before is not None and before in listing.strikes:
            near = abs(price.ltp - before) <= abs(nearest - before) * STICKY
            nearest = before if near else nearest
        self._centres[chain] = nearest
        return nearest

    def _sweep(self, now: float) -> None:
        """Quote the watched chain that is due the longest: bids, asks and open interest do not come with the feed."""
        due = [(demand.sweep_at, chain) for chain, demand in list(self._demands.items()) if demand.sweep_at <= now]
        if not due:
            return
        chain = min(due)[1]
        demand, centre = self._demands[chain], self._centre(chain)
        listing = self._listing(chain)
        contracts = [] if centre is None else listing.contracts(listing.window(centre, REACH))
        if listing.future is not None:
            contracts.append(listing.future)
        try:
            quotes = self._quotes.fetch([underlying_named(chain[0]).spot, *(each.key for each in contracts)])
        except Unavailable as error:
            demand.trouble = f"These prices could not be refreshed. {error}"
            demand.sweep_at = self._clock.monotonic() + SWEEP_AFTER_TROUBLE_S
            return
        self._open_interest.take(quotes)
        demand.trouble = None
        ended = self._clock.monotonic()
        # A gateway that quotes one contract after the other is not kept busy with nothing else.
        pause_s = 0.0 if centre is None else max(SWEEP_EVERY_S, 5 * (ended - now))
        demand.sweep_at = ended + pause_s

    def _known(self) -> _Listings:
        """Raises Unavailable while there is no contract list."""
        master, known = self._contracts.master(), self._listings
        if known is None or known.master is not master:
            known = self._listings = _Listings(master)
        return known

    def _listing(self, chain: Named) -> ChainListing:
        known = self._known()
        if chain not in known.chains:
            known.chains[chain] = _listed(known.master, *chain)
        return known.chains[chain]


def _listed(master: ContractMaster, underlying: str, expiry: date) -> ChainListing:
    kinds = (Kind.CE, Kind.PE)
    pairs = [(strike, kind) for kind in kinds for strike in master.strikes(underlying, expiry, kind)]
    options = {(strike, kind): master.option(underlying, expiry, kind, strike) for strike, kind in pairs}
    futures = master.expiries(underlying, futures=True)
    last = next((each for each in futures if each >= expiry), futures[-1] if futures else None)
    return ChainListing(
        underlying=underlying,
        expiry=expiry,
        strikes=tuple(sorted({strike for strike, _ in pairs})),
        options=options,
        future=None if last is None else master.future(underlying, last),
        lot_size=next(iter(options.values())).lot_size,
    )


def _moved(price: BoardPrice) -> tuple[Decimal | None, Decimal | None]:
    """Change against the previous close, in points and in percent."""
    before = price.previous_close
    if not before:
        return None, None
    return price.ltp - before, (price.ltp - before) * 100 / before


def _names() -> tuple[str, ...]:
    return tuple(underlying.name for underlying in UNDERLYINGS)
