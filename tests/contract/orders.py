"""Orders that contract tests send."""

from decimal import Decimal

from app.domain.contracts import ContractKey, PriceType, Product, Side
from app.domain.money import Units
from app.domain.orders import OrderRequest


def market_buy(key: ContractKey, units: int) -> OrderRequest:
    return OrderRequest(
        contract=key,
        side=Side.BUY,
        units=Units(units),
        product=Product.NRML,
        price_type=PriceType.MARKET,
        price=Decimal(0),
        trigger_price=Decimal(0),
        tag="contract test",
    )
