"""One row of a gateway's answer, read field by field; what cannot be read is named and never defaulted."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from app.adapters.openalgo import numbers, words
from app.domain.contracts import ContractKey, Side
from app.domain.money import Units
from app.ports.gateway import NotOpenAlgo


def unreadable(what: str, why: str) -> NotOpenAlgo:
    """The error for an answer that is not of the expected shape. Nothing was learnt from it."""
    return NotOpenAlgo(f"The gateway's {what} cannot be read: {why}. Nothing is concluded from it.")


def shown(raw: object) -> str:
    text = repr(raw)
    return text if len(text) <= 40 else text[:39] + "…"


def mapping(raw: object, what: str) -> Mapping[str, object]:
    """`raw` when it is a JSON object. Raises NotOpenAlgo naming `what` otherwise."""
    if not isinstance(raw, dict):
        raise unreadable(what, f"{shown(raw)} stands where an object should")
    return raw


class Row:
    """One row of the answer called `what`. Every reader raises NotOpenAlgo naming the row and the field."""

    def __init__(self, raw: object, what: str, number: int) -> None:
        self._what = what
        self._place = f"row {number}"
        self._fields = mapping(raw, f"{what}, {self._place},")

    def raw(self, *names: str) -> object:
        """The first of these fields that holds anything but null; None when none does."""
        for name in names:
            value = self._fields.get(name)
            if value is not None:
                return value
        return None

    def text(self, name: str) -> str:
        """The field as text, "" when missing or null: for words that are only shown or passed on."""
        value = self.raw(name)
        return "" if value is None else str(value).strip()

    def contract(self) -> ContractKey | None:
        return words.contract_key(self.raw("exchange"), self.raw("symbol"))

    def booked_contract(self) -> ContractKey | None:
        return words.booked_contract(self.raw("exchange"), self.raw("symbol"))

    def order_id(self) -> str:
        found = words.order_id(self.raw("orderid"))
        if found is None:
            raise self._wrong("orderid", "is missing")
        return found

    def side(self) -> Side:
        found = words.side(self.raw("action"))
        if found is None:
            raise self._wrong("action", "is neither BUY nor SELL")
        return found

    def units(self, name: str, *, least: int | None = None) -> Units:
        """A whole number of units, signed unless `least` says otherwise."""
        found = numbers.whole(self.raw(name))
        if found is None or (least is not None and found < least):
            raise self._wrong(name, "is not a number of units")
        return Units(found)

    def price(self, *names: str) -> Decimal:
        """A price above 0, from the first of these fields that has one."""
        for name in names:
            found = numbers.positive(self._fields.get(name))
            if found is not None:
                return found
        raise self._wrong(names[0], "is not a price")

    def price_unless(self, name: str, *, unused: bool) -> Decimal:
        """A price of at least 0. When the order type does not use it, nothing at all reads as 0."""
        found = numbers.number(self.raw(name))
        if found is None and unused:
            return Decimal(0)
        if found is None or found < 0:
            raise self._wrong(name, "is not a price")
        return found

    def _wrong(self, name: str, why: str) -> NotOpenAlgo:
        return unreadable(self._what, f"{self._place} has {name} {shown(self._fields.get(name))}, which {why}")


def rows(raw: object, what: str) -> Iterator[Row]:
    """The rows of a list. Raises NotOpenAlgo when it is no list: null or {} is not an empty book."""
    if not isinstance(raw, list):
        raise unreadable(what, f"{shown(raw)} stands where a list should")
    return (Row(each, what, number) for number, each in enumerate(raw, start=1))
