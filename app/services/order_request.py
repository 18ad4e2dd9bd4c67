"""What goes on the wire for an intent: the one place that says which price type and which prices are sent."""

from decimal import Decimal

from app.domain.contracts import ContractKey, PriceType, Product, Side
from app.domain.money import Units
from app.domain.orders import ModifyRequest, OrderRequest
from app.domain.price_types import AT_MARKET, USES_LIMIT, USES_TRIGGER, PriceTerms
from app.persistence.tables import Intent

TAG = "AlgoMirror"

NONE = Decimal(0)
"""On the wire: no such price."""


def terms_of(intent: Intent) -> PriceTerms:
    """The price type of an intent with the prices typed for it."""
    price_type = PriceType(intent.price_type)
    if price_type is PriceType.MARKET:
        return AT_MARKET
    return PriceTerms(
        price_type,
        intent.limit_price if price_type in USES_LIMIT else None,
        intent.trigger_price if price_type in USES_TRIGGER else None,
    )


def sent_as(intent: Intent) -> PriceTerms:
    """As `terms_of`, in the words of the wire: "market" is never sent as such, it is a limit."""
    terms = terms_of(intent)
    return terms if terms.is_typed else PriceTerms(PriceType.LIMIT, intent.limit_price)


def order_request(intent: Intent, limit: Decimal) -> OrderRequest:
    """The order of this intent. `limit` is the price it was judged at: typed, or the protected limit of "market"."""
    terms = terms_of(intent)
    price_type = terms.type if terms.is_typed else PriceType.LIMIT
    return _request(intent, price_type, limit if price_type in USES_LIMIT else NONE, terms.trigger or NONE)


def modify_request(intent: Intent, order_id: str) -> ModifyRequest:
    """The change that the trader asked for: the same order with the asked prices."""
    price_type = PriceType(intent.price_type)
    limit = intent.asked_limit if price_type in USES_LIMIT else None
    trigger = intent.asked_trigger if price_type in USES_TRIGGER else None
    return ModifyRequest(order_id, _request(intent, price_type, limit or NONE, trigger or NONE))


def _request(intent: Intent, price_type: PriceType, price: Decimal, trigger: Decimal) -> OrderRequest:
    return OrderRequest(
        contract=ContractKey(intent.exchange, intent.symbol),
        side=Side(intent.side),
        units=Units(intent.units),
        product=Product(intent.product),
        price_type=price_type,
        price=price,
        trigger_price=trigger,
        tag=TAG,
    )
