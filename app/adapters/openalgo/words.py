"""The one reading of OpenAlgo's words: statuses, sides, order ids, expiry dates and what a symbol says of itself."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from app.domain.books import OrderStatus
from app.domain.contracts import ContractKey, Kind, Side

_MONTHS = {
    name: number
    for number, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), start=1)  # noqa: SIM905 - a table of words reads better so
}
_EXPIRY = re.compile(r"(\d{1,2})-?([A-Z]{3})-?(\d{4}|\d{2})", re.ASCII)
# A base may hold digits (NIFTYNXT50, 360ONE), so the lazy base yields to the date that ends in FUT, CE or PE.
_DERIVATIVE = re.compile(r"(.+?)(\d{2}[A-Z]{3}\d{2})(?:(FUT)|(\d+(?:\.\d+)?)(CE|PE))", re.ASCII)

_LONGEST_ID = 64
_DERIVATIVES = frozenset({"NFO", "BFO", "MCX", "CDS", "BCD", "NCDEX"})

_FINAL_WORDS = {
    "complete": OrderStatus.COMPLETE,
    "completed": OrderStatus.COMPLETE,
    "filled": OrderStatus.COMPLETE,
    "traded": OrderStatus.COMPLETE,
    "executed": OrderStatus.COMPLETE,
    "cancelled": OrderStatus.CANCELLED,
    "canceled": OrderStatus.CANCELLED,
    "expired": OrderStatus.CANCELLED,
    "lapsed": OrderStatus.CANCELLED,
    "rejected": OrderStatus.REJECTED,
}


def order_status(raw: object) -> OrderStatus:
    """The broker's word for an order's state, normalised. Anything not known is OPEN: never final on a guess."""
    if not isinstance(raw, str):
        return OrderStatus.OPEN
    word = " ".join(re.split(r"[\s_-]+", raw.strip().lower()))
    if "trigger" in word:
        return OrderStatus.TRIGGER_PENDING
    return _FINAL_WORDS.get(word, OrderStatus.OPEN)


def side(raw: object) -> Side | None:
    """BUY or SELL in any case; None for every other word."""
    if not isinstance(raw, str):
        return None
    return {"BUY": Side.BUY, "SELL": Side.SELL}.get(raw.strip().upper())


def order_id(raw: object) -> str | None:
    """An order's id as text: some brokers send a whole number. None when there is none: null, "", 0, a fraction, or a
    text longer than any id is.
    """
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        return None
    text = str(raw).strip()
    return None if text.lower() in {"", "0", "none", "null"} or len(text) > _LONGEST_ID else text


def contract_key(exchange: object, symbol: object) -> ContractKey | None:
    """None when the gateway could not name the contract: a broker's symbol that its own list does not know."""
    if not isinstance(exchange, str) or not isinstance(symbol, str):
        return None
    if not exchange.strip() or not symbol.strip():
        return None
    return ContractKey(exchange.strip(), symbol.strip())


def booked_contract(exchange: object, symbol: object) -> ContractKey | None:
    """As `contract_key` for a row of a book, where a gateway that cannot name a contract may leave its broker's own
    word: of a derivative that says nothing of its expiry, so that it is nobody's name here.
    """
    key = contract_key(exchange, symbol)
    return key if key is None or key.exchange not in _DERIVATIVES or _has_terms(key.symbol) else None


@lru_cache(maxsize=4096)
def _has_terms(symbol: str) -> bool:
    return contract_terms(symbol) is not None


@lru_cache(maxsize=1024)
def expiry_date(text: str) -> date | None:
    """The date in `01-DEC-26`, `01DEC26` or `01-Dec-2026`; None when it is none of these."""
    found = _EXPIRY.fullmatch(text.strip().upper())
    if found is None:
        return None
    day, month, year = found.groups()
    full_year = int(year) if len(year) == 4 else 2000 + int(year)
    if month not in _MONTHS:
        return None
    try:
        return date(full_year, _MONTHS[month], int(day))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a derivative's symbol says of it. `strike` is None for a future."""

    underlying: str
    expiry: date
    kind: Kind
    strike: Decimal | None


def contract_terms(symbol: str) -> Terms | None:
    """The terms in a symbol such as `NIFTY01DEC2625000CE` or `NIFTY29DEC26FUT`; None for anything else.

    The symbol is the same at every broker, while the name and type columns beside it are not.
    """
    found = _DERIVATIVE.fullmatch(symbol)
    if found is None:
        return None
    underlying, day, _, strike, option = found.groups()
    expiry = expiry_date(day)
    if expiry is None:
        return None
    if option is None:
        return Terms(underlying, expiry, Kind.FUT, None)
    return Terms(underlying, expiry, Kind(option), Decimal(strike))
