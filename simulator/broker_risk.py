"""The broker's risk desk: what margin an account uses, what it could still use, and whether an order may pass."""

from collections.abc import Iterable
from decimal import Decimal

from simulator.contracts import Contract, ContractKey
from simulator.floor import Floor, rupees
from simulator.holdings import MarginView
from simulator.ledger import Ledger, PositionKey, pays_premium
from simulator.margin import Exposure, margin_needed
from simulator.orders import ZERO, OrderRequest, Product
from simulator.working import Order


class BrokerRisk:
    """Reads the ledger and the working orders; changes nothing."""

    def __init__(self, floor: Floor, ledger: Ledger) -> None:
        """For one account."""
        self._floor = floor
        self._ledger = ledger

    def used(self, working: Iterable[Order]) -> Decimal:
        """Margin blocked: the larger of positions alone and positions with every working order filled."""
        held = self._held()
        alone = self._margin(held.values())
        together = self._margin(_added(held, [self._of_order(order) for order in working]).values())
        return max(_blocked(alone), _blocked(together))

    def available(self, working: list[Order]) -> Decimal:
        """Rupees a new order may use; negative after losses."""
        return self._ledger.cash - self.used(working) - sum((self._premium(order) for order in working), ZERO)

    def objection(self, order: Order, working: list[Order]) -> str:
        """The sentence of a margin rejection, empty when the order may pass. A reducing order always passes."""
        if self._reduces(order, working):
            return ""
        others = [other for other in working if other is not order]
        before = self.used(others)
        required = self.used([*others, order]) - before + self._premium(order)
        available = self._ledger.cash - before - sum((self._premium(other) for other in others), ZERO)
        if required <= available:
            return ""
        return f"RMS:Margin Exceeds, Required:{required:.2f}, Available:{max(available, ZERO):.2f}"

    def net_units(self, request: OrderRequest) -> int:
        """The position an order would change."""
        position = self._ledger.positions.get(PositionKey(request.symbol, request.exchange, request.product))
        return position.units if position is not None else 0

    def _reduces(self, order: Order, working: list[Order]) -> bool:
        net = self.net_units(order.request)
        pending = sum(
            other.remaining
            for other in working
            if other is not order
            and other.request.key == order.request.key
            and other.request.product == order.request.product
            and other.request.action == order.request.action
        )
        opposite = net < 0 if order.request.action == "BUY" else net > 0
        return opposite and order.remaining + pending <= abs(net)

    def _held(self) -> dict[tuple[ContractKey, Product], Exposure]:
        held = {}
        for key, position in self._ledger.positions.items():
            contract = self._floor.find(key.contract)
            if position.units and contract is not None:
                price = self._floor.ltp(contract)
                held[key.contract, key.product] = Exposure(contract, key.product, position.units, price)
        return held

    def _of_order(self, order: Order) -> Exposure:
        contract = self._floor.listed(order.request.key)
        units = order.remaining if order.request.action == "BUY" else -order.remaining
        return Exposure(contract, order.request.product, units, self._price(order, contract))

    def _price(self, order: Order, contract: Contract) -> Decimal:
        if order.price:
            return order.price
        quote = self._floor.quote(contract)
        return order.trigger_price or rupees(quote.ask if order.request.action == "BUY" else quote.ltp)

    def _premium(self, order: Order) -> Decimal:
        contract = self._floor.listed(order.request.key)
        if order.request.action != "BUY" or not pays_premium(contract, order.request.product):
            return ZERO
        return order.remaining * self._price(order, contract)

    def _margin(self, exposures: Iterable[Exposure]) -> MarginView:
        return margin_needed(self._floor.market, self._floor.clock.trading_date, exposures)


def _blocked(view: MarginView) -> Decimal:
    return view.span + view.exposure


def _added(
    held: dict[tuple[ContractKey, Product], Exposure], extra: Iterable[Exposure]
) -> dict[tuple[ContractKey, Product], Exposure]:
    together = dict(held)
    for leg in extra:
        key = (leg.contract.key, leg.product)
        before = together.get(key)
        units = leg.signed_units + (before.signed_units if before is not None else 0)
        together[key] = Exposure(leg.contract, leg.product, units, leg.price)
    return together
