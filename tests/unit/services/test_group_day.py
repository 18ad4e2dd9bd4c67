"""A group that reached a limit of its day locks all its accounts and no other, across restarts, on real rows."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.contracts import Side
from app.persistence.tables import AccountGroup, ActivityLog, DayLock, GroupMember, User
from tests.unit.services.pretend_broker import CALL, HEDGE, PUT
from tests.unit.services.test_day_limits import CHEAP, PASSWORD, ADay, Person

ASHA = Person(1, "asha", is_admin=True)


class GroupDay(ADay):
    """Three accounts that buy puts at 100, 65 units each; the first two are a group, the last two another."""

    accounts = 3

    def group(self, name: str, *members: int, **limits: Any) -> int:
        now = self.world.clock.now()
        with self.world.database.transaction() as session:
            row = AccountGroup(owner_id=1, name=name, created_at=now, changed_at=now, **limits)
            row.members = [GroupMember(account_id=each) for each in members]
            session.add(row)
            session.flush()
            return row.id

    def join(self, group_id: int, *members: int) -> None:
        with self.world.database.transaction() as session:
            row = session.get_one(AccountGroup, group_id)
            row.members = [GroupMember(account_id=each) for each in members]

    def locked(self) -> set[int]:
        return {account for account in (1, 2, 3) if self.refusal(account) == "DAY_LOCK"}


@pytest.fixture
def day(tmp_path: Path) -> GroupDay:
    return GroupDay(tmp_path)


def test_the_loss_of_all_its_accounts_together_locks_them_and_leaves_where_it_says_so(day: GroupDay) -> None:
    day.group("Family", 1, 2, max_day_loss=Decimal(1300), leaves_at_limit=True)
    day.group("Fast", 2, 3, max_day_loss=Decimal(100_000))
    day.run()
    day.looks(90.05)
    assert day.held() == set()
    day.looks(90)
    assert day.held() == {(1, "day_loss", True), (2, "day_loss", True)}
    (first, _) = day.world.rows(DayLock)
    assert (first.value, first.threshold) == (Decimal(-1300), Decimal(1300))
    assert first.sentence.startswith("Group Family: Day loss of ₹1,300.00 reached")
    day.looks(100)
    assert day.leaving() == {1, 2}
    day.world.turns(6)
    assert [broker.net(PUT.key) for broker in day.world.brokers.values()] == [0, 0, 65]
    assert day.locked() == {1, 2}
    assert [row.subject for row in day.world.rows(ActivityLog) if row.action == "limit.reached"] == ["group:1"]


def test_a_restart_keeps_the_lock_and_makes_no_second(day: GroupDay) -> None:
    day.group("Family", 1, 2, max_day_profit=Decimal(1300))
    day.run()
    day.looks(110)
    assert day.locked() == {1, 2}
    day.start()
    day.looks(115)
    assert len(day.world.rows(DayLock)) == 2
    assert day.locked() == {1, 2}
    day.world.clock.at += timedelta(days=1)
    day.looks(100)
    assert day.locked() == set()


def test_while_one_of_its_accounts_is_not_known_it_decides_nothing_by_loss(day: GroupDay) -> None:
    """However long, and however much the other has lost: account 2 alone holds a short that has no price."""
    day.group("Family", 1, 2, max_day_loss=Decimal(100))
    day.run()
    short = day.run((HEDGE, Side.BUY, 1), (CALL, Side.SELL, 1))
    for account in (1, 3):
        day.world.exit(short, account_id=account)
    day.world.turns(6)
    day.runs.changed(short)
    day.price(100, HEDGE)
    day.looks(1, 60)
    today = day.worth.today()
    worth = {each.account_id: each.pnl.total for each in day.worth.days(day.worth.views(today), today)}
    assert (worth[1], worth[2]) == (Decimal(-6435), None)
    assert day.held() == set()
    for _ in range(4):
        day.price(100, HEDGE)
        day.price(100, CALL)
        day.looks(1, 1)
    assert day.locked() == {1, 2}


def test_an_account_may_be_locked_by_itself_and_by_its_group(day: GroupDay) -> None:
    day.group("Family", 1, 2, max_day_loss=Decimal(1300))
    day.run()
    day.limit(1, max_day_loss=Decimal(650))
    day.looks(90)
    assert sorted((lock.account_id, lock.group_id or 0) for lock in day.world.rows(DayLock)) == [(1, 0), (1, 1), (2, 1)]


def test_it_is_lifted_for_all_its_accounts_at_once_and_not_made_again(day: GroupDay) -> None:
    day.group("Family", 1, 2, max_day_loss=Decimal(1300))
    day.run()
    with day.world.database.transaction() as session:
        session.get_one(User, 1).password_hash = CHEAP.hash(PASSWORD)
    day.looks(90)
    (line,) = day.locks.shown_to(ASHA)
    assert (line.account, line.accounts) == ("group Family (Account 1, Account 2)", (1, 2))
    day.locks.lift(line.id, actor=ASHA, password=PASSWORD, address="test")
    day.looks(80)
    assert day.locked() == set()
    (line,) = day.locks.shown_to(ASHA)
    assert (line.lifted_by, line.in_force) == ("asha", False)


def test_who_comes_into_a_locked_group_is_locked_and_who_leaves_it_stays_locked(day: GroupDay) -> None:
    family = day.group("Family", 1, 2, max_day_loss=Decimal(1300))
    day.run()
    day.looks(90)
    day.join(family, 2, 3)
    day.looks(100)
    assert day.locked() == {1, 2, 3}
    with day.world.database.transaction() as session:
        session.get_one(AccountGroup, family).archived_at = day.world.clock.now()
    day.looks(100)
    assert day.locked() == {1, 2, 3}
