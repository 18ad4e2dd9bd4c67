"""A day is judged by prices that are borne out: one bad print locks nobody, however long it is the last."""

from decimal import Decimal
from pathlib import Path

import pytest

from app.persistence.tables import AccountGroup, GroupMember, RunDay
from app.services.day_limit_watch import BORNE_OUT_S
from tests.unit.services.market_fakes import quote
from tests.unit.services.pretend_broker import PUT
from tests.unit.services.test_day_limits import ADay


@pytest.fixture
def day(tmp_path: Path) -> ADay:
    return ADay(tmp_path)


def quoted(day: ADay, ltp: str) -> None:
    asked = day.world.clock.monotonic()
    day.world.clock.advance(0.2)
    day.board.seed(PUT.key, quote(ltp), "quote of A", asked=asked)


def test_row_21_one_bad_print_locks_no_account_however_long_it_is_silent(day: ADay) -> None:
    day.run()
    day.limit(1, max_day_loss=Decimal(1300), max_day_profit=Decimal(1300), leaves_at_limit=True)
    day.looks(100)
    for bad in (1, 900):
        day.price(bad)
        day.looks(None, 6)
        assert (day.held(), day.leaving()) == (set(), set())
        day.price(100)
        day.looks(None, 1)


def test_row_21_a_loss_of_the_day_that_a_quote_bears_out_locks_as_soon_as_it_has_lasted(day: ADay) -> None:
    woken: list[bool] = []
    day.proven.ask = lambda: woken.append(True)
    day.run()
    day.limit(1, max_day_loss=Decimal(1300), leaves_at_limit=True)
    day.looks(100)
    day.price(30)
    day.watch.step()
    assert woken == [True], "it is asked about at once, though no rule of the run was reached"
    quoted(day, "30")
    day.looks(None, BORNE_OUT_S)
    assert day.held() == {(1, "day_loss", True)}


def test_row_21_one_bad_print_locks_no_group(day: ADay) -> None:
    now = day.world.clock.now()
    with day.world.database.transaction() as session:
        group = AccountGroup(
            owner_id=1, name="Family", created_at=now, changed_at=now, max_day_loss=Decimal(2600), leaves_at_limit=True
        )
        group.members = [GroupMember(account_id=1), GroupMember(account_id=2)]
        session.add(group)
    day.run()
    day.looks(100)
    day.price(1)
    day.looks(None, 6)
    assert (day.held(), day.leaving()) == (set(), set())
    day.looks(79)
    assert day.held() == {(1, "day_loss", True), (2, "day_loss", True)}


def test_row_17_a_day_is_not_judged_by_a_price_of_before_the_gap_nor_by_one_tick_after_it(day: ADay) -> None:
    day.run()
    day.limit(1, max_day_loss=Decimal(650))
    day.looks(95)
    day.price(90)
    day.gap = day.world.clock.monotonic()
    day.looks(None, 4)
    assert day.held() == set()
    day.price(89)
    day.looks(None, 2)
    assert day.held() == set()
    day.looks(90)
    assert day.held() == {(1, "day_loss", True)}


def test_row_21_a_bad_print_is_written_down_as_no_days_worth(day: ADay) -> None:
    day.run()
    day.looks(100)
    day.book.step()
    day.world.clock.advance(60)
    day.price(900)
    day.book.step()
    assert {row.total for row in day.world.rows(RunDay)} == {Decimal(0)}, "tomorrow's day counts from it"
