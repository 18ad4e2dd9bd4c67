"""The main job on PostgreSQL: what locks and races differently there must end the same."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from app.services.commands import ExitScope
from tests.live_desk import IRON_FLY, STRADDLE, LiveDesk, eventually, live_desk
from tests.simulator_process import SimulatorProcess


@pytest.fixture
def empty_url(postgres_url: str) -> str:
    """The module's database without a table: the simulator begins its order numbers anew for each test."""
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return postgres_url


@pytest.fixture
def desk(simulator: SimulatorProcess, tmp_path: Path, empty_url: str) -> Iterator[LiveDesk]:
    with live_desk(simulator, tmp_path, database_url=empty_url) as made:
        yield made


def all_flat(desk: LiveDesk) -> bool:
    return all(not desk.net_at_broker(number) for number in range(1, 6))


def test_a_mirrored_trade_and_its_many_clicks(desk: LiveDesk) -> None:
    preview = desk.preview(desk.strategy(IRON_FLY, name="Iron fly"))
    with ThreadPoolExecutor(8) as clicks:
        runs = set(clicks.map(lambda n: desk.send(preview, key=f"click-{n % 3:06d}"), range(24)))
    assert len(runs) == 1
    run_id = runs.pop()
    desk.until(run_id, "OPEN")
    assert [len(desk.filled_at_broker(number)) for number in range(1, 6)] == [4] * 5, desk.story(run_id)
    with ThreadPoolExecutor(8) as clicks:
        list(clicks.map(lambda n: desk.click_exit(run_id, f"exit-{n % 3:06d}"), range(16)))
    desk.until(run_id, "CLOSED")
    assert [len(desk.filled_at_broker(number)) for number in range(1, 6)] == [8] * 5, desk.story(run_id)
    assert all_flat(desk)


def test_an_exit_in_the_middle_of_the_entry_leaves_nothing_behind(desk: LiveDesk) -> None:
    run_id = desk.run(STRADDLE, name="Straddle in and out", structures=3)
    eventually(lambda: desk.intents(run_id), "orders are written")
    desk.exit(run_id, ExitScope(account_id=desk.account_ids[0]), key="exit-one")
    desk.exit(run_id, key="exit-all")
    desk.until(run_id, "CLOSED")
    assert all_flat(desk)
    sent = [intent for intent in desk.intents(run_id) if intent.sent_at is not None]
    assert all(intent.order_id is not None for intent in sent), desk.story(run_id)


def test_a_lost_answer_and_a_restart_double_nothing(
    simulator: SimulatorProcess, tmp_path: Path, empty_url: str
) -> None:
    with live_desk(simulator, tmp_path, database_url=empty_url) as desk:
        simulator.fault("lost_reply", account=3, endpoint="placeorder", remaining=1)
        run_id = desk.run(STRADDLE, name="Straddle over a restart")
        eventually(lambda: desk.events(run_id, "unknown"), "one answer is lost")
    with live_desk(simulator, tmp_path, database_url=empty_url) as desk:
        desk.until(run_id, "OPEN")
        assert [len(desk.filled_at_broker(number)) for number in range(1, 6)] == [2] * 5, desk.story(run_id)
        desk.exit(run_id)
        desk.until(run_id, "CLOSED")
        assert [len(desk.filled_at_broker(number)) for number in range(1, 6)] == [4] * 5, desk.story(run_id)
        assert all_flat(desk)
