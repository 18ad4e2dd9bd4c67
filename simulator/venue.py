"""The whole pretend market place: clock, contracts, prices, faults and accounts, moved one fixed step at a time."""

from collections.abc import Callable
from datetime import date, time

from simulator.account import SimAccount
from simulator.calendar import CASH_OPEN, TradingCalendar
from simulator.clock import DEFAULT_DATE, STEP_S, VirtualClock
from simulator.contracts import Contract, ContractKey, ContractMaster
from simulator.faults import FaultBoard
from simulator.listing import Listing
from simulator.market import Market
from simulator.underlyings import UNDERLYINGS

DEFAULT_CASH = 5_000_000
MOST_ACCOUNTS = 50
TickListener = Callable[[set[ContractKey]], None]


class Venue:
    """Everything, deterministic by seed. Single-threaded: all calls from one asyncio loop (or one test)."""

    def __init__(
        self,
        seed: int = 7,
        accounts: int = 5,
        day: date = DEFAULT_DATE,
        at: time = CASH_OPEN,
        cash: int = DEFAULT_CASH,
    ) -> None:
        """`accounts` 1..50, each with `cash` rupees; the market opens on `day` at `at` IST."""
        if not 1 <= accounts <= MOST_ACCOUNTS:
            raise ValueError(f"accounts is {accounts}; give 1 to {MOST_ACCOUNTS}")
        self.seed = seed
        self.calendar = TradingCalendar()
        self.clock = VirtualClock(self.calendar, day, at)
        self.market = Market(seed, self.clock, self.calendar)
        self._listing = Listing(self.calendar)
        self.contracts = self._list_contracts()
        self.faults = FaultBoard(seed)
        self.accounts = [
            SimAccount(n, f"Simulator {n}", f"simulator-key-{seed}-{n:02d}", self.faults)
            for n in range(1, accounts + 1)
        ]
        self._tick_listeners: list[TickListener] = []
        self._watched: dict[ContractKey, int] = {}

    def step(self, seconds: float = STEP_S) -> None:
        """Move virtual time forward in fixed steps of STEP_S; `seconds` must be a multiple of it."""
        for _ in range(round(seconds / STEP_S)):
            before = self.market.step
            if self.clock.advance(STEP_S):
                self._begin_day()
                before = -1
            self._tell(before + 1, self.market.step)

    def pass_real(self, seconds: float) -> None:
        """Let real time pass: late accepts, late rejects and faults with an end run on it, whatever the speed."""
        self.faults.pass_real(seconds)

    def account(self, number: int) -> SimAccount | None:
        """The account with this number, from 1; None when there is none."""
        return self.accounts[number - 1] if 1 <= number <= len(self.accounts) else None

    def contract(self, symbol: str, exchange: str) -> Contract | None:
        """The contract as the master tells it now, faults applied; None when not listed."""
        return self.contracts.find(symbol, exchange)

    def watch(self, key: ContractKey) -> None:
        """Somebody wants ticks of this contract; counted, so each watch needs its unwatch."""
        self._watched[key] = self._watched.get(key, 0) + 1

    def unwatch(self, key: ContractKey) -> None:
        """One watcher fewer."""
        left = self._watched.get(key, 0) - 1
        if left > 0:
            self._watched[key] = left
        else:
            self._watched.pop(key, None)

    def on_tick(self, listener: TickListener) -> Callable[[], None]:
        """After each step, call `listener` with the watched contracts that traded; returns what stops it."""
        self._tick_listeners.append(listener)
        return lambda: self._tick_listeners.remove(listener)

    def load_scenario(self, name: str) -> None:
        """Run a scripted day from the scenarios folder. Raises ValueError naming the known ones."""

    def _list_contracts(self) -> ContractMaster:
        spots = {u.name: self.market.spot(u.name) for u in UNDERLYINGS}
        return self._listing.master(self.clock.trading_date, spots)

    def _begin_day(self) -> None:
        self.market.begin_day()
        self.contracts = self._list_contracts()

    def _tell(self, first: int, last: int) -> None:
        if not self._tick_listeners or last < first:
            return
        changed = {key for key in self._watched if self._traded(key, first, last)}
        for listener in self._tick_listeners if changed else ():
            listener(changed)

    def _traded(self, key: ContractKey, first: int, last: int) -> bool:
        contract = self.contracts.find(*key)
        return contract is not None and self.market.traded_between(contract, first, last)
