"""A run leaves when its trend turns on a complete candle that opened after the entry; a restart judges the same."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.contracts import Side
from app.domain.exit_rules import ExitRules
from app.domain.supertrend import SupertrendExit, TrendOf, TrendTurn
from app.persistence.tables import RiskEvent, Run
from app.services.exit_rule_text import written
from app.services.journal import Journal
from app.services.price_board import PriceBoard
from app.services.run_board import RunBoard
from app.services.supertrend_watch import SupertrendWatch, subject_of
from app.trading.run_trend import trend_of
from tests.unit.services.candle_market import OPENS, KnownHours, Market, SeenFeed
from tests.unit.services.market_fakes import NIFTY, FakeGateways
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, PUT

RULE = SupertrendExit(TrendTurn.BREAKOUT, TrendOf.UNDERLYING, minutes=1, period=2, multiplier=1.0)
FALLS = [120.0 - n for n in range(8)]


class Trend(Market):
    """Runs in two accounts and the candles that their rule is judged on, from the opening on."""

    def __init__(self, folder: Path) -> None:
        self.world = OrderWorld(folder, accounts=2)
        for broker in self.world.brokers.values():
            broker.fills_at_once = True
        self.clock = self.world.clock
        self.clock.at = OPENS - timedelta(seconds=20)
        self.board = PriceBoard(self.clock)
        self.feed, self.hours, self.gateways = SeenFeed(self.clock), KnownHours(), FakeGateways(1)
        self.dies = False
        self.restart()

    def restart(self) -> None:
        """A process that remembers nothing; candles are begun anew as well."""
        self.store = self.begin()
        self.runs = RunBoard(self.world.database, self.board, self.clock)
        self.watch = SupertrendWatch(
            self.world.database, self.runs, self.store, Journal(self.clock), ask_exits=self._ask_exits
        )

    def _ask_exits(self, run_id: int, wanted: Any, also: Any) -> None:
        def both(session: Any) -> None:
            also(session)
            session.flush()
            if self.dies:
                raise RuntimeError("the process died here")

        self.world.executor.ask_exits(run_id, wanted, both)
        self.runs.changed(run_id)

    def enter(self, rule: SupertrendExit = RULE, *legs: Any) -> int:
        run_id = self.world.start(*(legs or ((CALL, Side.SELL, 1), (PUT, Side.SELL, 1))))
        self.world.turns(4)
        with self.world.database.transaction() as session:
            session.get_one(Run, run_id).exits = written(ExitRules(supertrend=rule))
        self.runs.changed(run_id)
        self.watch.step()
        return run_id

    def minutes(self, *prices: float, keys: tuple[Any, ...] = (NIFTY,)) -> None:
        """A minute at each price, to its very end; the watch looks ten times in it."""
        for price in prices:
            for _ in range(10):
                self.run(6, *((key, price) for key in keys))
                self.watch.step()

    def state(self) -> str:
        return self.world.run(1).state


@pytest.fixture
def trend(tmp_path: Path) -> Trend:
    made = Trend(tmp_path)
    made.enter()
    made.run((OPENS - made.clock.now()).total_seconds(), (NIFTY, FALLS[0]))
    return made


def test_it_leaves_everywhere_when_the_trend_turns_and_says_on_which_candle(trend: Trend) -> None:
    trend.minutes(*FALLS)
    assert trend.state() == "OPEN"
    trend.minutes(121.0)
    trend.run(5, (NIFTY, 121.0))
    assert trend.watch.step() == pytest.approx(1.0)
    assert trend.state() == "EXITING"
    (event,) = trend.world.rows(RiskEvent)
    assert (event.rule, event.place, event.value) == ("supertrend", "", Decimal(121))
    assert event.prices["NIFTY"]["opens"] == (OPENS + timedelta(minutes=8)).isoformat()
    assert event.prices["NIFTY"]["legs"] == {"NIFTY": {"ltp": "121.0", "bid": None, "ask": None, "age_s": 0.0}}
    assert "turned up on the candle of 09:23 to 09:24" in event.action
    trend.world.turns(5)
    assert [broker.net(CALL.key) for broker in trend.world.brokers.values()] == [0, 0]
    assert len(trend.world.said("rule")) == 1


def test_a_candle_that_is_not_over_takes_nobody_out(trend: Trend) -> None:
    trend.minutes(*FALLS)
    trend.run(55, (NIFTY, 140.0))
    trend.watch.step()
    trend.run(4, (NIFTY, 100.0))
    trend.run(3, (NIFTY, 100.0))
    trend.watch.step()
    assert trend.state() == "OPEN"


def test_a_candle_that_was_not_seen_takes_nobody_out_until_history_has_repaired_it(trend: Trend) -> None:
    trend.minutes(*FALLS)
    trend.run(20, (NIFTY, 121.0))
    trend.lose()
    trend.run(20)
    trend.run(25, (NIFTY, 121.0))
    trend.watch.step()
    assert trend.state() == "OPEN"
    trend.history(NIFTY, *FALLS, 121.0)
    trend.run(60, (NIFTY, 121.0))
    trend.read_history()
    trend.watch.step()
    assert trend.state() == "EXITING"


def test_after_a_restart_the_same_candles_say_the_same(trend: Trend) -> None:
    trend.minutes(*FALLS)
    trend.restart()
    trend.watch.step()
    trend.history(NIFTY, *FALLS)
    trend.run(1, (NIFTY, 121.0))
    trend.read_history()
    trend.run(59, (NIFTY, 121.0))
    trend.run(60, (NIFTY, 124.0))
    trend.run(60, (NIFTY, 127.0))
    trend.watch.step()
    assert trend.state() == "EXITING"


def test_dying_between_rule_and_exit_leaves_neither_and_the_next_look_asks_again(trend: Trend) -> None:
    trend.minutes(*FALLS)
    trend.dies = True
    with pytest.raises(RuntimeError):
        trend.minutes(121.0, 121.0)
    assert (trend.state(), trend.world.rows(RiskEvent)) == ("OPEN", [])
    trend.dies = False
    trend.watch.step()
    assert trend.state() == "EXITING"


def test_what_the_candles_are_of(tmp_path: Path) -> None:
    made = Trend(tmp_path)
    made.enter(replace(RULE, of=TrendOf.PREMIUM), (HEDGE, Side.BUY, 2), (CALL, Side.SELL, 4), (PUT, Side.SELL, 2))
    view = made.runs.view(1)
    subject = subject_of(view)
    assert subject is not None
    assert dict(subject.legs) == {HEDGE.key: -1.0, CALL.key: 2.0, PUT.key: 1.0}
    of_leg = replace(view, exits=ExitRules(supertrend=replace(RULE, of=TrendOf.LEG, leg=3)))
    assert str(subject_of(of_leg)) == PUT.key.symbol
    assert str(subject_of(replace(view, exits=ExitRules(supertrend=RULE)))) == "NIFTY"
    assert subject_of(replace(view, exits=ExitRules())) is None


def test_a_combined_premium_is_judged_on_its_closes(tmp_path: Path) -> None:
    made = Trend(tmp_path)
    made.enter(replace(RULE, of=TrendOf.PREMIUM))
    keys = (CALL.key, PUT.key)
    made.run((OPENS - made.clock.now()).total_seconds(), *((key, FALLS[0]) for key in keys))
    made.minutes(*FALLS, keys=keys)
    now = made.watch.now(made.runs.view(1), made.store)
    assert now is not None
    assert now.seen.candle is not None
    assert now.seen.candle.closes_only
    made.minutes(124.0, keys=keys)
    made.run(1, *((key, 124.0) for key in keys))
    made.watch.step()
    (event,) = made.world.rows(RiskEvent)
    assert event.value == Decimal(248)


def test_the_page_says_where_the_trend_stands(trend: Trend) -> None:
    trend.minutes(*FALLS[:2])
    (rule,) = trend_of(trend.watch, trend.store, trend.runs.view(1), ())
    assert rule.state == "waiting"
    trend.minutes(*FALLS[2:])
    (rule,) = trend_of(trend.watch, trend.store, trend.runs.view(1), ())
    assert rule.state == "armed"
    assert rule.note is not None
    assert "Now down, the line above" in rule.note
    assert trend.state() == "OPEN", "looking changes nothing"
