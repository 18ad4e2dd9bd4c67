"""The whole pretend market place: clock, contracts, prices, faults and accounts, moved one fixed step at a time."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal

from simulator.account import SimAccount
from simulator.broker import INTRADAY_END as BROKER_DAY_END
from simulator.calendar import CASH_OPEN, TradingCalendar
from simulator.clock import DEFAULT_DATE, STEP_S, VirtualClock
from simulator.contracts import Contract, ContractKey
from simulator.faults import FaultBoard
from simulator.floor import Floor
from simulator.listing import first_day
from simulator.market import BEFORE_OPEN, Market
from simulator.sandbox_rules import INTRADAY_END as SANDBOX_DAY_END
from simulator.scenario import Player, load_scenario
from simulator.timers import Timers
from simulator.underlyings import UNDERLYINGS

DEFAULT_CASH = 5_000_000
MOST_ACCOUNTS = 50
TickListener = Callable[[set[ContractKey]], None]

CALENDAR = TradingCalendar()
"""It never changes, so all markets share it."""


class Venue:
    """Everything, deterministic by seed. Single-threaded: all calls from one asyncio loop (or one test)."""

    def __init__(
        self,
        seed: int = 7,
        accounts: int = 5,
        day: date = DEFAULT_DATE,
        at: time = CASH_OPEN,
        cash: Sequence[int] = (DEFAULT_CASH,),
        intraday_end: time = BROKER_DAY_END,
    ) -> None:
        """`accounts` 1..50, each with its `cash` in rupees, the last for the rest; it opens on `day` at `at` IST.

        Brokers close MIS positions at `intraday_end` IST.
        """
        if not 1 <= accounts <= MOST_ACCOUNTS:
            raise ValueError(f"accounts is {accounts}; give 1 to {MOST_ACCOUNTS}")
        self.seed = seed
        self.calendar = CALENDAR
        self.clock = VirtualClock(self.calendar, day, at)
        self.market = Market(seed, self.clock, self.calendar)
        self._listing, self.contracts = first_day(self.calendar, self.clock.trading_date, self._spots())
        self.faults = FaultBoard(seed)
        self.timers = Timers()
        floor = Floor(self.market, self.clock, self.calendar, self.contract)
        self.accounts = [
            SimAccount(
                n,
                _key(seed, n),
                floor,
                self.faults,
                self.timers,
                cash=Decimal(cash[min(n, len(cash)) - 1]),
                seed=seed,
                intraday_end=intraday_end,
            )
            for n in range(1, accounts + 1)
        ]
        self._tick_listeners: list[TickListener] = []
        self._watched: dict[ContractKey, int] = {}
        self._player: Player | None = None
        self._square_offs: tuple[tuple[time, Callable[[SimAccount], None]], ...] = (
            (SANDBOX_DAY_END, _square_off_sandbox),
            (intraday_end, _square_off_live),
        )
        self._squared: dict[Callable[[SimAccount], None], date] = {}

    def __getstate__(self) -> dict[str, object]:
        """Without who listens: they are of one process."""
        return {**vars(self), "_tick_listeners": [], "_watched": {}}

    @property
    def masters(self) -> tuple[object, object]:
        """The listing and the contracts of the day: large, and the second is another object each day."""
        return self._listing, self.contracts

    def step(self, seconds: float = STEP_S) -> None:
        """Move virtual time forward in fixed steps of STEP_S; `seconds` must be a multiple of it.

        Listeners hear of the whole move once, at its end.
        """
        told = self.market.step
        for _ in range(round(seconds / STEP_S)):
            told = BEFORE_OPEN if self._one_step() else told
        self._tell(told + 1, self.market.step)

    def pass_real(self, seconds: float) -> None:
        """Let real time pass: late accepts, late rejects and faults with an end run on it, whatever the speed."""
        self.faults.pass_real(seconds)
        self.timers.pass_real(seconds)

    def account(self, number: int) -> SimAccount | None:
        """The account with this number, from 1; None when there is none."""
        return self.accounts[number - 1] if 1 <= number <= len(self.accounts) else None

    def contract(self, symbol: str, exchange: str) -> Contract | None:
        """The contract as the master tells it now, faults applied; None when not listed."""
        found = self.contracts.find(symbol, exchange)
        if found is None or not found.is_derivative:
            return found
        change = self.faults.standing("lot_change")
        if change is None or change.parameters["underlying"] != found.underlying:
            return found
        return replace(found, lot_units=change.parameters["lot"])

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
        """After each move, call `listener` with the watched contracts that traded; returns what stops it."""
        self._tick_listeners.append(listener)
        return lambda: self._tick_listeners.remove(listener)

    def load_scenario(self, name: str) -> None:
        """Run a scripted day from the scenarios folder, from now on. Raises ScenarioError naming the known ones."""
        self._player = Player(load_scenario(name), self)
        self._player.pass_virtual(0.0)

    @property
    def scenario(self) -> str:
        """The scenario loaded last; empty when none was."""
        return "" if self._player is None else self._player.scenario.name

    def switch_mode(self, number: int, *, analyze: bool) -> None:
        """Switch an account's mode; a number without account does nothing."""
        account = self.account(number)
        if account is not None:
            account.set_mode(analyze=analyze)

    def switch_login(self, number: int, *, logged_in: bool) -> None:
        """Log an account's gateway in with a new token, or out; a number without account does nothing."""
        account = self.account(number)
        if account is not None and logged_in:
            account.log_in(new_token=True)
        elif account is not None:
            account.log_out()

    def _spots(self) -> dict[str, float]:
        return {u.name: self.market.spot(u.name) for u in UNDERLYINGS}

    def _one_step(self) -> bool:
        """True when this step rolled into the next trading day."""
        before = self.market.step
        if self._player is not None:
            self._player.pass_virtual(STEP_S)
        if self.clock.now + timedelta(seconds=STEP_S) >= self.clock.closes:
            self._end_day()
        rolled = self.clock.advance(STEP_S)
        if rolled:
            self._begin_day()
            before = BEFORE_OPEN
        if self.market.step > before:
            self._match(before + 1, self.market.step)
            self._square_off()
        return rolled

    def _match(self, first: int, last: int) -> None:
        wanted = [key for account in self.accounts for key in account.wanted()]
        if wanted:
            self.market.quotes([c for key in set(wanted) if (c := self.contracts.find(*key)) is not None])
        for account in self.accounts:
            account.match(first, last)

    def _square_off(self) -> None:
        at = self.clock.ist_now()
        for limit, act in self._square_offs:
            if self._squared.get(act) != at.date() and limit <= at.time():
                self._squared[act] = at.date()
                for account in self.accounts:
                    act(account)

    def _end_day(self) -> None:
        for account in self.accounts:
            account.end_day()

    def _begin_day(self) -> None:
        self.market.begin_day()
        self.contracts = self._listing.master(self.clock.trading_date, self._spots())
        for account in self.accounts:
            account.begin_day()

    def _tell(self, first: int, last: int) -> None:
        if not self._tick_listeners or last < first:
            return
        changed = {key for key in self._watched if self._traded(key, first, last)}
        for listener in self._tick_listeners if changed else ():
            listener(changed)

    def _traded(self, key: ContractKey, first: int, last: int) -> bool:
        contract = self.contracts.find(*key)
        return contract is not None and self.market.traded_between(contract, first, last)


def _key(seed: int, number: int) -> str:
    """An API key that looks like one and is the same at every start."""
    return hashlib.sha256(f"simulator/{seed}/{number}".encode()).hexdigest()


def _square_off_live(account: SimAccount) -> None:
    account.live.square_off_intraday()


def _square_off_sandbox(account: SimAccount) -> None:
    account.sandbox.square_off_intraday()
