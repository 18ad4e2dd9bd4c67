"""No rule decides on a price that is stale, zero, nonsense or missing: random ticks against a model that keeps its own.

A straddle is sold at 100 in two accounts, with a max loss, a max profit, a trailing stop and a stop for each leg. The
exits that the monitor asks for are written down and not done, so that it goes on judging.
"""

import math
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.contracts import ContractKey, Side
from app.domain.exit_rules import ExitRules
from app.domain.leg_rules import LegRule, LegRules, Level, Measure
from app.domain.pnl import MARK_MAX_AGE_S
from app.domain.trailing import Floors, Trail, TrailKind
from app.persistence.tables import Run
from app.ports.feed import Tick
from app.services import exit_rule_text
from app.services.floor_text import written
from app.services.run_board import RunBoard
from tests.unit.services.pretend_broker import CALL, PUT
from tests.unit.services.watched_runs import Parts

UNITS, ENTRY, LOSS, PROFIT, TRAIL, STOP = 65, 100.0, 6000.0, 9000.0, 4000.0, 140.0
TICKS = 5
NONSENSE = (0.0, -5.0, math.nan, math.inf, -math.inf)


class Model:
    """What a trader with a pencil knows: the last real price of each contract and when it came."""

    def __init__(self) -> None:
        self.last: dict[ContractKey, tuple[float, float]] = {}
        self.peak = 0.0

    def price(self, key: ContractKey, now: float) -> float | None:
        """None when there is none, or it is too old to count."""
        ltp, at = self.last.get(key, (0.0, -math.inf))
        return ltp if now - at <= MARK_MAX_AGE_S else None

    def total(self, now: float) -> float | None:
        prices = [self.price(contract.key, now) for contract in (CALL, PUT)]
        if any(ltp is None for ltp in prices):
            return None
        return sum((ENTRY - (ltp or 0.0)) * UNITS * 2 for ltp in prices)


class Fuzz:
    def __init__(self, folder: Path, seed: int) -> None:
        self.random, self.model = random.Random(seed), Model()
        self.desk = Parts(folder)
        self.desk.runs = RunBoard(self.desk.world.database, self.desk.board, self.desk.world.clock, leads=lambda: True)
        self.desk.watch()
        level = Level(Measure.PREMIUM, Decimal(str(STOP)))
        run_id = self.desk.enter((CALL, Side.SELL, 1), (PUT, Side.SELL, 1))
        rules = ExitRules(LegRules((LegRule(1, stop=level), LegRule(2, stop=level))), ())
        with self.desk.world.database.transaction() as session:
            run = session.get_one(Run, run_id)
            run.max_loss, run.max_profit = Decimal(str(LOSS)), Decimal(str(PROFIT))
            run.exits = exit_rule_text.written(rules)
            run.floors = written(Floors(Trail(TrailKind.AMOUNT, Decimal(str(TRAIL)))))
        self.desk.runs.changed(run_id)
        self.fired: list[str] = []
        monitor: Any = self.desk.monitor
        monitor._ask_exits = self.asked

    def asked(self, _run_id: int, wanted: list[tuple[Any, str]], _also: Any) -> None:
        """The monitor wants out: what it says has to follow from the model's own prices."""
        now = self.desk.world.clock.monotonic()
        for part, reason in wanted:
            self.fired.append(reason)
            if part.leg is not None:
                ltp = self.model.price((CALL, PUT)[part.leg - 1].key, now)
                assert ltp is not None, reason
                assert ltp >= STOP, reason
                continue
            total = self.model.total(now)
            assert total is not None, f"nothing bounds the loss of a short without a price: {reason}"
            assert self.breaks(total), (reason, total, self.model.peak)

    def breaks(self, total: float) -> bool:
        return total <= -LOSS or total >= PROFIT or total <= self.model.peak - TRAIL

    def turn(self) -> None:
        """Ticks, real or nonsense, or silence; then the monitor looks."""
        for _ in range(TICKS):
            self.tick()
        self.desk.world.clock.advance(0.3)
        self.look()

    def tick(self) -> None:
        clock, contract = self.desk.world.clock, self.random.choice((CALL, PUT))
        kind = self.random.random()
        if kind < 0.7:
            ltp = round(self.random.choice((self.random.uniform(60, 150), self.random.uniform(1, 400))), 2)
            self.put(contract.key, ltp)
        elif kind < 0.97:
            self.desk.board.put(Tick(contract.key, self.random.choice(NONSENSE), clock.now()))
        else:
            clock.advance(self.random.choice((0.3, 4.0, 9.9, 10.1, 60.0)))

    def look(self) -> None:
        clock = self.desk.world.clock
        self.desk.monitor.step()
        self.desk.peaks.step()
        total = self.model.total(clock.monotonic())
        floor = self.desk.peaks.of(self.desk.runs.view(1))
        if total is not None:
            self.model.peak = max(self.model.peak, total)
        assert float(floor) <= self.model.peak + 0.01, "a peak that no real price ever gave"
        self.model.peak = float(floor)

    def put(self, key: ContractKey, ltp: float) -> None:
        clock = self.desk.world.clock
        self.model.last[key] = (ltp, clock.monotonic())
        self.desk.board.put(Tick(key, ltp, clock.now()))


def run(folder: Path, seed: int, turns: int) -> None:
    fuzz = Fuzz(folder, seed)
    for _ in range(turns):
        fuzz.turn()
    assert any("Max loss" in reason for reason in fuzz.fired), "the rules were awake"
    assert any("Trailing stop" in reason for reason in fuzz.fired)
    assert any("leg" in reason.lower() for reason in fuzz.fired)


def test_no_rule_decides_on_a_bad_price(tmp_path: Path) -> None:
    run(tmp_path, seed=7, turns=400)


@pytest.mark.proof
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10))
def test_no_rule_decides_on_a_bad_price_in_a_million_ticks(tmp_path: Path, seed: int) -> None:
    run(tmp_path, seed, turns=100_000 // TICKS)
