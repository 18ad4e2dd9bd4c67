"""The virtual market: prices, depth and history of every contract at the clock's present moment."""

from datetime import date

from simulator.clock import VirtualClock
from simulator.contracts import Contract, ContractKey
from simulator.quotes import Bar, Depth, DepthLevel, Greeks, Quote


class Market:
    """Prices on demand. Everything is a function of the seed and the step, so asking changes nothing."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        """Interface first; the price paths arrive in the next commit."""
        self._seed = seed
        self._clock = clock

    def quote(self, contract: Contract) -> Quote:
        """The contract's quote now."""
        price = 100.0
        return Quote(price, 99.95, 100.05, price, price, price, price, 1000, 0, contract.lot_units, price,
                     self._clock.now_ms)  # fmt: skip

    def quotes(self, contracts: list[Contract]) -> dict[ContractKey, Quote]:
        """Many quotes at once, which is much cheaper than one by one."""
        return {contract.key: self.quote(contract) for contract in contracts}

    def depth(self, contract: Contract) -> Depth:
        """Five levels a side now."""
        return Depth(
            tuple(DepthLevel(round(99.95 - n * 0.05, 2), contract.lot_units * 10, 3) for n in range(5)),
            tuple(DepthLevel(round(100.05 + n * 0.05, 2), contract.lot_units * 10, 3) for n in range(5)),
            contract.lot_units * 50,
            contract.lot_units * 50,
        )

    def history(self, contract: Contract, interval: str, start: date, end: date) -> list[Bar]:
        """Bars of IST dates start..end inclusive, ascending, none after now. interval: 1m 3m 5m 10m 15m 30m 1h D.

        Raises ValueError for an interval the broker does not serve.
        """
        return []

    def spot(self, underlying: str) -> float:
        """The index's or equity's price now, rupees."""
        return 100.0

    def forward(self, underlying: str, expiry: date) -> float:
        """The forward at an expiry now, rupees."""
        return 100.0

    def greeks(self, contract: Contract) -> Greeks:
        """Greeks of an option by the model that prices it."""
        return Greeks(12.5, 0.5, 0.0008, -11.0, 14.0, -0.05)

    def move_index(self, name: str, *, percent: float | None = None, points: float | None = None,
                   over_seconds: float = 0.0) -> None:  # fmt: skip
        """Push an index by a percentage or by points, spread evenly over virtual seconds, on top of its own path.

        Raises ValueError for an unknown name, or unless exactly one of percent and points is given.
        """

    def set_price(self, key: ContractKey, price: float) -> None:
        """Shift one contract (or index) so that its price is this now; it moves on from there."""
