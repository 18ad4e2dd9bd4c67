"""Which strikes of a chain are looked at: around the money as it moves, and whatever is in use."""

from collections.abc import Collection
from decimal import Decimal

from app.domain.contracts import ContractKey, underlying_named
from app.domain.strikes import atm as nearest_strike
from app.services.chain_listings import Named
from app.services.chain_view import ChainListing
from app.services.price_board import PriceBoard

REACH = 20
"""Strikes on either side of the middle."""
LEAP = 5
"""Strikes the money may be from the middle before the window moves: rows of an open page do not come and go."""
FARTHEST = REACH + LEAP - 1
"""Strikes from the money to the far end of the window."""
STICKY = Decimal("0.75")
"""The centre moves on when the spot is this part of the way to the next strike; half way would flutter."""


class ChainWindows:
    """Thread-safe: what is remembered is one strike for each chain, and any thread may put it right."""

    def __init__(self, board: PriceBoard) -> None:
        self._board = board
        self._centres: dict[Named, Decimal] = {}
        self._middles: dict[Named, Decimal] = {}

    def centre(self, listing: ChainListing) -> Decimal | None:
        """The strike that counts as the money: it follows the spot, but not to and fro. None without a spot."""
        price = self._board.latest(underlying_named(listing.underlying).spot)
        if price is None or not listing.strikes:
            return None
        chain = (listing.underlying, listing.expiry)
        nearest, before = nearest_strike(listing.strikes, price.ltp), self._centres.get(chain)
        if before is not None and before in listing.strikes:
            near = abs(price.ltp - before) <= abs(nearest - before) * STICKY
            nearest = before if near else nearest
        self._centres[chain] = nearest
        return nearest

    def strikes(self, listing: ChainListing, in_use: Collection[ContractKey]) -> tuple[Decimal, ...]:
        """Ascending; those of contracts in use wherever they are. Empty without a spot."""
        centre = self.centre(listing)
        if centre is None:
            return ()
        chain, places = (listing.underlying, listing.expiry), listing.strikes
        middle = self._middles.get(chain)
        if middle not in places or abs(places.index(middle) - places.index(centre)) >= LEAP:
            middle = self._middles[chain] = centre
        window = listing.window(middle, REACH)
        used = {strike for (strike, _), option in listing.options.items() if option.key in in_use}
        return tuple(sorted(used.union(window))) if used else window
