"""Adopted positions under a strategy's rules: given once, as shown, and left by them once, also after a restart."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.domain.contracts import Kind, Product, Side
from app.domain.errors import Conflict, DeskError, NotFound, Unavailable
from app.domain.exit_rules import ExitRules
from app.domain.leg_rules import LegRule, LegRules, Level, Measure
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeMethod, StrikeRule
from app.domain.trailing import Floors, Trail, TrailKind
from app.engine.intake import Intake
from app.persistence.tables import ActivityLog, Adoption, CommandRow, Intent, LeaseRow, RiskEvent, Run
from app.services.activity import Activity
from app.services.adoption_commands import Adopt
from app.services.given_rules import Chosen
from app.services.rule_commands import RuleCommands
from app.services.strategies import Strategies
from tests.unit.services.order_world import no_feed
from tests.unit.services.pretend_broker import CALL, LOT
from tests.unit.services.test_adoption import AVERAGE, command, foreign, refused, settle
from tests.unit.services.watched_runs import Watched

ASHA: Any = SimpleNamespace(id=1, username="asha", is_admin=True)
MIRA: Any = SimpleNamespace(id=2, username="mira", is_admin=False)
SHORT_CALL = LegSpec(
    1, "NIFTY", Kind.CE, ExpiryWord.CURRENT_WEEK, StrikeRule(StrikeMethod.ATM), Side.SELL, 1, Product.MIS
)
SPEC = StrategySpec("Guard", (SHORT_CALL,), 1, Decimal(1300), None)
"""Ten rupees on two lots."""


class Given(Watched):
    """One account at whose broker somebody else trades, and a strategy with rules."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        world = self.world
        self.activity = Activity(world.database, world.clock)
        self.strategies = Strategies(world.database, world.clock, self.activity)
        self.strategy_id = self.save(SPEC)

    @property
    def asking(self) -> RuleCommands:
        world = self.world
        return RuleCommands(
            world.database, world.clock, self.activity, lambda: None, offers=world.offers,
            contract_of=world.listed.known.get,
        )  # fmt: skip

    def save(self, spec: StrategySpec, strategy_id: int | None = None) -> int:
        return self.strategies.save(spec, {1: Decimal(1)}, user_id=1, username="asha", strategy_id=strategy_id)

    def shown(self, units: int = -2 * LOT, average: Decimal | None = AVERAGE) -> Chosen:
        """What the page shows for the foreign position, and what its form carries."""
        at = self.asking.position(1, CALL.key, units, average)
        offer = self.asking.for_position(self.strategy_id, at, CALL.key.exchange, actor=ASHA)
        return Chosen(self.strategy_id, offer.digest)

    def ask_adopt(self, rules: Chosen | None, average: Decimal | None = None, key: str = "adopt-0001") -> int:
        wanted = Adopt(1, CALL.key, "MIS", -2 * LOT, average, rules)
        with self.world.database.transaction() as session:
            row = CommandRow(
                user_id=1, key=key, kind="ADOPT", run_id=None, payload={**wanted.payload(), "by": "asha"},
                state="ASKED", asked_at=self.world.clock.now(),
            )  # fmt: skip
            session.add(row)
            session.flush()
            return row.id

    def adopted(self, rules: Chosen | None, average: Decimal | None = None) -> Run:
        foreign(self.world)
        self.ask_adopt(rules, average)
        settle(self.world)
        (run,) = self.world.rows(Run)
        assert isinstance(run, Run)
        return run

    def ask(self, run_id: int, chosen: Chosen | None = None, key: str = "rules-0001") -> int:
        offer = self.asking.for_run(self.strategy_id, run_id, actor=ASHA)
        return self.asking.ask(run_id, chosen or Chosen(offer.strategy_id, offer.digest), actor=ASHA, key=key)

    def intake(self) -> None:
        Intake(self.world.database, self.world.clock, self.world.executor, self.world.adopter, no_feed).step()

    def restart(self) -> None:
        """The engine dies; the next one knows what is written."""
        self.world.restart()
        self.runs.changed(1)
        self.watch()

    def rises_to(self, ltp: float) -> None:
        self.price(ltp, CALL)
        self.world.clock.advance(0.3)
        self.monitor.step()

    def orders(self) -> list[tuple[str, str, int, str]]:
        return [(i.purpose, i.side, i.units, i.state) for i in self.world.rows(Intent)]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    return Given(tmp_path)


ONE_EXIT = [("EXIT", "BUY", 2 * LOT, "FILLED")]


@pytest.mark.parametrize("when", ["with it", "afterwards"])
def test_a_foreign_position_under_a_max_loss_gets_out_by_itself_once_also_after_a_restart(
    given: Given, when: str
) -> None:
    foreign(given.world)
    given.ask_adopt(given.shown() if when == "with it" else None)
    settle(given.world)
    if when == "afterwards":
        given.ask(1)
        given.intake()
    run = given.world.run(1)
    assert (run.max_loss, run.rules_of, run.state) == (Decimal(1300), given.strategy_id, "OPEN")
    assert run.rules_at is not None
    given.rises_to(110.0)
    given.restart()
    given.rises_to(110.2)
    assert given.orders() == [], "it has lost 1,283 since the broker's average of 100.3333"
    given.rises_to(110.4)
    given.restart()
    for _ in range(3):
        given.rises_to(111.0)
        given.world.turns(2)
    assert given.orders() == ONE_EXIT
    (fired,) = given.world.rows(RiskEvent)
    assert (fired.rule, fired.threshold) == ("max_loss", Decimal(1300))
    assert fired.value == Decimal("-1308.67")
    assert given.world.broker.net(CALL.key) == 0
    assert given.world.run(1).state == "CLOSED"


def test_a_stop_of_the_leg_that_it_is_watches_it_from_the_brokers_average(given: Given) -> None:
    exits = ExitRules(LegRules((LegRule(1, Level(Measure.POINTS, Decimal(5))),)))
    given.strategy_id = given.save(replace(SPEC, name="Stop", max_loss=None, exits=exits))
    given.adopted(given.shown())
    given.rises_to(105.3)
    assert given.world.rows(RiskEvent) == []
    given.rises_to(105.4)
    given.world.turns(3)
    assert given.orders() == ONE_EXIT
    assert [(row.rule, row.threshold) for row in given.world.rows(RiskEvent)] == [("leg_stop", Decimal("105.33"))]


def test_a_trailing_stop_begins_when_it_is_given(given: Given) -> None:
    given.strategy_id = given.save(
        replace(SPEC, name="Trail", max_loss=None, floors=Floors(Trail(TrailKind.AMOUNT, Decimal(650))))
    )
    run = given.adopted(None)
    given.rises_to(80.0)  # a profit of 2,643 that nobody trailed
    given.ask(run.id)
    given.intake()
    given.runs.changed(run.id)
    given.rises_to(98.0)
    given.peaks.step()
    assert given.peaks.floors(given.runs.view(run.id)).trail == Decimal("303.33") - 650
    assert given.orders() == []


def test_a_typed_average_is_none_that_rules_go_by(given: Given) -> None:
    first = given.world.start((CALL, Side.SELL, 1))
    given.world.turns(3)
    foreign(given.world)
    given.world.clock.advance(20.0)
    asked = given.ask_adopt(given.shown(average=None), Decimal("98.5"))
    settle(given.world)
    assert refused(given.world, asked).startswith("RULES_NONE: ")
    stop = ExitRules(LegRules((LegRule(1, Level(Measure.PREMIUM, Decimal(140))),)))
    given.strategy_id = given.save(replace(SPEC, name="Premium", exits=stop))
    given.ask_adopt(given.shown(average=None), Decimal("98.5"), key="adopt-0002")
    settle(given.world)
    (adoption,) = given.world.rows(Adoption)
    run = given.world.run(adoption.run_id)
    assert (run.id != first, run.max_loss, run.exits is not None) == (True, None, True)
    (said,) = given.world.said("rules")
    assert "Without its Max loss: it is measured from the average" in said


@pytest.mark.parametrize("changed", ["the strategy", "the average", "nothing"])
def test_what_is_given_is_what_was_shown(given: Given, changed: str) -> None:
    shown = given.shown(average=Decimal(99) if changed == "the average" else AVERAGE)
    if changed == "the strategy":
        given.save(replace(SPEC, max_loss=Decimal(9000)), given.strategy_id)
    foreign(given.world)
    asked = given.ask_adopt(shown)
    settle(given.world)
    if changed == "nothing":
        assert command(given.world, asked).state == "DONE"
    else:
        assert refused(given.world, asked).startswith("RULES_CHANGED: ")
        assert [row.action for row in given.world.rows(ActivityLog)][-1] == "position.refused"


def test_a_strategy_that_is_archived_meanwhile_gives_nothing(given: Given) -> None:
    shown = given.shown()
    given.strategies.archive(given.strategy_id, user_id=1, username="asha")
    foreign(given.world)
    asked = given.ask_adopt(shown)
    settle(given.world)
    assert refused(given.world, asked).startswith("RULES_STRATEGY: ")


def test_rules_are_given_once_for_what_was_shown_and_the_ask_is_on_record(given: Given) -> None:
    run = given.adopted(None)
    first = given.ask(run.id)
    assert given.ask(run.id) == first, "the same form sent twice"
    second = given.ask(run.id, key="rules-0002")
    given.intake()
    given.intake()
    assert (command(given.world, first).state, command(given.world, second).state) == ("DONE", "REFUSED")
    assert (command(given.world, second).answer or "").startswith("RULES_CHANGED: ")
    assert given.world.adopter.rules.do(first) == command(given.world, first).answer
    assert len(given.world.said("rules")) == 1
    assert [row.action for row in given.world.rows(ActivityLog)].count("run.rules") == 1


def test_other_rules_are_put_in_the_place_of_those_it_is_under_and_both_stay_on_record(given: Given) -> None:
    run = given.adopted(None)
    given.ask(run.id)
    given.intake()
    trail = Floors(Trail(TrailKind.PREMIUM_PCT, Decimal(10)))
    given.strategy_id = given.save(replace(SPEC, name="Trail", max_loss=None, floors=trail))
    given.runs.changed(run.id)
    given.ask(run.id, key="rules-0002")
    given.world.clock.advance(60.0)
    given.intake()
    (now,) = given.world.rows(Run)
    assert isinstance(now, Run)
    assert (now.max_loss, now.rules_of) == (None, given.strategy_id)
    first, second = given.world.said("rules")
    assert f"under the rules of Trail instead of those of {SPEC.name}" in second
    assert "instead of" not in first
    assert [row.action for row in given.world.rows(ActivityLog)].count("run.rules") == 2


def test_a_floor_does_not_fall_when_other_rules_are_put_on_it(given: Given) -> None:
    """A profit of 303 was seen: its peak counts for the rules that follow, whose own distance is worked out anew."""
    given.strategy_id = given.save(
        replace(SPEC, name="Narrow", max_loss=None, floors=Floors(Trail(TrailKind.PREMIUM_PCT, Decimal(5))))
    )
    run = given.adopted(None)
    given.ask(run.id)
    given.intake()
    given.runs.changed(run.id)
    for _ in range(2):
        given.rises_to(98.0)
        given.peaks.step()
        given.runs.changed(run.id)
    peak = given.runs.view(run.id).peak
    distance = given.runs.view(run.id).trail_distance
    assert (peak, distance) == (Decimal("303.33"), (AVERAGE * 2 * LOT * 5 / 100).quantize(Decimal("0.01")))
    given.strategy_id = given.save(
        replace(SPEC, name="Wide", max_loss=None, floors=Floors(Trail(TrailKind.PREMIUM_PCT, Decimal(6))))
    )
    given.ask(run.id, key="rules-0002")
    given.intake()
    for _ in range(2):
        given.runs.changed(run.id)
        given.rises_to(98.0)
        given.peaks.step()
    given.runs.changed(run.id)
    view = given.runs.view(run.id)
    assert (view.peak, view.trail_distance) == (peak, (AVERAGE * 2 * LOT * 6 / 100).quantize(Decimal("0.01")))
    given.restart()
    assert given.peaks.floors(given.runs.view(run.id)).trail == peak - (view.trail_distance or 0)


def test_a_run_that_is_being_left_or_was_entered_by_a_strategy_gets_none(given: Given) -> None:
    run = given.adopted(None)
    asked = given.ask(run.id)
    given.world.exit(run.id)
    given.intake()
    assert (command(given.world, asked).answer or "").startswith("RULES_RUN: ")
    given.world.turns(3)
    given.world.clock.advance(20.0)
    entered = given.world.start((CALL, Side.SELL, 1))
    with pytest.raises(Conflict, match="entered by"):
        given.ask(entered)


def test_an_engine_that_does_not_lead_any_more_gives_nothing(given: Given) -> None:
    run = given.adopted(None)
    asked = given.ask(run.id)
    with given.world.database.transaction() as session:
        session.get_one(LeaseRow, 1).epoch = given.world.epoch + 1
    with pytest.raises(Unavailable, match="Another engine"):
        given.world.adopter.rules.do(asked)
    assert (command(given.world, asked).state, given.world.run(run.id).rules_at) == ("ASKED", None)


def test_anothers_run_or_strategy_looks_like_none(given: Given) -> None:
    run = given.adopted(None)
    for act in (
        lambda: given.asking.for_run(given.strategy_id, run.id, actor=MIRA),
        lambda: given.asking.ask(run.id, Chosen(given.strategy_id, "d"), actor=MIRA, key="rules-0009"),
        lambda: given.asking.ask(
            run.id, Chosen(given.strategy_id, "d"), actor=SimpleNamespace(id=2, username="m", is_admin=True),
            key="rules-0009",
        ),  # an admin may look at the run, and has no such strategy
    ):  # fmt: skip
        with pytest.raises(NotFound):
            act()
    assert issubclass(NotFound, DeskError)
