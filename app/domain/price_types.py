"""The price type of a leg with the prices typed for it, and every reason not to send it as typed."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.contracts import Kind, PriceType, Side
from app.domain.errors import InvalidInput, Refused
from app.domain.prices import PriceBand, Touch
from app.domain.wording import price as words


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """How a leg is priced. MARKET means our protected limit; the others go as typed and rest until they fill.

    `limit` is None for MARKET and SL-M, `trigger` for MARKET and LIMIT.
    """

    type: PriceType = PriceType.MARKET
    limit: Decimal | None = None
    trigger: Decimal | None = None

    @property
    def is_typed(self) -> bool:
        return self.type is not PriceType.MARKET

    @property
    def reckoned(self) -> Decimal | None:
        """The price that the order is reckoned at: its limit, for SL-M its trigger; None for MARKET."""
        return self.limit if self.limit is not None else self.trigger

    def words(self) -> str:
        """`LIMIT 120.05`, `SL 120.05, trigger 119.00`."""
        parts = [] if self.limit is None else [words(self.limit)]
        parts += [] if self.trigger is None else [f"trigger {words(self.trigger)}"]
        return f"{self.type.value} {', '.join(parts)}".rstrip()


AT_MARKET = PriceTerms()

USES_LIMIT = frozenset({PriceType.LIMIT, PriceType.SL})
USES_TRIGGER = frozenset({PriceType.SL, PriceType.SLM})


def check_terms(kind: Kind, side: Side, terms: PriceTerms) -> None:
    """Raise InvalidInput for what cannot be, whatever the contract. Fields: price_type, limit_price, trigger_price."""
    if terms.type is PriceType.SLM and kind.is_option:
        raise InvalidInput(
            "price_type",
            "SL-M is not taken for options: nobody knows what it would fill at. Choose SL and give a limit.",
        )
    _check_use("limit_price", "limit", terms.limit, terms.type, uses=terms.type in USES_LIMIT)
    _check_use("trigger_price", "trigger", terms.trigger, terms.type, uses=terms.type in USES_TRIGGER)
    if terms.limit is not None and terms.trigger is not None and (terms.limit - terms.trigger) * side.sign < 0:
        relation = "at or above" if side is Side.BUY else "at or below"
        raise InvalidInput(
            "limit_price",
            f"The limit of a stop that will {side} must be {relation} its trigger of {words(terms.trigger)}, "
            f"not {words(terms.limit)}: it could not fill when it triggers.",
        )


def _check_use(field: str, what: str, value: Decimal | None, price_type: PriceType, *, uses: bool) -> None:
    if uses and value is None:
        raise InvalidInput(field, f"{price_type} needs a {what} price. Type one, or choose MARKET.")
    if not uses and value is not None:
        raise InvalidInput(field, f"{price_type} takes no {what} price. Empty it, or choose another price type.")
    if value is not None and not (value.is_finite() and value > 0):
        raise InvalidInput(field, f"The {what} price must be above 0.")


def check_tick(terms: PriceTerms, tick: Decimal) -> None:
    """Raise InvalidInput when a typed price is not on the contract's tick: it is never rounded silently."""
    for field, what, value in _fields(terms):
        if value % tick:
            below = value // tick * tick
            near = f"{words(below)} or {words(below + tick)}" if below > 0 else words(tick)
            raise InvalidInput(
                field, f"The {what} price {value} is not on the tick of {tick.normalize():f}. Type {near}."
            )


def check_band(terms: PriceTerms, band: PriceBand) -> None:
    """Raise InvalidInput when a typed price lies outside what the exchange takes just now."""
    for field, what, value in _fields(terms):
        if not band.low <= value <= band.high:
            raise InvalidInput(
                field,
                f"The {what} price {words(value)} is outside the exchange's band, now {words(band.low)} to "
                f"{words(band.high)}. Type a price inside it.",
            )


def check_trigger(side: Side, terms: PriceTerms, touch: Touch) -> None:
    """Raise Refused when the trigger has been reached: a stop to BUY lies above the market, to SELL below it."""
    last = touch.last.value
    if terms.trigger is None or (terms.trigger - last) * side.sign > 0:
        return
    where = "above" if side is Side.BUY else "below"
    raise Refused(
        f"A stop to {side} triggers {where} the market, and the last price is {words(last)}: a trigger of "
        f"{words(terms.trigger)} has been reached already. Move it {where} that, or choose LIMIT."
    )


def _fields(terms: PriceTerms) -> list[tuple[str, str, Decimal]]:
    both = (("limit_price", "limit", terms.limit), ("trigger_price", "trigger", terms.trigger))
    return [(field, what, value) for field, what, value in both if value is not None]
