"""From a gateway's contract list, tens of thousands of rows long, to the contracts of the indices asked for."""

import logging
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

import msgspec

from app.adapters.openalgo import numbers, words
from app.adapters.openalgo.rows import unreadable
from app.domain.contracts import Contract, ContractKey
from app.ports.gateway import GatewayRefused, LotOf, no_lot

_log = logging.getLogger(__name__)

_TICKS = frozenset({Decimal("0.01"), Decimal("0.05"), Decimal("0.1"), Decimal("0.2")})


class _Instrument(msgspec.Struct, gc=False):
    """The columns that are used. Names and types are the broker's own; only the symbol is the same everywhere."""

    symbol: str | None = None
    exchange: str | None = None
    expiry: str | None = None
    lotsize: int | float | str | None = None
    tick_size: int | float | str | None = None


class _InstrumentList(msgspec.Struct, gc=False):
    status: str = ""
    data: list[_Instrument] | None = None


_DECODER = msgspec.json.Decoder(_InstrumentList)


def contracts(body: bytes, exchange: str, underlyings: Sequence[str], lot_of: LotOf = no_lot) -> list[Contract]:
    """Options and futures of those indices. Raises GatewayError when the list is unreadable or has none of them.

    A row that contradicts itself is left out and logged: what is not listed cannot be traded, which is the safe side.
    """
    try:
        answer = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable("contract list", str(error)) from error
    if answer.status != "success" or answer.data is None:
        raise unreadable("contract list", f"its status is {answer.status!r}")
    found, left_out = _chosen(answer.data, exchange, underlyings, lot_of)
    if left_out:
        reasons = ", ".join(f"{count} for {why}" for why, count in left_out.most_common())
        _log.warning("Rows of the %s contract list left out: %s.", exchange, reasons)
    if not found:
        names = ", ".join(underlyings)
        raise GatewayRefused(
            f"The gateway lists no contract of {names} on {exchange}. "
            "Let OpenAlgo download its master contracts, then try again."
        )
    return found


def _chosen(
    listed: list[_Instrument], exchange: str, underlyings: Sequence[str], lot_of: LotOf
) -> tuple[list[Contract], "Counter[str]"]:
    prefixes, wanted = tuple(underlyings), frozenset(underlyings)
    found: list[Contract] = []
    left_out: Counter[str] = Counter()
    for row in listed:
        if row.symbol is None or not row.symbol.startswith(prefixes):
            continue
        terms = words.contract_terms(row.symbol)
        if terms is None or terms.underlying not in wanted:
            continue
        contract = _contract(row, terms, exchange, lot_of)
        if isinstance(contract, str):
            left_out[contract] += 1
        else:
            found.append(contract)
    return found, left_out


def _contract(row: _Instrument, terms: words.Terms, exchange: str, lot_of: LotOf) -> Contract | str:
    """The contract in a row, or what is wrong with the row."""
    lot_size, tick = numbers.whole(row.lotsize), tick_in_rupees(row.tick_size)
    if row.symbol is None or row.exchange != exchange:
        return "another exchange"
    if row.expiry and words.expiry_date(row.expiry) != terms.expiry:
        return "an expiry that is not the symbol's"
    if lot_size is None or lot_size < 1:
        lot_size = lot_of(terms.underlying, terms.expiry)
    if lot_size is None:
        return "no lot size"
    if tick is None:
        return "a tick size that no index contract has"
    return Contract(
        key=ContractKey(exchange, row.symbol),
        underlying=terms.underlying,
        kind=terms.kind,
        expiry=terms.expiry,
        strike=terms.strike,
        lot_size=lot_size,
        tick=tick,
    )


@lru_cache(maxsize=64)
def tick_in_rupees(raw: float | str | None) -> Decimal | None:
    """The tick in rupees: above 1 it was in paise, as some brokers' lists have it. None when no index trades in it."""
    tick = numbers.number(raw)
    if tick is None:
        return None
    tick = round(tick / 100 if tick > 1 else tick, 4).normalize()
    return tick if tick in _TICKS else None
