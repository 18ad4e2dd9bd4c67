"""What accounts pay in charges: each by itself, on days gone by too, and unknown by name where a rate is missing."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.market_rules import DEFAULT_RULES, RuleBook, RuleKind
from app.persistence.tables import PnlMinute
from app.services.account_costs import EARLIER_KEPT_S, KEPT_S
from app.services.day_history import DayHistory
from app.services.run_charges import FREE, of_run
from tests.unit.services.test_day_limits import ADay

NO_GST = RuleBook(rule for rule in DEFAULT_RULES if rule.kind is not RuleKind.GST)


@pytest.fixture
def day(tmp_path: Path) -> ADay:
    return ADay(tmp_path)


def test_accounts_pay_for_themselves_and_their_sum_is_what_the_run_paid(day: ADay) -> None:
    run_id = day.run()
    views = day.worth.views(day.worth.today())
    costs = day.costs.of(views)
    with day.world.database.reading() as session:
        whole = of_run(session, run_id, day.rules)
    assert costs[1] == costs[2]
    assert costs[1].charges is not None
    assert whole.charges is not None
    assert costs[1].charges.total * 2 == whole.charges.total > 0


def test_yesterdays_charges_are_not_todays(day: ADay) -> None:
    day.run()
    first = day.worth.today()
    paid = day.costs.of(day.worth.views(first), first)[1]
    assert paid.charges is not None
    day.tomorrow()
    today = day.worth.today()
    views = day.worth.views(today)
    assert day.costs.of(views, today)[1] == FREE
    assert day.costs.of(views)[1] == paid, "since the run began"
    assert day.costs.earlier([1, 2], [first, first - timedelta(days=1)]) == {
        (1, first): paid, (2, first): paid,
        (1, first - timedelta(days=1)): FREE, (2, first - timedelta(days=1)): FREE,
    }  # fmt: skip


def test_a_missing_rate_is_named_and_known_once_it_was_typed(day: ADay) -> None:
    day.run()
    today = day.worth.today()
    views = day.worth.views(today)
    day.rules = NO_GST
    cost = day.costs.of(views, today)[1]
    assert (cost.charges, cost.net_of(Decimal(5))) == (None, None)
    assert cost.note is not None
    assert "no gst valid on" in cost.note
    assert day.costs.earlier([1], [today])[1, today] == cost
    day.rules = ADay.rules
    day.world.clock.advance(KEPT_S)
    assert day.costs.of(views, today)[1].charges is not None
    assert day.costs.earlier([1], [today])[1, today] == cost
    day.world.clock.advance(EARLIER_KEPT_S)
    assert day.costs.earlier([1], [today])[1, today].charges is not None


def test_a_new_fill_counts_at_once(day: ADay) -> None:
    day.run()
    today = day.worth.today()
    before = day.costs.of(day.worth.views(today), today)[1]
    day.world.executor.ask_exit(1, account_id=1, leg=None, why="by hand")
    day.world.turns(4)
    day.runs.changed(1)
    after = day.costs.of(day.worth.views(today), today)
    assert before.charges is not None
    assert after[1].charges is not None
    assert after[1].charges.total > before.charges.total
    assert after[2] == before


def test_the_curve_of_a_day_has_what_is_left_net_and_a_gap_where_a_rate_is_missing(day: ADay) -> None:
    day.run()
    day.price(98)
    day.book.step()
    paid = day.costs.of(day.worth.views(day.worth.today()), day.worth.today())[1]
    assert {(row.total, row.net) for row in day.world.rows(PnlMinute)} == {(Decimal(-130), paid.net_of(Decimal(-130)))}
    day.rules = NO_GST
    day.world.clock.advance(KEPT_S)
    day.price(98)
    day.book.step()
    curve = DayHistory(day.world.database, day.costs).curve([1, 2], day.worth.today())
    net = paid.net_of(Decimal(-130))
    assert net is not None
    assert [(point.total, point.net) for point in curve] == [(Decimal(-260), 2 * net), (Decimal(-260), None)]
