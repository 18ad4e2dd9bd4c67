"""Puts against calls over all strikes of an expiry, as far as both sides of each are known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.contracts import ContractKey, Kind
from app.services.chain_view import ChainListing, plain

UnitsOf = Callable[[ContractKey], int | None]
Known = tuple[Decimal, int, int]
"""A strike, and the units of its call and of its put; a side that is not listed has none."""


@dataclass(frozen=True, slots=True)
class WholeInterest:
    """Open interest in units; None where no strike is known. `strikes` are those that the figures rest on."""

    strikes: int = 0
    calls: int | None = None
    puts: int | None = None
    pcr: Decimal | None = None
    max_pain: Decimal | None = None


@dataclass(frozen=True, slots=True)
class WholeChain:
    """`listed` strikes there are. `pcr_volume` rests on `volume_strikes` of them."""

    listed: int
    interest: WholeInterest
    pcr_volume: Decimal | None
    volume_strikes: int


class WholeChains:
    """For any thread: what is remembered is a value for each chain, and any thread may put it right."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, object], tuple[ChainListing, Mapping[ContractKey, int], WholeInterest]] = {}

    def of(self, listing: ChainListing, interest: Mapping[ContractKey, int], volume_of: UnitsOf) -> WholeChain:
        """`interest` is another object whenever something in it is another."""
        volumes = known_strikes(listing, volume_of)
        return WholeChain(len(listing.strikes), self._interest(listing, interest), _volume_ratio(volumes), len(volumes))

    def _interest(self, listing: ChainListing, interest: Mapping[ContractKey, int]) -> WholeInterest:
        chain = (listing.underlying, listing.expiry)
        before = self._read.get(chain)
        if before is not None and before[0] is listing and before[1] is interest:
            return before[2]
        found = whole_interest(known_strikes(listing, interest.get))
        self._read[chain] = (listing, interest, found)
        return found


def known_strikes(listing: ChainListing, units_of: UnitsOf) -> list[Known]:
    """The strikes whose listed sides are all known, ascending."""
    found: list[Known] = []
    for strike in listing.strikes:
        call, put = (_units(listing, strike, kind, units_of) for kind in (Kind.CE, Kind.PE))
        if call is not None and put is not None:
            found.append((plain(strike), call, put))
    return found


def whole_interest(known: Sequence[Known]) -> WholeInterest:
    if not known:
        return WholeInterest()
    calls, puts = sum(call for _, call, _ in known), sum(put for _, _, put in known)
    return WholeInterest(len(known), calls, puts, ratio(puts, calls), max_pain(known) if calls or puts else None)


def max_pain(known: Sequence[Known]) -> Decimal:
    """The strike at which an expiry there would pay all holders together the least; the lowest of several alike.

    `known` ascends and is not empty. From one strike to the next, calls below gain by the step and puts above lose it.
    """
    above = sum(put for _, _, put in known)
    below = 0
    paid = sum((strike - known[0][0]) * put for strike, _, put in known)
    best, least, at = known[0][0], paid, known[0][0]
    for strike, call, put in known:
        paid += (strike - at) * (below - above)
        if paid < least:
            best, least = strike, paid
        at = strike
        below += call
        above -= put
    return best


def ratio(puts: int, calls: int) -> Decimal | None:
    """None without calls to divide by."""
    return Decimal(puts) / Decimal(calls) if calls else None


def _units(listing: ChainListing, strike: Decimal, kind: Kind, units_of: UnitsOf) -> int | None:
    contract = listing.options.get((strike, kind))
    return 0 if contract is None else units_of(contract.key)


def _volume_ratio(volumes: Sequence[Known]) -> Decimal | None:
    return ratio(sum(put for _, _, put in volumes), sum(call for _, call, _ in volumes))
