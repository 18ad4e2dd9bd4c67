"""The contract master: indices, equities, futures and options of the virtual market, and how they are looked up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from simulator.quotes import ContractKey

__all__ = ["Contract", "ContractKey", "ContractMaster", "Kind"]

Kind = Literal["INDEX", "EQ", "FUT", "CE", "PE"]


@dataclass(frozen=True, slots=True)
class Contract:
    """A tradable thing (or an index). `lot_units` and `freeze_units` are units; freeze 1 means unknown."""

    id: int
    symbol: str
    exchange: str
    broker_symbol: str
    broker_exchange: str
    name: str
    token: str
    expiry: date | None
    strike: float
    lot_units: int
    kind: Kind
    tick_size: float
    freeze_units: int
    underlying: str
    """Name of the index or equity whose path moves it; its own symbol for an index or equity."""

    @property
    def key(self) -> ContractKey:
        """Symbol and exchange."""
        return ContractKey(self.symbol, self.exchange)

    @property
    def is_option(self) -> bool:
        """True for CE and PE."""
        return self.kind in {"CE", "PE"}

    @property
    def is_derivative(self) -> bool:
        """True for futures and options."""
        return self.expiry is not None

    @property
    def tradable(self) -> bool:
        """False for an index."""
        return self.kind != "INDEX"

    @property
    def instrument_type(self) -> str:
        """The gateway's word; it calls an index EQ."""
        return "EQ" if self.kind == "INDEX" else self.kind

    @property
    def expiry_text(self) -> str:
        """`01-DEC-26`, empty without expiry."""
        return "" if self.expiry is None else self.expiry.strftime("%d-%b-%y").upper()

    def master_row(self) -> dict[str, Any]:
        """The row of the gateway's `symbol` endpoint, all thirteen fields."""
        return {
            "id": self.id,
            "symbol": self.symbol,
            "brsymbol": self.broker_symbol,
            "name": self.name,
            "exchange": self.exchange,
            "brexchange": self.broker_exchange,
            "token": self.token,
            "expiry": self.expiry_text,
            "strike": self.strike,
            "lotsize": self.lot_units,
            "instrumenttype": self.instrument_type,
            "tick_size": self.tick_size,
            "freeze_qty": self.freeze_units,
        }


class ContractMaster:
    """The contracts listed today, by key. Rebuilt by the venue at each new trading day."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        """Index the given contracts."""
        self._by_key = {contract.key: contract for contract in contracts}

    def __len__(self) -> int:
        """How many are listed."""
        return len(self._by_key)

    def find(self, symbol: str, exchange: str) -> Contract | None:
        """The contract, case-sensitive; None when it is not listed."""
        return self._by_key.get(ContractKey(symbol, exchange))

    def all(self, exchange: str | None = None) -> list[Contract]:
        """Contracts of an exchange (None: every exchange), in master order."""
        return [c for c in self._by_key.values() if exchange in {None, c.exchange}]

    def search(self, query: str, exchange: str | None = None, limit: int = 500) -> list[Contract]:
        """Contracts whose symbol, broker symbol or name holds every word of the query, any case."""
        words = query.upper().split()
        hits = (c for c in self.all(exchange) if _holds(c, words))
        return [contract for contract, _ in zip(hits, range(limit), strict=False)]

    def expiries(self, underlying: str, exchange: str, *, options: bool) -> list[date]:
        """Expiries of an underlying's options (or futures), ascending."""
        found = {
            c.expiry
            for c in self._by_key.values()
            if c.expiry is not None and c.underlying == underlying and c.exchange == exchange and c.is_option == options
        }
        return sorted(found)

    def options(self, underlying: str, exchange: str, expiry: date) -> list[Contract]:
        """Both sides of every strike of one expiry, strikes ascending, CE before PE."""
        rows = [
            c
            for c in self._by_key.values()
            if c.underlying == underlying and c.exchange == exchange and c.expiry == expiry and c.is_option
        ]
        return sorted(rows, key=lambda c: (c.strike, c.kind))


def _holds(contract: Contract, words: list[str]) -> bool:
    text = f"{contract.symbol} {contract.broker_symbol} {contract.name} {contract.token}".upper()
    return all(word in text for word in words)
