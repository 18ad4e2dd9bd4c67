"""Contracts: what can be traded, and the list of them that a gateway gives each morning."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from app.domain.errors import NotFound
from app.domain.money import Units


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for BUY, -1 for SELL: multiplies units into signed units."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class Kind(StrEnum):
    CE = "CE"
    PE = "PE"
    FUT = "FUT"

    @property
    def is_option(self) -> bool:
        return self is not Kind.FUT


class Product(StrEnum):
    MIS = "MIS"
    NRML = "NRML"


class PriceType(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    SL = "SL"
    SLM = "SL-M"


@dataclass(frozen=True, slots=True, order=True)
class ContractKey:
    """What a contract is called on the wire, the same at every broker: `NFO`, `NIFTY01DEC2625000CE`."""

    exchange: str
    symbol: str

    def __hash__(self) -> int:
        return hash(self.symbol)  # a text keeps its hash; with each tick and for each set of contracts one is asked for


@dataclass(frozen=True, slots=True)
class Underlying:
    """An index whose options are traded here: `spot` is where it is quoted, `exchange` where its options trade."""

    name: str
    spot: ContractKey
    exchange: str


UNDERLYINGS = (
    Underlying("NIFTY", ContractKey("NSE_INDEX", "NIFTY"), "NFO"),
    Underlying("BANKNIFTY", ContractKey("NSE_INDEX", "BANKNIFTY"), "NFO"),
    Underlying("SENSEX", ContractKey("BSE_INDEX", "SENSEX"), "BFO"),
)
"""The indices followed from the start. Only names and exchanges: lots, strikes, expiries come from the gateway."""


def underlying_named(name: str) -> Underlying:
    """The followed index of that name. Raises NotFound naming those there are."""
    for underlying in UNDERLYINGS:
        if underlying.name == name:
            return underlying
    known = ", ".join(u.name for u in UNDERLYINGS)
    raise NotFound(f"{name} is not an index this desk follows. Choose one of {known}.")


@dataclass(frozen=True, slots=True)
class Contract:
    """One option or future, as the gateway lists it today.

    `strike` is None for a future. `freeze` is the most units the exchange takes in one order; None means unknown,
    in which case the dated market rules decide. `tick` is in rupees.
    """

    key: ContractKey
    underlying: str
    kind: Kind
    expiry: date
    strike: Decimal | None
    lot_size: int
    tick: Decimal
    freeze: Units | None = None


class ContractMaster:
    """All contracts of one trading date, looked up by key or by what they are. Immutable, so any thread may read it."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._by_key: dict[ContractKey, Contract] = {}
        self._by_terms: dict[tuple[str, date, Kind, Decimal | None], Contract] = {}
        for contract in contracts:
            self._by_key[contract.key] = contract
            terms = (contract.underlying, contract.expiry, contract.kind, contract.strike)
            self._by_terms[terms] = contract

    def __len__(self) -> int:
        return len(self._by_key)

    def all(self) -> Iterable[Contract]:
        """Every one of them, in no order that counts."""
        return self._by_key.values()

    def __contains__(self, key: ContractKey) -> bool:
        return key in self._by_key

    def contract(self, key: ContractKey) -> Contract:
        """Raises NotFound when the gateway did not list it today."""
        try:
            return self._by_key[key]
        except KeyError:
            raise NotFound(f"{key.symbol} is not in today's contract list of {key.exchange}.") from None

    def option(self, underlying: str, expiry: date, kind: Kind, strike: Decimal) -> Contract:
        """Raises NotFound when that strike is not listed for that expiry."""
        found = self._by_terms.get((underlying, expiry, kind, strike))
        if found is None:
            raise NotFound(f"{underlying} {expiry:%d %b %y} has no {strike} {kind.value}. Choose a listed strike.")
        return found

    def future(self, underlying: str, expiry: date) -> Contract:
        """Raises NotFound when no future of that expiry is listed."""
        found = self._by_terms.get((underlying, expiry, Kind.FUT, None))
        if found is None:
            raise NotFound(f"{underlying} has no future expiring {expiry:%d %b %y}.")
        return found

    def expiries(self, underlying: str, *, futures: bool = False) -> list[date]:
        """Listed expiries of its options (or futures), ascending."""
        return sorted(
            {e for (name, e, kind, _) in self._by_terms if name == underlying and (kind is Kind.FUT) == futures}
        )

    def strikes(self, underlying: str, expiry: date, kind: Kind) -> list[Decimal]:
        """Listed strikes of that type, ascending; empty when the expiry is not listed."""
        return sorted(
            strike
            for (name, e, k, strike) in self._by_terms
            if name == underlying and e == expiry and k is kind and strike is not None
        )
