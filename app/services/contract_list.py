"""Today's options and futures of the followed indices, as a gateway lists them, and the exchange's freeze limits."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from app.domain.calendar import IST
from app.domain.contracts import UNDERLYINGS, Contract, ContractKey, ContractMaster, underlying_named
from app.domain.errors import NotFound, Unavailable
from app.domain.market_rules import MissingRule, RuleBook, RuleKind
from app.domain.money import Units
from app.ports.clock import Clock, MarketClock
from app.ports.gateway import Gateway, GatewayRefused
from app.services.first_answer import AccountOrder, first_answer
from app.services.gateways import Gateways

NEW_LIST_AT = time(8, 0)
"""India's time from which gateways have the day's list."""
LOOK_EVERY_S = 1.0
TRY_AGAIN_S = 15.0


def list_date(now: datetime) -> date:
    """The date whose list is the one to use at that moment: before 08:00 IST that is still the day before's."""
    local = now.astimezone(IST)
    return local.date() if local.time() >= NEW_LIST_AT else local.date() - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Listed:
    """One exchange's list and freeze limits. An underlying missing in `freezes` could not be asked."""

    of: date
    contracts: tuple[Contract, ...]
    freezes: Mapping[str, Units | None]


class _Lots:
    """Units in a lot by the market rules, for contracts that are listed without; what they do not have is kept."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self.missing: dict[str, date] = {}

    def of(self, underlying: str, expiry: date) -> int | None:
        if underlying in self.missing:
            return None
        try:
            return self._book.lot(underlying, expiry)
        except MissingRule:
            self.missing[underlying] = expiry
            return None


class ContractList:
    """Thread-safe: readers get an immutable master, `step` is for one thread."""

    def __init__(
        self,
        gateways: Gateways,
        order: AccountOrder,
        market_clock: MarketClock,
        clock: Clock,
        *,
        book: Callable[[], RuleBook] = lambda: RuleBook(()),
    ) -> None:
        """`book` says the lots of contracts that a gateway lists without."""
        self._book = book
        self._lotless: dict[str, date] = {}
        self._gateways = gateways
        self._order = order
        self._market_clock = market_clock
        self._clock = clock
        self._lists: dict[str, _Listed] = {}
        self._reasons: dict[str, str] = {}
        self._master: ContractMaster | None = None
        self._next_try = 0.0
        self._loading = threading.Lock()

    def master(self) -> ContractMaster:
        """Today's list. Raises Unavailable while there is none, or only one of an earlier day.

        An exchange whose list could not be read is not in it: see `missing`.
        """
        wanted = list_date(self._market_clock.now())
        lists, master = self._lists, self._master
        if master is not None and any(listed.of == wanted for listed in lists.values()):
            return master
        reasons = " ".join(dict.fromkeys(self._reasons.values())) or "It is being read now; try again in a few seconds."
        raise Unavailable(f"The contract list of {wanted:%d %b %Y} is not there yet. {reasons}")

    def newest(self) -> ContractMaster | None:
        """What was loaded last, of whichever day; None before that."""
        return self._master

    def master_with(self, indices: Iterable[str]) -> ContractMaster:
        """As `master`, for a decision about these indices: Unavailable too while the list of one's exchange is missing.

        A list that was not read is no list without contracts. Raises MissingRule for an index that is listed without
        its lot, where the market rules do not know it either.
        """
        master, missing = self.master(), self.missing()
        for name in indices:
            exchange = underlying_named(name).exchange
            if (lotless := self._lotless.get(name)) is not None:
                raise MissingRule(RuleKind.LOT, name, lotless)
            if exchange in missing:
                raise Unavailable(f"The {exchange} contract list, with {name}, is not there yet. {missing[exchange]}")
        return master

    def missing(self) -> dict[str, str]:
        """Exchanges whose list of today is not there, with the reason. Raises Unavailable as `master` does."""
        wanted = list_date(self._market_clock.now())
        lists = self._lists
        late = [exchange for exchange in self._exchanges() if exchange not in lists or lists[exchange].of != wanted]
        return {exchange: self._reasons.get(exchange, "It is being read now.") for exchange in late}

    def listed(self, key: ContractKey) -> Contract | None:
        """As today's list has it; None when it does not, or there is no list yet."""
        try:
            return self.master().contract(key)
        except (NotFound, Unavailable):
            return None

    def lot_size(self, key: ContractKey) -> int | None:
        """Today's; None as `listed` is."""
        contract = self.listed(key)
        return None if contract is None else contract.lot_size

    def freeze(self, underlying: str) -> Units | None:
        """Most units in one order of that index; None when the gateway does not know it. Raises NotFound."""
        listed = self._lists.get(underlying_named(underlying).exchange)
        return None if listed is None else listed.freezes.get(underlying)

    def step(self) -> float:
        """Load what is due. Returns the seconds until the next look. Never raises for a gateway that fails."""
        try:
            self.refresh_if_due()
        except Unavailable as error:  # the market's date is not known, so nobody can say which list is wanted
            self._reasons = dict.fromkeys(self._exchanges(), str(error))
        return LOOK_EVERY_S

    def refresh_if_due(self) -> None:
        """Load the lists that are missing or of an earlier day; after a failure not again for TRY_AGAIN_S.

        Raises Unavailable while the market's clock is not known.
        """
        with self._loading:
            if self._clock.monotonic() < self._next_try:
                return
            wanted = list_date(self._market_clock.now())
            due = [exchange for exchange in self._exchanges() if self._is_due(exchange, wanted)]
            if not due:
                return
            for exchange in due:
                self._load(exchange, wanted)
            # Without any account nobody failed: the first one that is added is asked at once.
            if self._order() and any(self._is_due(exchange, wanted) for exchange in due):
                self._next_try = self._clock.monotonic() + TRY_AGAIN_S

    @staticmethod
    def _exchanges() -> list[str]:
        return list(dict.fromkeys(underlying.exchange for underlying in UNDERLYINGS))

    def _is_due(self, exchange: str, wanted: date) -> bool:
        listed = self._lists.get(exchange)
        if listed is None or listed.of != wanted or len(listed.freezes) < len(_names(exchange)):
            return True
        return self._is_lot_known(exchange)

    def _is_lot_known(self, exchange: str) -> bool:
        """Whether somebody added the lot that a list was read without."""
        lots = _Lots(self._book())
        wanting = {name: expiry for name, expiry in self._lotless.items() if name in _names(exchange)}
        return any(lots.of(name, expiry) is not None for name, expiry in wanting.items())

    def _load(self, exchange: str, wanted: date) -> None:
        names, lots = _names(exchange), _Lots(self._book())

        def ask(gateway: Gateway) -> list[Contract]:
            lots.missing.clear()
            contracts = gateway.contracts(exchange, names, lots.of)
            if not contracts:
                raise GatewayRefused(f"A gateway lists no {exchange} contracts: download its master contracts.")
            return contracts

        listed = self._lists.get(exchange)
        if listed is not None and listed.of == wanted and not self._is_lot_known(exchange):
            self._keep(exchange, wanted, listed.contracts)  # only a freeze limit was missing
            return
        try:
            contracts = first_answer(self._gateways, self._order(), ask, f"the contract list of {exchange}")
        except Unavailable as error:
            why = [str(MissingRule(RuleKind.LOT, name, expiry)) for name, expiry in lots.missing.items()]
            self._reasons[exchange] = " ".join([*why, str(error)])
            return
        finally:
            known = {name: expiry for name, expiry in self._lotless.items() if name not in names}
            self._lotless = known | lots.missing
        self._reasons.pop(exchange, None)
        self._keep(exchange, wanted, contracts)

    def _keep(self, exchange: str, wanted: date, contracts: Iterable[Contract]) -> None:
        freezes = self._freezes(exchange)
        limited = tuple(replace(each, freeze=freezes.get(each.underlying, each.freeze)) for each in contracts)
        lists = {**self._lists, exchange: _Listed(wanted, limited, freezes)}
        # Readers look at `_lists` and `_master` without a lock: both are replaced, never changed.
        self._master = ContractMaster(contract for listed in lists.values() for contract in listed.contracts)
        self._lists = lists

    def _freezes(self, exchange: str) -> dict[str, Units | None]:
        found: dict[str, Units | None] = {}
        for name in _names(exchange):
            try:
                found[name] = first_answer(
                    self._gateways,
                    self._order(),
                    lambda gateway, name=name: gateway.freeze_limits(exchange, name),  # type: ignore[misc]
                    f"the freeze limit of {name}",
                )
            except Unavailable:
                # Left out, so that the next step asks again; meanwhile the limit is unknown and the dated rules decide.
                continue
        return found


def _names(exchange: str) -> list[str]:
    return [underlying.name for underlying in UNDERLYINGS if underlying.exchange == exchange]
