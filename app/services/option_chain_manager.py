"""The option chains of the followed indices: what is subscribed for them, what is quoted by REST, what a page shows."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zlib import crc32

from app.domain.contracts import UNDERLYINGS, ContractKey, underlying_named
from app.domain.errors import NotFound, Unavailable
from app.domain.strikes import atm as nearest_strike
from app.ports.clock import Clock, MarketClock
from app.ports.feed import FeedMode
from app.services.chain_greeks import ChainGreeks, forward_of
from app.services.chain_listings import ChainListings, Named, names
from app.services.chain_rows import Sources, doubted, future_line, oldest, rows_of, totals_of
from app.services.chain_sweep import ChainSweep, Demand
from app.services.chain_view import NO_FORWARD, ChainListing, ChainView, OptionFigures, SyntheticLine, plain
from app.services.chain_whole import WholeChains
from app.services.chain_window import FARTHEST, ChainWindows
from app.services.contract_list import ContractList
from app.services.earlier_interest import EarlierInterest
from app.services.expiry_closes import ExpiryCloses
from app.services.open_interest import FORGOTTEN_AFTER_S, OpenInterest
from app.services.price_board import BoardDepth, BoardPrice, PriceBoard
from app.services.quotes import Quotes
from app.services.websocket_manager import WebSocketManager

STEP_S = 0.5
DEPTH_REACH = 2
WATCHED_FOR_S = 60.0
DEEP_FOR_S = 10.0
IDLE_PENALTY = FARTHEST + 1
"""A chain that nobody looks at gives way: its strikes count as this many places further from the money."""

SPOTS, DEPTH, QUOTE = "chains.spots", "chains.depth", "chains.quote"


@dataclass(frozen=True, slots=True)
class _Reckoned:
    """What the prices of a chain amount to; `why_not` there are no figures, None when there are."""

    figures: dict[ContractKey, OptionFigures | None]
    synthetic: SyntheticLine | None
    closes: datetime | None
    why_not: str | None


class OptionChainManager:
    """`step` is for one thread, which may block on the network; everything else is thread-safe and does not."""

    def __init__(
        self,
        contracts: ContractList,
        board: PriceBoard,
        feed: WebSocketManager,
        quotes: Quotes,
        *,
        closes: ExpiryCloses,
        earlier: EarlierInterest,
        market_clock: MarketClock,
        clock: Clock,
        budget: int = 200,
    ) -> None:
        """`budget` is the most contracts to subscribe, those that others hold or watch included."""
        self._board = board
        self._feed = feed
        self._closes = closes
        self.earlier = earlier
        """Its `step` is for a thread of its own."""
        self._market_clock = market_clock
        self._clock = clock
        self._budget = budget
        self._reach, self._idle = FARTHEST, True
        self._listings = ChainListings(contracts, market_clock)
        self._windows = ChainWindows(board)
        self._greeks = ChainGreeks()
        self._open_interest = OpenInterest()
        self._whole = WholeChains()
        self._sweep = ChainSweep(quotes, self._open_interest, clock, near=self._near, far=self._far)
        self._demands: dict[Named, Demand] = {}
        self._deep: dict[ContractKey, float] = {}
        self._in_use: frozenset[ContractKey] = frozenset()

    def expiries(self, underlying: str) -> list[date]:
        """Listed expiries of its options that are not past, ascending. Raises NotFound, Unavailable without a list."""
        return self._listings.expiries(underlying)

    def looked_at(self, underlying: str, expiry: date) -> None:
        """Somebody looks at this chain: for the next minute it is subscribed and quoted. Raises as `expiries` does."""
        if expiry not in self.expiries(underlying):
            raise NotFound(f"{underlying} has no expiry on {expiry:%d %b %Y}.")
        until = self._clock.monotonic() + WATCHED_FOR_S
        self._demands.setdefault((underlying, expiry), Demand(until)).until = until

    def depth(self, key: ContractKey) -> BoardDepth | None:
        """What the market bids and offers for one option; it is subscribed in depth for as long as this is asked.

        None while nothing came. Raises NotFound for what is no listed option, Unavailable without a list.
        """
        self.check_listed(key)
        self._deep[key] = self._clock.monotonic() + DEEP_FOR_S
        return self._board.depth(key)

    def check_listed(self, key: ContractKey) -> None:
        """Raises NotFound for what is no listed option, Unavailable without a list."""
        if self._listings.chain_of(key) is None:
            raise NotFound(f"{key.symbol} is not an option of a chain that is followed here.")

    def view(self, underlying: str, expiry: date | None = None) -> ChainView:
        """The chain at this moment; of the nearest expiry when none is named.

        What is missing is said in `note`. Raises NotFound for an index or expiry that is not listed.
        """
        name = underlying_named(underlying).name
        try:
            expiries = self.expiries(name)
            wanted = expiry or next(iter(expiries), None)
            if wanted is None:
                reason = self._listings.missing(name) or f"No options of {name} are listed today."
                return ChainView(name, names(), None, (), note=reason)
            if wanted not in expiries:
                raise NotFound(f"{name} has no expiry on {wanted:%d %b %Y}. Choose one that is listed.")
            return self._view(self._listings.chain((name, wanted)), tuple(expiries))
        except Unavailable as error:
            return ChainView(name, names(), None, (), note=str(error))

    def limit(self, *, reach: int = FARTHEST, idle: bool = True) -> None:
        """From now on subscribe and quote only strikes that near to the money, and idle chains only if `idle`.

        Idle are those that nobody looks at. What others hold or watch, and what is shown in depth, stays.
        """
        self._reach, self._idle = reach, idle

    def step(self) -> float:
        """Follow the spot with the subscriptions, and quote one watched chain. Returns the seconds until the next."""
        now = self._clock.monotonic()
        for chain in [chain for chain, demand in list(self._demands.items()) if demand.until <= now]:
            del self._demands[chain]
        for key in [key for key, until in list(self._deep.items()) if until <= now]:
            del self._deep[key]
        try:
            self._follow()
            self.earlier.want(self._wanted_interest())
        except Unavailable:
            return STEP_S  # no contract list yet: pages say why, and there is nothing to subscribe
        self._closes.step()
        self._sweep.step(dict(self._demands))
        return STEP_S

    def _view(self, listing: ChainListing, expiries: tuple[date, ...]) -> ChainView:
        now, name = self._clock.monotonic(), listing.underlying
        spot = self._board.latest(underlying_named(name).spot)
        if spot is None:
            note = f"There is no price of {name} yet, so nobody can say where the money is."
            return ChainView(name, names(), listing.expiry, expiries, note=note)
        strikes = self._windows.strikes(listing, self._in_use)
        found = {each.key: self._board.latest(each.key) for each in listing.contracts(strikes)}
        prices = {key: price for key, price in found.items() if price is not None}
        reckoned = self._reckon(listing, strikes, spot.ltp, prices, now)
        known, earlier = self._open_interest, self.earlier.known
        rows = rows_of(
            listing, strikes, spot.ltp, Sources(prices, known.known, earlier, reckoned.figures, self._in_use, now)
        )
        change, change_pct = _moved(spot)
        demand = self._demands.get((name, listing.expiry))
        return ChainView(
            underlying=name,
            underlyings=names(),
            expiry=listing.expiry,
            expiries=expiries,
            spot=spot.ltp,
            spot_change=change,
            spot_change_pct=change_pct,
            spot_age_s=max(0.0, now - spot.received),
            atm=next((row.strike for row in rows if row.is_atm), None),
            future=future_line(listing.future, spot.ltp, self._board.latest),
            synthetic=reckoned.synthetic,
            closes=reckoned.closes,
            no_greeks=reckoned.why_not,
            lot_size=listing.lot_size,
            age_s=oldest(rows),
            note=None if demand is None else demand.trouble,
            oi_doubted=doubted(rows, known.in_doubt, earlier),
            layout=crc32(" ".join(map(str, strikes)).encode()),
            rows=rows,
            totals=totals_of(rows, self._whole.of(listing, known.known, self._volume_of)),
        )

    def _reckon(
        self,
        listing: ChainListing,
        strikes: tuple[Decimal, ...],
        spot: Decimal,
        prices: dict[ContractKey, BoardPrice],
        now: float,
    ) -> _Reckoned:
        forward = forward_of(listing, spot, prices, now)
        synthetic = None if forward is None else _synthetic(listing, forward, spot)
        closes = self._closes.of(listing.exchange, listing.expiry)
        at = self._market_clock.now()
        if closes is None:
            why = f"The session of {listing.expiry:%d %b} is not known yet: no volatility without its close."
        elif closes <= at:
            why = "These options have expired."
        elif forward is None:
            why = NO_FORWARD
        else:
            contracts = listing.contracts(strikes)
            return _Reckoned(
                self._greeks.of(contracts, prices, forward, closes, at=at, now=now), synthetic, closes, None
            )
        return _Reckoned({}, synthetic, closes, why)

    def _follow(self) -> None:
        """Subscribe spots and futures, then contracts by their places from the money, as far as the budget goes."""
        held = self._in_use = self._feed.wanted_by_others(SPOTS, DEPTH, QUOTE)
        chains = self._chains()
        listings = [self._listings.chain(chain) for chain in chains]
        for each in listings:
            self._closes.of(each.exchange, each.expiry)  # asked for before anybody looks
        futures = {each.future for each in listings}
        base = [underlying.spot for underlying in UNDERLYINGS] + [
            future.key for future in futures if future is not None
        ]
        self._feed.want(SPOTS, base, FeedMode.QUOTE)
        left = self._budget - len(held | set(base))
        depth: list[ContractKey] = []
        quote: list[ContractKey] = []
        places = {key: place for chain in chains for key, place in self._places(chain).items()}
        ranked = {key: place for key, place in places.items() if not self._is_left_out(place[0])}
        ranked |= dict.fromkeys(self._deep, (-1, date.min, ""))
        for key in sorted(ranked, key=lambda key: (ranked[key], key)):
            if key not in held:
                if left <= 0:
                    continue
                left -= 1
            (depth if ranked[key][0] <= DEPTH_REACH else quote).append(key)
        self._feed.want(DEPTH, depth, FeedMode.DEPTH)
        self._feed.want(QUOTE, quote, FeedMode.QUOTE)

    def _is_left_out(self, places: int) -> bool:
        is_idle, away = divmod(places, IDLE_PENALTY)
        return away > self._reach or (bool(is_idle) and not self._idle)

    def _chains(self) -> list[Named]:
        """Those that are looked at, the nearest expiry of each index, and those of which something is in use."""
        nearest = [(each.name, expiries[0]) for each in UNDERLYINGS if (expiries := self.expiries(each.name))]
        listed = [chain for chain in list(self._demands) if chain[1] in self.expiries(chain[0])]
        used = sorted({chain for key in self._in_use if (chain := self._listings.chain_of(key)) is not None})
        return list(dict.fromkeys(listed + nearest + used))

    def _places(self, chain: Named) -> dict[ContractKey, tuple[int, date, str]]:
        """How each contract of the window ranks: by strikes from the money, idle chains further out, then by expiry."""
        listing = self._listings.chain(chain)
        centre = self._windows.centre(listing)
        if centre is None:
            return {}
        middle = listing.strikes.index(centre)
        penalty = 0 if chain in self._demands else IDLE_PENALTY
        return {
            contract.key: (abs(listing.strikes.index(strike) - middle) + penalty, listing.expiry, listing.underlying)
            for strike in self._windows.strikes(listing, ())
            for contract in listing.contracts([strike])
        }

    def _wanted_interest(self) -> list[ContractKey]:
        """Of the chains that are looked at, from the money outwards."""
        places = {key: place for chain in list(self._demands) for key, place in self._places(chain).items()}
        return sorted(places, key=lambda key: (places[key], key))

    def _near(self, chain: Named) -> list[ContractKey]:
        """The index, what the page shows of the chain, and its future; while far strikes are given up, not those."""
        listing = self._listings.chain(chain)
        strikes = [strike for strike in self._windows.strikes(listing, self._in_use) if self._is_swept(listing, strike)]
        keys = [underlying_named(chain[0]).spot, *(each.key for each in listing.contracts(strikes))]
        return keys if listing.future is None else [*keys, listing.future.key]

    def _far(self, chain: Named) -> list[ContractKey]:
        """The strikes that no page shows, from the money outwards."""
        listing = self._listings.chain(chain)
        centre = self._windows.centre(listing)
        if centre is None or self._reach < FARTHEST:
            return []
        shown = set(self._windows.strikes(listing, self._in_use))
        far = sorted((strike for strike in listing.strikes if strike not in shown), key=lambda each: abs(each - centre))
        return [contract.key for contract in listing.contracts(far)]

    def _is_swept(self, listing: ChainListing, strike: Decimal) -> bool:
        centre = self._windows.centre(listing)
        if centre is None:
            return False
        if abs(listing.strikes.index(strike) - listing.strikes.index(centre)) <= self._reach:
            return True
        kept = self._in_use | self._deep.keys()
        return any(contract.key in kept for contract in listing.contracts([strike]))

    def _volume_of(self, key: ContractKey) -> int | None:
        """Units traded today; None where nobody has said so lately."""
        price = self._board.latest(key)
        if price is None or self._clock.monotonic() - price.received >= FORGOTTEN_AFTER_S:
            return None
        return price.volume


def _moved(price: BoardPrice) -> tuple[Decimal | None, Decimal | None]:
    """Change against the previous close, in points and in percent."""
    before = price.previous_close
    if not before:
        return None, None
    return price.ltp - before, (price.ltp - before) * 100 / before


def _synthetic(listing: ChainListing, forward: float, spot: Decimal) -> SyntheticLine:
    price = Decimal(f"{forward:.2f}")
    return SyntheticLine(price, price - spot, plain(nearest_strike(listing.strikes, price)))
