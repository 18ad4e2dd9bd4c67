"""What a run was worth minute by minute: gross and net, a gap where nobody knew, one statement for all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import event

from app.domain.contracts import Side
from app.domain.market_rules import DEFAULT_RULES, RuleBook, RuleKind
from app.persistence.tables import RunMinute
from app.services.day_history import DayHistory
from app.services.run_minutes import UNSEEN, RunMinutes
from tests.unit.services.pretend_broker import HEDGE
from tests.unit.services.test_day_limits import ADay

NO_GST = RuleBook(rule for rule in DEFAULT_RULES if rule.kind is not RuleKind.GST)
MINUTE = 60.0


@pytest.fixture
def day(tmp_path: Path) -> ADay:
    return ADay(tmp_path)


def curve(day: ADay, run_id: int) -> list[Decimal | None]:
    return [point.total for point in DayHistory(day.world.database, day.costs).run(run_id)]


def nets(day: ADay, run_id: int) -> list[Decimal | None]:
    return [point.net for point in DayHistory(day.world.database, day.costs).run(run_id)]


@contextmanager
def statements(day: ADay) -> Iterator[list[str]]:
    """Those that name the table of the curves."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "run_minutes" in statement:
            found.append(statement)

    engine = day.world.database.engine
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def test_all_accounts_of_a_run_together_gross_and_net_of_its_charges(day: ADay) -> None:
    """65 puts bought at 100 in each of two accounts, now at 98."""
    run_id = day.run()
    day.price(98)
    day.book.step()
    (point,) = DayHistory(day.world.database, day.costs).run(run_id)
    assert point.at == day.world.clock.now().replace(second=0, microsecond=0)
    assert point.total == Decimal(-260)
    assert point.net is not None
    assert point.net < -260 - 2 * 20, "an order of each account costs its brokerage, and more"


def test_only_what_changed_is_written_and_once_a_minute(day: ADay) -> None:
    run_id = day.run()
    for ltp, seconds in ((98, 1), (97, MINUTE), (99, MINUTE), (99, MINUTE), (105, MINUTE)):
        day.price(ltp)
        day.book.step()
        day.world.clock.advance(seconds)
    assert curve(day, run_id) == [-260, -130, 650]


def test_a_minute_without_a_fresh_price_is_a_gap_and_never_nothing(day: ADay) -> None:
    run_id = day.run()
    day.price(98)
    day.book.step()
    day.world.clock.advance(MINUTE)
    day.book.step()
    day.world.clock.advance(MINUTE)
    day.book.step()
    day.world.clock.advance(MINUTE)
    day.price(98)
    day.book.step()
    assert curve(day, run_id) == [-260, None, -260]
    assert nets(day, run_id)[1] is None


def test_a_rate_that_is_missing_leaves_the_net_alone_unknown(day: ADay) -> None:
    day.rules = NO_GST
    run_id = day.run()
    day.price(98)
    day.book.step()
    assert curve(day, run_id) == [-260]
    assert nets(day, run_id) == [None]


def test_the_end_of_a_run_is_its_last_point(day: ADay) -> None:
    run_id = day.run()
    day.price(98)
    day.book.step()
    day.world.exit(run_id)
    day.world.turns(6)
    day.runs.changed(run_id)
    day.world.clock.advance(MINUTE)
    day.book.step()
    day.world.clock.advance(MINUTE)
    day.book.step()
    first, last = nets(day, run_id)
    totals = curve(day, run_id)
    assert totals[-1] is not None
    assert len(totals) == 2, "it is flat: no price changes it any more"
    assert first is not None
    assert last is not None
    assert totals[-1] - last > Decimal(-260) - first, "the orders that closed it cost as well"


def test_all_runs_of_a_minute_are_one_statement(day: ADay) -> None:
    day.run()
    day.run((HEDGE, Side.BUY, 1))
    for ltp in (98, 97):
        day.price(ltp)
        day.price(ltp, HEDGE)
        with statements(day) as found:
            day.book.step()
        assert len([text for text in found if text.startswith("INSERT")]) == 1
        day.world.clock.advance(MINUTE)
    assert len(found) == 1, "what was written last is read at the start alone"
    assert len(day.world.rows(RunMinute)) == 4


def test_a_restart_writes_nothing_twice_and_goes_on_where_it_was(day: ADay) -> None:
    run_id = day.run()
    day.price(98)
    day.book.step()
    day.start()
    day.price(98)
    day.book.step()
    assert curve(day, run_id) == [-260]
    day.world.clock.advance(MINUTE)
    day.start()
    day.price(105)
    day.book.step()
    assert curve(day, run_id) == [-260, 650]


def test_nobody_knows_what_it_was_worth_while_no_engine_ran(day: ADay) -> None:
    run_id = day.run()
    day.price(98)
    day.book.step()
    before = day.world.clock.now().replace(second=0, microsecond=0)
    day.world.clock.advance(UNSEEN.total_seconds() + MINUTE)
    day.start()
    day.price(105)
    day.book.step()
    assert curve(day, run_id) == [-260, None, 650]
    assert DayHistory(day.world.database, day.costs).run(run_id)[1].at == before + timedelta(minutes=1)


def test_a_run_whose_worth_stood_still_was_looked_at_all_the_same(day: ADay) -> None:
    run_id = day.run()
    for _ in range(8):
        day.price(98)
        day.book.step()
        day.world.clock.advance(MINUTE)
    day.price(105)
    day.book.step()
    assert curve(day, run_id) == [-260, 650]


def test_a_minute_that_could_not_be_written_is_written_with_the_next_look(day: ADay) -> None:
    run_id = day.run()
    day.price(98)
    writer: RunMinutes = day.minutes
    views = day.worth.views(day.worth.today())
    minute = day.world.clock.now().replace(second=0, microsecond=0)
    first = writer.due(views, minute)
    assert writer.due(views, minute) == first, "nothing was committed"
    day.book.step()
    assert curve(day, run_id) == [-260]
