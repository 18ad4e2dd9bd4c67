"""No rule decides on a price that is stale, late, zero, nonsense, missing, of before a gap or a single bad print.

A straddle is sold at 100 in two accounts, with a max loss, a max profit and a trailing stop, limits of one account and
of a day, of the group that both are in too, and a stop for each leg. The market walks and sometimes leaps; between its
ticks come others that nobody may believe, and the generator knows which. Exits are written down and not done, so that
judging goes on.
"""

import math
import random
from collections import deque
from datetime import timedelta
from decimal import Decimal
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest

from app.domain.contracts import Contract, Side
from app.domain.exit_rules import AccountRule, ExitRules
from app.domain.leg_rules import LegRule, LegRules, Level, Measure
from app.domain.pnl import MARK_MAX_AGE_S
from app.domain.trailing import Floors, Trail, TrailKind
from app.persistence.tables import AccountGroup, DayLock, GroupMember, Run, TradingAccount
from app.ports.feed import Tick
from app.services import exit_rule_text
from app.services.activity import Activity
from app.services.day_limit_watch import DayLimitWatch
from app.services.day_worth import DayWorth
from app.services.floor_text import written
from app.services.journal import Journal
from app.services.run_board import RunBoard
from tests.unit.services.market_fakes import quote
from tests.unit.services.pretend_broker import CALL, PUT
from tests.unit.services.watched_runs import Parts

UNITS, ENTRY, LOSS, PROFIT, TRAIL, STOP = 65, 100.0, 9000.0, 6000.0, 6000.0, 140.0
OWN_LOSS, DAY_LOSS, DAY_EVERY, ANEW_EVERY = 2500.0, 3500.0, 4, 10
GROUP_LOSS, GROUP_PROFIT = 5000.0, 1000.0
TICKS = 5
NONSENSE = (0.0, -5.0, math.nan, math.inf, -math.inf)
MAD = (5.0, 12.0, 30.0, 75.0, 190.0, 0.1)
"""Times the true price: each is a jump from the truth and from all others, and none comes twice between two looks."""


class Truth:
    """The real prices of one contract, and which of them a rule may use."""

    def __init__(self, contract: Contract, rng: random.Random) -> None:
        self.key, self.random = contract.key, rng
        self.price, self.stamp = ENTRY, 0.0
        self.usable: deque[tuple[float, float]] = deque()
        self.highest: deque[tuple[float, float]] = deque()
        """Every real price and offer with its time: the worst that a short can be bounded by."""
        self.is_first = False  # what it was just sold at stands before the first price
        self.mad = count(rng.randrange(len(MAD)))

    def walk(self) -> float:
        """The next real price; now and then the market leaps, and stays there."""
        step = self.random.uniform(0.9, 1.1)
        if self.random.random() < 0.02:
            step = self.random.choice((2.3, 0.4))
        self.price = round(min(max(self.price * step, 60.0), 230.0), 2)
        return self.price

    def madness(self) -> float:
        return round(self.price * MAD[next(self.mad) % len(MAD)], 2)

    def lie(self) -> float:
        """Not what it is, and no jump from it either."""
        return round(self.price * self.random.uniform(1.2, 1.35), 2)

    def came(self, ltp: float, ask: float, now: float, *, quoted: bool = False) -> None:
        self.highest.append((max(ltp, ask), now))
        if quoted or not self.is_first:
            self.usable.append((ltp, now))
        self.is_first = False

    def lost(self) -> None:
        """The feed is gone: none of these counts any more, nor does the first of the next one by itself."""
        self.usable.clear()
        self.is_first = True

    def prices(self, now: float) -> list[float]:
        while self.usable and now - self.usable[0][1] > MARK_MAX_AGE_S:
            self.usable.popleft()
        return [ltp for ltp, _ in self.usable]

    def worst(self, now: float) -> float:
        while len(self.highest) > 1 and now - self.highest[0][1] > 900:
            self.highest.popleft()
        return max((price for price, _ in self.highest), default=ENTRY)


class Fuzz:
    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.truths = {each.key: Truth(each, self.random) for each in (CALL, PUT)}
        self.peak, self.turns = 0.0, 0
        self.locked: set[tuple[bool, str]] = set()
        self.fired: list[str] = []
        self.desk = Parts(folder)
        self.clock = self.desk.world.clock
        self.desk.runs = RunBoard(self.desk.world.database, self.desk.board, self.clock, leads=lambda: True)
        self.desk.watch()
        self.begin()
        monitor: Any = self.desk.monitor
        monitor._ask_exits = self.asked
        database, activity = self.desk.world.database, Activity(self.desk.world.database, self.clock)
        worth = DayWorth(database, self.desk.runs, self.clock, marks_of=self.desk.proven.marks)
        self.days = DayLimitWatch(
            database, worth, self.clock, self.desk.proven,
            activity=activity, journal=Journal(self.clock), ask_exit=lambda *_: None,
        )  # fmt: skip

    def begin(self) -> None:
        run_id = self.desk.enter((CALL, Side.SELL, 1), (PUT, Side.SELL, 1))
        level = Level(Measure.PREMIUM, Decimal(str(STOP)))
        own = (AccountRule(1, max_loss=Decimal(str(OWN_LOSS))),)
        rules = ExitRules(LegRules((LegRule(1, stop=level), LegRule(2, stop=level))), own)
        with self.desk.world.database.transaction() as session:
            run = session.get_one(Run, run_id)
            run.max_loss, run.max_profit = Decimal(str(LOSS)), Decimal(str(PROFIT))
            run.exits = exit_rule_text.written(rules)
            run.floors = written(Floors(Trail(TrailKind.AMOUNT, Decimal(str(TRAIL)))))
            session.get_one(TradingAccount, 1).max_day_loss = Decimal(str(DAY_LOSS))
            group = AccountGroup(owner_id=1, name="Both", created_at=self.clock.now(), changed_at=self.clock.now())
            group.max_day_loss, group.max_day_profit = Decimal(str(GROUP_LOSS)), Decimal(str(GROUP_PROFIT))
            group.members = [GroupMember(account_id=each) for each in (1, 2)]
            session.add(group)
        self.desk.runs.changed(run_id)

    def totals(self, accounts: int) -> list[float]:
        """Every worth that real prices of the last ten seconds allow."""
        now = self.clock.monotonic()
        known = [each.prices(now) for each in self.truths.values()]
        return [sum(ENTRY - ltp for ltp in both) * UNITS * accounts for both in product(*known)]

    def bound(self, accounts: int) -> float:
        now = self.clock.monotonic()
        return sum(ENTRY - each.worst(now) for each in self.truths.values()) * UNITS * accounts

    def asked(self, _run_id: int, wanted: list[tuple[Any, str]], _also: Any) -> None:
        """The monitor wants out: what it says has to follow from real prices alone."""
        for part, reason in wanted:
            self.fired.append(reason)
            if part.leg is not None:
                prices = self.truths[(CALL, PUT)[part.leg - 1].key].prices(self.clock.monotonic())
                assert any(ltp >= STOP for ltp in prices), reason
                continue
            accounts, loss = (2, LOSS) if part.account_id is None else (1, OWN_LOSS)
            if "may be as low as" in reason:
                assert self.bound(accounts) <= -loss, f"no real price or offer makes it that bad: {reason}"
                continue
            totals = self.totals(accounts)
            breaks = [t for t in totals if t <= -loss or (accounts == 2 and (t >= PROFIT or t <= self.peak - TRAIL))]
            assert breaks, (reason, totals, self.peak)

    def turn(self) -> None:
        """Ticks, real or not, or silence; then everybody looks."""
        for _ in range(TICKS):
            self.tick()
        self.clock.advance(0.3)
        self.look()

    def tick(self) -> None:
        truth, kind = self.truths[self.random.choice((CALL, PUT)).key], self.random.random()
        if kind < 0.6:
            self.real(truth)
        elif kind < 0.68:
            self.put(truth, truth.madness(), self.clock.now())
        elif kind < 0.76:  # a feed that lags, and another that brings what was a moment ago
            late = timedelta(seconds=self.random.choice((self.random.uniform(10.5, 70), 300)))
            self.put(truth, truth.lie(), self.clock.now() - late)
            if truth.stamp:
                older = timedelta(seconds=self.clock.now().timestamp() - truth.stamp + self.random.uniform(0.01, 9))
                self.put(truth, truth.lie(), self.clock.now() - older)
        elif kind < 0.94:
            self.desk.board.put(Tick(truth.key, self.random.choice(NONSENSE), self.clock.now()))
        elif kind < 0.96:
            self.quoted(truth)
        elif kind < 0.975:
            self.lose()
        else:
            self.be_silent(self.random.choice((0.3, 4.0, 9.9, 10.1, 60.0)))

    def be_silent(self, seconds: float) -> None:
        """After a long silence what comes first is late, though younger than all before."""
        self.clock.advance(seconds)
        for each in self.truths.values():
            if seconds > 20:
                ltp, late = each.lie(), timedelta(seconds=self.random.uniform(10.5, 20))
                each.highest.append((ltp, self.clock.monotonic()))
                self.put(each, ltp, self.clock.now() - late)
        self.look()

    def lose(self) -> None:
        """Another feed takes over; what its gateway sends first is of an hour ago, though its time is now."""
        self.desk.feed.gap = self.clock.monotonic()
        for each in self.truths.values():
            each.lost()
        self.clock.advance(0.01)
        for each in self.truths.values():
            ltp, now = each.lie(), self.clock.now()
            self.desk.board.put(Tick(each.key, ltp, now, bids=((ltp, UNITS),), asks=((ltp, UNITS),)), "B")
            each.highest.append((ltp, self.clock.monotonic()))
            each.is_first, each.stamp = False, now.timestamp()

    def real(self, truth: Truth) -> None:
        ltp, wide = truth.walk(), self.random.choice((0.0, 0.05, 3.0))
        now = self.clock.now()
        bids, asks = (((ltp - wide, UNITS),), ((ltp + wide, UNITS),)) if wide else ((), ())
        self.desk.board.put(Tick(truth.key, ltp, now, bids=bids, asks=asks), self.random.choice(("A", "B")))
        truth.stamp = now.timestamp()
        truth.came(ltp, ltp + wide, self.clock.monotonic())
        self.clock.advance(0.01)

    def quoted(self, truth: Truth) -> None:
        asked = self.clock.monotonic()
        self.clock.advance(0.05)
        ltp = truth.walk()
        self.desk.board.seed(truth.key, quote(str(ltp)), "quote of A", asked=asked)
        truth.came(ltp, ltp, self.clock.monotonic(), quoted=True)

    def put(self, truth: Truth, ltp: float, at: Any) -> None:
        self.desk.board.put(Tick(truth.key, ltp, at), "B")
        self.clock.advance(0.01)

    def look(self) -> None:
        self.desk.monitor.step()
        self.desk.peaks.step()
        floor = float(self.desk.peaks.of(self.desk.runs.view(1)))
        if floor > self.peak:
            assert floor <= max(self.totals(2), default=-math.inf) + 0.01, "a peak that no real price ever gave"
            self.peak = floor
        self.turns += 1
        if self.turns % ANEW_EVERY == 0:
            self.begin_anew()
        if self.turns % DAY_EVERY == 0:
            self.judge_the_day()

    def begin_anew(self) -> None:
        """A high peak has the trailing stop go before all other rules."""
        with self.desk.world.database.transaction() as session:
            session.get_one(Run, 1).peak = Decimal(0)
        self.desk.peaks._committed.clear()
        self.desk.runs.changed(1)
        self.peak = 0.0

    def judge_the_day(self) -> None:
        self.days.step()
        for lock in self.desk.world.rows(DayLock):
            self.locked.add((lock.group_id is not None, lock.rule))
            total, accounts = float(lock.value), 1 if lock.group_id is None else 2
            is_real = any(abs(total - each) < 0.01 for each in self.totals(accounts))
            assert is_real or (lock.rule == "day_loss" and total >= self.bound(accounts) - 0.01), (lock.sentence, total)
            with self.desk.world.database.transaction() as session:
                session.query(DayLock).delete()


def run(folder: Path, seed: int, turns: int) -> None:
    fuzz = Fuzz(folder, seed)
    for _ in range(turns):
        fuzz.turn()
    said = " ".join(fuzz.fired)
    for rule in ("Max loss", "Trailing stop", "Stop of leg", "by itself"):
        assert rule in said, f"{rule} was awake"
    of_group = {(True, "day_loss"), (True, "day_profit")}
    assert {(False, "day_loss"), *of_group} == fuzz.locked, "so were the limits of the day, of an account and a group"


def test_no_rule_decides_on_a_bad_price(tmp_path: Path) -> None:
    run(tmp_path, seed=7, turns=240)


@pytest.mark.proof
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10))
def test_no_rule_decides_on_a_bad_price_in_a_million_ticks(tmp_path: Path, seed: int) -> None:
    run(tmp_path, seed, turns=100_000 // TICKS)
