"""The kill switch on real gateways: who answers is flat at once, who does not is named, and flat when it answers."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.contracts import Kind, Side
from app.domain.errors import InvalidInput
from app.persistence.tables import ActivityLog
from app.services import kill_orders
from app.services.kill_switch import Target
from app.services.people import TooManyTries
from app.web.desk import EXTENSION, Desk
from tests.live_desk import SIMULATED_QUIET_S, STRADDLE, LiveDesk, eventually, leg, live_desk
from tests.simulator_process import SimulatorProcess

AWAY = 5
PASSWORD = "three quiet elephants"


@pytest.fixture
def desk(simulator: SimulatorProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    """The alarm comes after 8 s instead of 30: the number is shown by the unit tests, whose clock is set by hand."""
    monkeypatch.setattr(kill_orders, "ALARM_AFTER", timedelta(seconds=8))
    with live_desk(simulator, tmp_path, quiet_open_s=SIMULATED_QUIET_S) as made:
        yield made


def test_four_accounts_are_flat_the_fifth_is_named_and_flat_when_it_is_back(desk: LiveDesk) -> None:
    pages: Desk = desk.app.extensions[EXTENSION]
    pages.people.reset_password("trader", PASSWORD)
    run_id = desk.run(STRADDLE)
    desk.until(run_id, "OPEN")
    assert [len(desk.net_at_broker(number)) for number in desk.account_ids] == [2] * 5
    desk.simulator.fault("refuse_connection", account=AWAY)

    pages.kill_switch.kill(Target(), actor=desk.trader, key="kill-00001")
    others = [number for number in desk.account_ids if number != AWAY]
    eventually(lambda: not any(desk.net_at_broker(number) for number in others), "four accounts are flat")
    assert len(desk.net_at_broker(AWAY)) == 2
    (alarm,) = eventually(lambda: desk.activity("kill.alarm"), "the fifth is an alarm", 60)
    assert "Simulator 5 has 130 units" in alarm.sentence
    assert not any(f"Simulator {number} " in alarm.sentence for number in others)
    assert desk.activity("kill.flat") == []

    _nothing_new_is_begun(desk)
    desk.simulator.clear_faults()
    eventually(lambda: not desk.net_at_broker(AWAY), "the fifth is flat when it answers again", 60)
    desk.until(run_id, "CLOSED", within_s=60)
    eventually(lambda: desk.activity("kill.flat"), "it is said that all is flat")
    closing = [intent for intent in desk.intents(run_id) if intent.purpose == "EXIT" and intent.state == "FILLED"]
    assert len(closing) == 10, "each position was closed once"

    _released_by_the_right_password_alone(desk, pages)
    again = desk.run((leg(1, Kind.CE, Side.BUY),), name="After")
    desk.until(again, "OPEN")
    assert desk.view(run_id).state == "CLOSED"


def _nothing_new_is_begun(desk: LiveDesk) -> None:
    """At preview, and at the start of what was previewed before."""
    preview = desk.preview(desk.strategy((leg(1, Kind.CE, Side.BUY),), name="Halted"))
    assert preview.plan.taking_part == ()
    assert all("Trading is halted for everything" in (account.skipped or "") for account in preview.plan.accounts)


def _released_by_the_right_password_alone(desk: LiveDesk, pages: Desk) -> None:
    with pytest.raises(InvalidInput):
        pages.kill_switch.release(Target(), actor=desk.trader, password="wrong", address="127.0.0.1")
    assert len(pages.kill_switch.standings(desk.trader)) == 1
    eventually(lambda: _release(desk, pages), "the slow-down after a wrong password is over")
    assert pages.kill_switch.standings(desk.trader) == []
    assert len(desk.rows(ActivityLog, ActivityLog.action == "kill.release")) == 1


def _release(desk: LiveDesk, pages: Desk) -> bool:
    try:
        pages.kill_switch.release(Target(), actor=desk.trader, password=PASSWORD, address="127.0.0.1")
    except TooManyTries:
        return False
    return True
