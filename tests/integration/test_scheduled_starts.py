"""A strategy starts by itself once for its day, as its button would; or it is said why not."""

import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.calendar import IST, Closed, Session
from app.domain.entry_times import EntryTimes
from app.domain.errors import Denied, Unavailable
from app.persistence.tables import ActivityLog, Preview, Run, ScheduledStart, Strategy, TradingAccount, User
from app.services.entry_time_text import written
from app.services.scheduled_starts import ScheduledStarts
from tests.desk_app import MONDAY_1030
from tests.strategy_forms import fields, stored, values
from tests.trading_desk import TradingBench, account_plan, sent, straddle, trading_bench

AT = time(10, 30)
MONDAYS = EntryTimes(start=AT, days=(0,))


class Hours:
    today: Session | Closed | None = Session(MONDAY_1030 - timedelta(hours=1), MONDAY_1030 + timedelta(hours=4))

    def session(self, _exchange: str) -> Session | Closed | None:
        return self.today


class Scheduled:
    """A saved straddle with a schedule, and the loop that starts it."""

    def __init__(self, desk: TradingBench, times: EntryTimes = MONDAYS) -> None:
        self.desk, self.hours, self.wrong_clock = desk, Hours(), False
        self.strategy = desk.strategy()
        with desk.bench.database.transaction() as session:
            session.get_one(Strategy, self.strategy).times = written(times)
        self.loop = self.engine()

    def engine(self) -> ScheduledStarts:
        """Another process, or the same after a restart: it remembers nothing."""
        hours: Any = self.hours
        desk = self.desk.desk
        return ScheduledStarts(
            self.desk.bench.database, self.desk.clock, hours, self.desk.previews, desk.commands, desk.activity,
            clock_in_doubt=lambda: self.wrong_clock,
        )  # fmt: skip

    def rows(self, table: Any) -> list[Any]:
        with self.desk.bench.database.reading() as session:
            return list(session.scalars(select(table).order_by(table.id)))

    def told(self) -> list[tuple[str, str | None, int | None]]:
        return [(row.state, row.reason, row.run_id) for row in self.rows(ScheduledStart)]

    def left_out(self) -> str:
        """Why, when nothing was sent."""
        ((state, reason, run_id),) = self.told()
        assert (state, run_id, self.rows(Run)) == ("SKIPPED", None, [])
        assert reason is not None
        return reason

    def later(self, **by: float) -> None:
        self.desk.clock.advance(timedelta(**by).total_seconds())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def test_it_is_previewed_and_sent_as_the_button_would_and_once(desk: TradingBench) -> None:
    made = Scheduled(desk)
    for _ in range(3):
        made.loop.step()
        made.later(minutes=1)
    (run,) = made.rows(Run)
    (preview,) = made.rows(Preview)
    assert (run.preview_id, run.strategy_id, run.state) == (preview.id, made.strategy, "REQUESTED")
    assert made.told() == [("STARTED", None, run.id)]
    sentences = [row.sentence for row in made.rows(ActivityLog)]
    assert "Straddle was started by its schedule." in sentences


def test_before_its_time_and_on_other_days_nothing_happens(desk: TradingBench) -> None:
    made = Scheduled(desk, EntryTimes(start=time(10, 31), days=(0,)))
    made.loop.step()
    assert made.told() == []
    with desk.bench.database.transaction() as session:
        session.get_one(Strategy, made.strategy).times = written(EntryTimes(start=AT, days=(1,)))
    made.loop.step()
    assert made.told() == []


def test_a_restart_starts_nothing_twice(desk: TradingBench) -> None:
    made = Scheduled(desk)
    made.loop.step()
    made.engine().step()
    assert len(made.rows(Run)) == 1


@pytest.mark.parametrize("dies_in", ["_start", "_end"])
def test_a_crash_between_row_and_run_is_taken_up_and_makes_one_run(desk: TradingBench, dies_in: str) -> None:
    made = Scheduled(desk)

    def dies(*_: object) -> int:
        raise RuntimeError("the process died here")

    setattr(made.loop, dies_in, dies)
    with pytest.raises(RuntimeError):
        made.loop.step()
    assert [state for state, *_ in made.told()] == ["STARTING"]
    made.engine().step()
    (run,) = made.rows(Run)
    assert made.told() == [("STARTED", None, run.id)]


def test_two_engines_that_look_at_the_same_moment_make_one_run(desk: TradingBench) -> None:
    made = Scheduled(desk)
    engines = [made.engine() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda engine: engine.step(), engines))
    (run,) = made.rows(Run)
    assert made.told() == [("STARTED", None, run.id)]


@pytest.mark.parametrize(
    ("hours", "says"),
    [
        (None, "hours of NFO today are not known"),
        (Closed(), "NFO is closed today"),
        (Session(MONDAY_1030 + timedelta(hours=8), MONDAY_1030 + timedelta(hours=9)), "is open from 18:30 to 19:30"),
    ],
)
def test_holidays_unknown_hours_and_special_sessions(desk: TradingBench, hours: Any, says: str) -> None:
    made = Scheduled(desk)
    made.hours.today = hours
    made.loop.step()
    assert says in made.left_out()


def test_missed_by_more_than_ten_minutes_it_is_left_out(desk: TradingBench) -> None:
    made = Scheduled(desk)
    made.later(minutes=11)
    made.loop.step()
    assert "Its time was 10:30, 11 minutes before" in made.left_out()


def test_a_clock_that_may_be_wrong_starts_nothing(desk: TradingBench) -> None:
    made = Scheduled(desk)
    made.wrong_clock = True
    made.loop.step()
    assert made.told() == []


def test_what_the_preview_refuses_is_said(desk: TradingBench) -> None:
    made = Scheduled(desk)
    desk.previews.refuses = Denied("NO_PRICE_OR_BOOK", "26200 CE has no price.")
    made.loop.step()
    assert made.left_out() == "26200 CE has no price."


def test_a_gateway_that_is_away_is_asked_again_until_it_is_too_late(desk: TradingBench) -> None:
    made = Scheduled(desk)
    desk.previews.refuses = Unavailable("No gateway answers.")
    made.loop.step()
    assert [state for state, *_ in made.told()] == ["STARTING"]
    desk.previews.refuses = None
    made.loop.step()
    assert made.rows(Run) == [], "not every second"
    made.later(seconds=16)
    made.loop.step()
    assert len(made.rows(Run)) == 1


def test_when_nobody_takes_part_nothing_is_sent(desk: TradingBench) -> None:
    made = Scheduled(desk)
    desk.previews.planned = (account_plan(1, "Simulator 1", skipped="Paused by its owner."),)
    made.loop.step()
    assert "Simulator 1: Paused by its owner." in made.left_out()


def test_an_archived_strategy_starts_no_more(desk: TradingBench) -> None:
    made = Scheduled(desk)
    desk.desk.strategies.archive(made.strategy, user_id=1, username="asha")
    made.loop.step()
    assert made.told() == []


def test_who_may_not_sign_in_any_more_starts_nothing(desk: TradingBench) -> None:
    made = Scheduled(desk)
    with desk.bench.database.transaction() as session:
        session.get_one(User, 1).active = False
    made.loop.step()
    assert made.left_out() == "asha may not sign in any more."


def test_real_money_needs_arming_and_every_change_takes_it_back(desk: TradingBench) -> None:
    made, browser = Scheduled(desk), desk.admin()
    with desk.bench.database.transaction() as session:
        for account in session.scalars(select(TradingAccount)):
            account.broker = "zerodha"
    made.loop.step()
    assert "not armed" in made.left_out()
    assert sent(browser, f"/strategies/{made.strategy}/arm", {"armed": "yes"}).status_code == 303
    assert desk.desk.strategies.one(made.strategy, 1).is_armed
    with desk.bench.database.transaction() as session:
        session.delete(session.scalars(select(ScheduledStart)).one())
    made.engine().step()
    assert len(made.rows(Run)) == 1
    saved = desk.desk.strategies.one(made.strategy, 1)
    desk.desk.strategies.save(saved.spec, saved.multipliers, user_id=1, username="asha", strategy_id=made.strategy)
    assert not desk.desk.strategies.one(made.strategy, 1).is_armed


def test_the_list_says_when_it_starts_next_and_what_happened_last(desk: TradingBench) -> None:
    made = Scheduled(desk)
    made.hours.today = Closed()
    made.loop.step()
    page = desk.admin().get("/strategies/").text
    assert "left out. NFO is closed today." in page
    assert datetime.combine((MONDAY_1030 + timedelta(days=7)).date(), AT, IST).strftime("%d %b") in page
    assert "Arm for real money" in page


def test_a_schedule_is_saved_and_shown_again(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    times = {
        "entry_from": "09:20", "entry_to": "14:00", "expiry_day": "never", "start_at": "09:30",
    }  # fmt: skip
    assert sent(browser, "/strategies/new", fields(accounts, start_days=["Wed", "Mon"], **times)).status_code == 303
    (saved,) = stored(desk)
    assert saved.spec.times.days == (0, 2)
    page = browser.get(f"/strategies/{saved.id}/edit").text
    assert {name: values(page, name) for name in times} == {name: [text] for name, text in times.items()}
    assert ticked(page) == ["Mon", "Wed"]


@pytest.mark.parametrize(
    ("changes", "says", "still"),
    [
        ({"start_at": "09:30", "start_days": ["Tue", "Moonday"]}, "“Moonday” is no day", ["Tue"]),
        ({"start_at": "09:30", "start_days": ["Mon Wed"]}, "“Mon Wed” is no day", []),
        ({"start_at": "09:30", "start_days": []}, "Tick at least one", []),
        ({"start_days": ["Fri"]}, "Days are of use with a time", ["Fri"]),
    ],
)
def test_days_that_are_none_are_named_and_what_was_ticked_stays(
    desk: TradingBench, changes: dict[str, Any], says: str, still: list[str]
) -> None:
    wrong = sent(desk.admin(), "/strategies/new", fields(desk.accounts(), **changes))
    assert wrong.status_code == 422
    assert says in html.unescape(wrong.text)
    assert 'id="start_days-error"' in wrong.text
    assert ticked(wrong.text) == still
    assert stored(desk) == []


def test_a_weekend_that_was_saved_before_is_still_ticked_and_saved_again(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    saved = desk.desk.strategies.save(
        straddle(times=EntryTimes(start=AT, days=(0, 5))), {accounts[0]: Decimal(1)}, user_id=1, username="asha"
    )
    page = browser.get(f"/strategies/{saved}/edit").text
    assert ticked(page) == ["Mon", "Sat"]
    typed = fields(accounts, start_at="09:30", start_days=ticked(page))
    assert sent(browser, f"/strategies/{saved}/edit", typed).status_code == 303
    assert stored(desk)[0].spec.times.days == (0, 5)


def ticked(page: str) -> list[str]:
    """Days that are ticked on the builder."""
    return re.findall(r'name="start_days" value="([^"]*)" checked', page)
