"""The broker's own margin for a basket of legs, or the words that say why there is no figure."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.contracts import ContractKey, Product, Side
from app.domain.errors import InvalidInput, Misconfigured, NotFound, Unavailable
from app.domain.money import Lots, units_of
from app.domain.plan import ResolvedLeg
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import GatewayError, MarginLeg
from app.services.gateways import Gateways
from app.services.quotes import Quotes

CACHED_S = 30.0
"""How long a figure may be used again where an old one will do; its date goes with it."""
MOST_CACHED = 1_000
MOST_LEGS = 50
"""The gateway takes no more in one basket."""


@dataclass(frozen=True, slots=True)
class MarginFigure:
    """`amount` in rupees for the whole basket, above 0; None when nobody gives one, and then `note` says why.

    `source` is whose figure it is. `at` is when it was asked for, by the market's time.
    """

    amount: Decimal | None
    source: str
    at: datetime
    note: str


_Asked = tuple[int, int, tuple[tuple[ContractKey, Side, int, Product], ...]]
"""An account, how many structures, and their legs."""


class MarginCalculator:
    """Thread-safe. Blocks on the network."""

    def __init__(self, gateways: Gateways, quotes: Quotes, clock: Clock, market_clock: MarketClock) -> None:
        self._gateways = gateways
        self._quotes = quotes
        self._clock = clock
        self._market_clock = market_clock
        self._known: dict[_Asked, tuple[float, MarginFigure]] = {}
        self._lock = threading.Lock()

    def recent(self, account_id: int, legs: Sequence[ResolvedLeg], structures: int) -> MarginFigure:
        """As `basket`, perhaps half a minute old: `at` says of when it is. What was not told is asked for again."""
        asked = (account_id, structures, tuple((leg.contract.key, leg.side, leg.ratio, leg.product) for leg in legs))
        with self._lock:
            kept = self._known.get(asked)
        if kept is not None and self._clock.monotonic() - kept[0] < CACHED_S:
            return kept[1]
        figure = self.basket(account_id, legs, structures)
        if figure.amount is not None:
            with self._lock:
                if len(self._known) >= MOST_CACHED:
                    self._known.clear()
                self._known[asked] = (self._clock.monotonic(), figure)
        return figure

    def basket(self, account_id: int, legs: Sequence[ResolvedLeg], structures: int) -> MarginFigure:
        """Margin for `structures` times the legs, hedge benefit included, as this account's broker reckons it.

        The gateway silently drops legs that it does not know and prices the rest, so every leg is quoted first: one
        without a price makes the whole figure unknown. Raises InvalidInput for a basket that cannot be asked about.
        """
        _checked(legs, structures)
        now = self._market_clock.now()
        try:
            name = self._gateways.name(account_id)
            amount = self._gateways.of(account_id).basket_margin(self._priced(legs, structures))
        except (GatewayError, Misconfigured, NotFound, Unavailable) as error:
            return MarginFigure(None, "", now, f"No margin figure: {error}")
        if amount <= 0:
            return MarginFigure(None, name, now, f"No margin figure: the broker of {name} says {amount}.")
        return MarginFigure(amount, name, now, f"The broker of {name} asks {amount:.2f} for the basket.")

    def _priced(self, legs: Sequence[ResolvedLeg], structures: int) -> list[MarginLeg]:
        keys = [leg.contract.key for leg in legs]
        prices = self._quotes.premiums(keys)
        unknown = [key.symbol for key in keys if key not in prices]
        if unknown:
            raise Unavailable(f"{', '.join(unknown)} is not quoted, and the broker would leave it out of the sum.")
        return [
            MarginLeg(
                contract=leg.contract.key,
                side=leg.side,
                units=units_of(Lots(leg.ratio * structures), leg.contract.lot_size),
                product=leg.product,
                price=prices[leg.contract.key],
            )
            for leg in legs
        ]


def _checked(legs: Sequence[ResolvedLeg], structures: int) -> None:
    if not legs or len(legs) > MOST_LEGS:
        raise InvalidInput("legs", f"A margin can be asked for 1 to {MOST_LEGS} legs, not {len(legs)}.")
    if structures < 1:
        raise InvalidInput("structures", f"A margin can be asked for 1 structure or more, not {structures}.")
