"""What today's contract list says of chains, worked out once for each list."""

from dataclasses import dataclass, field
from datetime import date

from app.domain.calendar import trading_date
from app.domain.contracts import UNDERLYINGS, ContractKey, ContractMaster, Kind, underlying_named
from app.ports.clock import MarketClock
from app.services.chain_view import ChainListing
from app.services.contract_list import ContractList

Named = tuple[str, date]
"""A chain: its underlying and its expiry."""


@dataclass(slots=True)
class _Known:
    """What was worked out from one contract master; a new master starts anew."""

    master: ContractMaster
    expiries: dict[str, tuple[date, ...]] = field(default_factory=dict)
    chains: dict[Named, ChainListing] = field(default_factory=dict)


class ChainListings:
    """Thread-safe and never blocks. Everything raises Unavailable while there is no contract list."""

    def __init__(self, contracts: ContractList, market_clock: MarketClock) -> None:
        self._contracts = contracts
        self._market_clock = market_clock
        self._read: _Known | None = None

    def expiries(self, underlying: str) -> list[date]:
        """Listed expiries of its options that are not past, ascending. Raises NotFound for an index not followed."""
        name = underlying_named(underlying).name
        known = self._known()
        if name not in known.expiries:
            known.expiries[name] = tuple(known.master.expiries(name))
        today = trading_date(self._market_clock.now())
        return [expiry for expiry in known.expiries[name] if expiry >= today]

    def chain(self, chain: Named) -> ChainListing:
        """Raises NotFound for an expiry that is not listed."""
        known = self._known()
        if chain not in known.chains:
            known.chains[chain] = _listed(known.master, *chain)
        return known.chains[chain]

    def chain_of(self, key: ContractKey) -> Named | None:
        """The chain of an option that is listed and not past; None for anything else."""
        master = self._known().master
        if key not in master:
            return None
        contract = master.contract(key)
        if not contract.kind.is_option or contract.expiry < trading_date(self._market_clock.now()):
            return None
        return contract.underlying, contract.expiry

    def missing(self, underlying: str) -> str | None:
        """Why its exchange's list is not there; None when it is."""
        return self._contracts.missing().get(underlying_named(underlying).exchange)

    def _known(self) -> _Known:
        master, known = self._contracts.master(), self._read
        if known is None or known.master is not master:
            known = self._read = _Known(master)
        return known


def names() -> tuple[str, ...]:
    return tuple(underlying.name for underlying in UNDERLYINGS)


def _listed(master: ContractMaster, underlying: str, expiry: date) -> ChainListing:
    kinds = (Kind.CE, Kind.PE)
    pairs = [(strike, kind) for kind in kinds for strike in master.strikes(underlying, expiry, kind)]
    options = {(strike, kind): master.option(underlying, expiry, kind, strike) for strike, kind in pairs}
    futures = master.expiries(underlying, futures=True)
    last = next((each for each in futures if each >= expiry), futures[-1] if futures else None)
    return ChainListing(
        underlying=underlying,
        exchange=underlying_named(underlying).exchange,
        expiry=expiry,
        strikes=tuple(sorted({strike for strike, _ in pairs})),
        options=options,
        future=None if last is None else master.future(underlying, last),
        lot_size=next(iter(options.values())).lot_size,
    )
