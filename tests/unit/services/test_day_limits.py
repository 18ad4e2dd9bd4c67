"""A day that is over its limits: locked once, left where the account says so, on real rows, across restarts."""

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from app.domain.contracts import Contract, Side
from app.domain.errors import Conflict, Denied, InvalidInput, NotFound
from app.domain.market_rules import DEFAULT_RULES, RuleBook
from app.domain.orders import IntentState
from app.persistence.tables import ActivityLog, DayLock, PnlMinute, Run, RunDay, StrategyExecution, TradingAccount, User
from app.ports.feed import Tick
from app.services.account_costs import AccountCosts
from app.services.activity import Activity
from app.services.day_book import DayBook
from app.services.day_limit_watch import BORNE_OUT_S, LOOK_S, DayLimitWatch
from app.services.day_locks import DayLocks
from app.services.day_worth import DayWorth
from app.services.journal import Journal
from app.services.passwords import Passwords
from app.services.people import People
from app.services.price_board import PriceBoard
from app.services.proven_prices import ProvenPrices
from app.services.run_board import RunBoard
from app.services.run_minutes import RunMinutes
from app.services.trading_states import refuse_entry
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, PUT

PASSWORD = "correct horse battery"

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True)
class Person:
    id: int
    username: str
    is_admin: bool


class ADay:
    """Two accounts that buy puts at 100, 65 units each, and the loops that look at their day."""

    accounts = 2
    rules = RuleBook(DEFAULT_RULES)

    def __init__(self, folder: Path) -> None:
        self.world = OrderWorld(folder, accounts=self.accounts)
        for broker in self.world.brokers.values():
            broker.fills_at_once = True
        self.board = PriceBoard(self.world.clock)
        self.start()

    def start(self) -> None:
        """Loops that remember nothing."""
        world = self.world
        self.runs = RunBoard(world.database, self.board, world.clock)
        self.gap: float | None = None
        self.proven = ProvenPrices(self.board, world.clock, lambda: self.gap)
        self.worth = DayWorth(world.database, self.runs, world.clock, marks_of=self.proven.marks)
        self.activity = Activity(world.database, world.clock)
        self.watch = DayLimitWatch(
            world.database, self.worth, world.clock, self.proven,
            activity=self.activity, journal=Journal(world.clock), ask_exit=self._ask_exit,
        )  # fmt: skip
        self.minutes = RunMinutes(world.database, self.runs, lambda: self.rules)
        self.costs = AccountCosts(world.database, lambda: self.rules, world.clock)
        self.book = DayBook(world.database, self.worth, self.costs, self.minutes, world.clock)
        people = People(world.database, world.clock, self.activity, "token", Passwords(CHEAP))
        self.locks = DayLocks(world.database, world.clock, self.activity, people)

    def _ask_exit(self, run_id: int, account_id: int, why: str) -> None:
        self.world.executor.ask_exit(run_id, account_id=account_id, leg=None, why=why)
        self.runs.changed(run_id)

    def limit(self, account_id: int, **limits: Any) -> None:
        """After the run has begun, where it is a loss: entries would wait for what the broker says of the day."""
        with self.world.database.transaction() as session:
            account = session.get_one(TradingAccount, account_id)
            for name, value in limits.items():
                setattr(account, name, value)

    def run(self, *legs: tuple[Contract, Side, int]) -> int:
        run_id = self.world.start(*(legs or ((PUT, Side.BUY, 1),)))
        self.world.turns(4)
        self.runs.changed(run_id)
        return run_id

    def price(self, ltp: float, contract: Contract = PUT) -> None:
        self.board.put(Tick(contract.key, ltp, self.world.clock.now()))

    def looks(self, ltp: float | None, seconds: float = BORNE_OUT_S) -> None:
        """The watch looks each second for so long, the put at this price; None: no price comes."""
        for _ in range(int(seconds / LOOK_S) + 1):
            if ltp is not None:
                self.price(ltp)
            self.watch.step()
            self.world.clock.advance(LOOK_S)

    def tomorrow(self) -> None:
        self.world.clock.at += timedelta(days=1)

    def held(self) -> set[tuple[int, str, bool]]:
        """Account, rule and whether it is in force, of each lock."""
        return {(lock.account_id, lock.rule, lock.ended_at is None) for lock in self.world.rows(DayLock)}

    def leaving(self) -> set[int]:
        return {row.account_id for row in self.world.rows(StrategyExecution) if row.exit_wanted}

    def reasons(self, run_id: int) -> str:
        return " ".join(row.reason or "" for row in self.world.intents("ENTRY", run_id))

    def refusal(self, account_id: int) -> str | None:
        try:
            with self.world.database.transaction() as session:
                refuse_entry(session, user_id=1, account_id=account_id, strategy_id=1)
        except Denied as no:
            return no.code
        return None


@pytest.fixture
def day(tmp_path: Path) -> ADay:
    return ADay(tmp_path)


def test_a_loss_of_the_day_locks_that_account_alone_and_leaves_nothing_by_itself(day: ADay) -> None:
    day.run()
    day.limit(1, max_day_loss=Decimal(650))
    day.looks(90.05)
    assert day.held() == set()
    day.looks(90)
    assert day.held() == {(1, "day_loss", True)}
    assert day.leaving() == set()
    assert (day.refusal(1), day.refusal(2)) == ("DAY_LOCK", None)
    (lock,) = day.world.rows(DayLock)
    assert (lock.value, lock.threshold, lock.prices[PUT.key.symbol]["ltp"]) == (Decimal(-650), Decimal(650), "90")


def test_where_the_account_says_so_everything_in_it_is_left_and_elsewhere_nothing(day: ADay) -> None:
    day.limit(1, max_day_profit=Decimal(650), leaves_at_limit=True)
    first, second = day.run(), day.run((HEDGE, Side.BUY, 1))
    day.price(100, HEDGE)
    day.looks(110)
    assert day.held() == {(1, "day_profit", True)}
    day.looks(100)
    assert day.leaving() == {1}
    day.world.turns(6)
    assert day.world.brokers[1].net(PUT.key) == day.world.brokers[1].net(HEDGE.key) == 0
    assert day.world.brokers[2].net(PUT.key) == 65
    assert {day.world.run(first).state, day.world.run(second).state} != {"CLOSED"}


def test_an_exit_that_a_crash_kept_from_being_asked_is_asked_by_the_next_engine(day: ADay) -> None:
    day.run()
    day.limit(1, max_day_loss=Decimal(650), leaves_at_limit=True)
    day.looks(90)
    with day.world.database.transaction() as session:
        for row in session.query(StrategyExecution):
            row.exit_wanted = None  # as if the process had died between the two
    day.start()
    day.price(100)
    day.watch.step()
    assert day.leaving() == {1}


def test_an_account_whose_exit_crashes_keeps_no_other_from_being_left(day: ADay, monkeypatch: Any) -> None:
    day.run()
    for account_id in (1, 2):
        day.limit(account_id, max_day_loss=Decimal(650), leaves_at_limit=True)
    ask = day._ask_exit

    def crash(run_id: int, account_id: int, why: str) -> None:
        if account_id == 1:
            raise ZeroDivisionError("a bug")
        ask(run_id, account_id, why)

    monkeypatch.setattr(day.watch, "_ask_exit", crash)
    for _ in range(8):
        with contextlib.suppress(ZeroDivisionError):
            day.looks(90, 0)
    assert day.leaving() == {2}


def test_one_bad_print_locks_nothing(day: ADay) -> None:
    day.run()
    day.limit(1, max_day_loss=Decimal(650))
    day.price(1)
    day.watch.step()
    day.world.clock.advance(LOOK_S)
    day.looks(100)
    day.price(1)
    day.watch.step()
    assert day.held() == set()


def test_without_a_price_the_worst_it_can_be_counts_after_ten_seconds(day: ADay) -> None:
    """A long put without any price is worth nothing at worst: 6,500 rupees."""
    day.run()
    day.limit(1, max_day_loss=Decimal(6000), max_day_profit=Decimal(1))
    day.looks(None, 8)
    assert day.held() == set()
    day.looks(None, 4)
    assert day.held() == {(1, "day_loss", True)}


def test_of_a_short_without_a_price_nobody_can_say_and_nothing_is_decided(day: ADay) -> None:
    day.run((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    day.limit(1, max_day_loss=Decimal(1))
    day.looks(None, 60)
    assert day.held() == set()


def test_a_lock_ends_with_its_day_and_counts_anew_from_what_the_run_was_worth(day: ADay) -> None:
    day.run()
    day.limit(1, max_day_loss=Decimal(650))
    day.looks(90)
    day.book.step()
    day.tomorrow()
    day.looks(90)
    assert day.held() == {(1, "day_loss", False)}
    assert day.refusal(1) is None
    day.start()
    day.looks(80)
    assert {lock.trading_date for lock in day.world.rows(DayLock) if lock.ended_at is None} == {day.worth.today()}
    assert len(day.world.rows(DayLock)) == 2


def test_a_carried_run_that_nobody_wrote_down_counts_from_its_begin(day: ADay) -> None:
    day.run()
    day.limit(1, max_day_loss=Decimal(650))
    day.tomorrow()
    day.looks(90)
    assert day.held() == {(1, "day_loss", True)}


def test_a_run_that_closed_today_counts_and_one_of_yesterday_does_not(day: ADay) -> None:
    run_id = day.run()
    day.price(90)
    day.world.exit(run_id)
    day.world.turns(6)
    day.runs.changed(run_id)
    assert day.world.run(run_id).state == "CLOSED"
    today = day.worth.today()
    assert [view.run_id for view in day.worth.views(today)] == [run_id]
    day.tomorrow()
    assert day.worth.views(day.worth.today()) == []


def test_a_restart_makes_no_second_lock_and_a_lifted_one_is_not_made_again(day: ADay) -> None:
    day.run()
    day.limit(1, max_day_loss=Decimal(650))
    with day.world.database.transaction() as session:
        session.get_one(User, 1).password_hash = CHEAP.hash(PASSWORD)
    day.looks(90)
    day.start()
    day.looks(85)
    (lock,) = day.world.rows(DayLock)
    asha = Person(1, "asha", is_admin=True)
    with pytest.raises(InvalidInput):
        day.locks.lift(lock.id, actor=asha, password="wrong", address="test")
    assert day.refusal(1) == "DAY_LOCK"
    with pytest.raises(NotFound):
        day.locks.lift(lock.id, actor=Person(2, "ravi", is_admin=False), password=PASSWORD, address="test")
    day.world.clock.advance(5)
    day.locks.lift(lock.id, actor=asha, password=PASSWORD, address="test")
    day.looks(80)
    assert day.held() == {(1, "day_loss", False)}
    assert day.refusal(1) is None
    with pytest.raises(Conflict):
        day.locks.lift(lock.id, actor=asha, password=PASSWORD, address="test")
    (line,) = day.locks.shown_to(asha)
    assert (line.lifted_by, line.in_force, line.account) == ("asha", False, "Account 1")
    assert day.locks.shown_to(Person(2, "ravi", is_admin=False)) == []
    actions = [row.action for row in day.world.rows(ActivityLog)]
    assert actions.count("limit.reached") == actions.count("limit.lift") == 1


def test_no_more_lots_than_the_account_may_hold_counting_what_is_under_way(day: ADay) -> None:
    day.limit(1, max_open_lots=2)
    run_id = day.run((PUT, Side.BUY, 2))
    assert day.world.brokers[1].net(PUT.key) == 130
    more = day.world.start((HEDGE, Side.BUY, 1))
    day.world.turns(4)
    states = {(row.account_id, row.state) for row in day.world.intents("ENTRY", more)}
    assert states == {(1, IntentState.DENIED), (2, IntentState.FILLED)}
    assert "OPEN_LOTS: Account 1 holds or has ordered 2 lots and may hold 2" in day.reasons(more)
    day.world.exit(run_id)
    day.world.turns(6)
    again = day.world.start((HEDGE, Side.BUY, 1))
    day.world.turns(4)
    assert {row.state for row in day.world.intents("ENTRY", again)} == {IntentState.FILLED}


def test_two_slices_of_one_batch_do_not_pass_a_limit_that_has_room_for_one(day: ADay) -> None:
    day.limit(1, max_day_orders=1)
    run_id = day.run((PUT, Side.BUY, 1), (HEDGE, Side.BUY, 1))
    sent = [row for row in day.world.intents("ENTRY", run_id) if row.account_id == 1 and row.sent_at]
    assert len(sent) == 1
    assert "DAY_ORDERS: Account 1 has sent 1 orders today and may send 1; 1 more is too many." in day.reasons(run_id)
    assert day.world.brokers[1].net(PUT.key) + day.world.brokers[1].net(HEDGE.key) == 0, "what it got was unwound"


def test_each_minute_of_the_market_is_written_once_and_only_where_something_changed(day: ADay) -> None:
    day.run()
    day.price(98)
    day.book.step()
    day.book.step()
    assert [(row.account_id, row.total) for row in day.world.rows(PnlMinute)] == [
        (1, Decimal(-130)),
        (2, Decimal(-130)),
    ]
    day.world.clock.advance(60)
    day.price(98)
    day.book.step()
    assert len(day.world.rows(PnlMinute)) == 2
    day.world.clock.advance(60)
    day.price(105)
    day.book.step()
    day.start()
    day.price(105.05)
    day.proven.marks(day.runs.view(1))
    day.price(105)
    day.book.step()
    assert [row.total for row in day.world.rows(PnlMinute)] == [Decimal(-130)] * 2 + [Decimal(325)] * 2
    assert {(row.account_id, row.total) for row in day.world.rows(RunDay)} == {(1, Decimal(325)), (2, Decimal(325))}


def test_a_minute_nobody_knows_is_a_gap_and_changes_no_baseline(day: ADay) -> None:
    day.run()
    day.price(98)
    day.book.step()
    day.world.clock.advance(60)
    day.book.step()
    assert [row.total for row in day.world.rows(PnlMinute)] == [Decimal(-130)] * 2 + [None] * 2
    assert {row.total for row in day.world.rows(RunDay)} == {Decimal(-130)}


def test_runs_that_are_refused_are_no_part_of_a_day(day: ADay) -> None:
    run_id = day.run()
    with day.world.database.transaction() as session:
        row = session.get_one(Run, run_id)
        row.state, row.closed_at = "REFUSED", day.world.clock.now()
    assert day.worth.views(day.worth.today()) == []
