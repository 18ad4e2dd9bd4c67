"""Limits of an account by itself on the simulator: it leaves, the others of its run go on, and it is on record."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.contracts import Kind, Side
from app.domain.exit_rules import AccountRule, ExitRules
from tests.live_desk import LiveDesk, eventually, leg, live_desk
from tests.simulator_process import SimulatorProcess, start_simulator


@pytest.fixture(scope="module")
def three() -> Iterator[SimulatorProcess]:
    with start_simulator("--limits", "off", accounts=3) as simulator:
        yield simulator


def flat(desk: LiveDesk) -> list[bool]:
    return [not desk.net_at_broker(number) for number in (1, 2, 3)]


def test_an_account_that_reached_its_own_loss_leaves_alone(three: SimulatorProcess, tmp_path: Path) -> None:
    """A rupee, which a fall costs; the second has room enough, the third no limit."""
    three.reset()
    with live_desk(three, tmp_path) as desk:
        first, second, _ = desk.account_ids
        own = (AccountRule(first, Decimal(1)), AccountRule(second, Decimal(1_000_000)))
        run_id = desk.run((leg(1, Kind.CE, Side.BUY),), exits=ExitRules(accounts=own))
        eventually(lambda: flat(desk)[1:] == [False, False] or None, "the others are in")
        three.move_index("NIFTY", percent=-0.4)
        eventually(lambda: flat(desk) == [True, False, False] or None, "the first is out, the others are not", 20)
        (fired,) = desk.risk_events(run_id)
        assert (fired.account_id, fired.threshold) == (first, Decimal(1))
        assert fired.value is not None
        assert fired.value <= -1
        desk.until(run_id, "OPEN")
