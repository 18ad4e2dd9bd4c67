"""A click is one command however often it arrives; one bad command stops no other."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.engine.intake import Intake
from app.persistence.tables import ActivityLog, CommandRow, Preview, Run, User
from app.services.activity import Activity
from app.services.commands import Commands, ExitScope
from tests.unit.services.order_world import OrderWorld, no_feed
from tests.unit.services.pretend_broker import CALL

KEY = "click-0001"


class Asked:
    """A world in which people ask; `preview` is one that was not sent yet."""

    def __init__(self, world: OrderWorld) -> None:
        self.world = world
        self.woken = 0
        self.commands = Commands(world.database, world.clock, Activity(world.database, world.clock), self._wake)
        self.intake = Intake(world.database, world.clock, world.executor, world.adopter, no_feed)

    def _wake(self) -> None:
        self.woken += 1

    def preview(self) -> Preview:
        """A stored preview, without the run that the world makes of it."""
        run_id = self.world.request((CALL, Side.BUY, 1))
        with self.world.database.transaction() as session:
            session.delete(session.get_one(Run, run_id))
        found: Preview = self.world.rows(Preview)[-1]
        return found

    def send(self, preview: Preview, key: str = KEY) -> int:
        return self.commands.start_run(preview.id, preview.digest, user_id=1, username="asha", key=key)

    def exit(self, run_id: int, scope: ExitScope | None = None, key: str = "exit-0001") -> int:
        return self.commands.exit_run(run_id, scope or ExitScope(), user_id=1, username="asha", key=key)

    def states(self) -> list[tuple[str, str]]:
        return [(row.kind, row.state) for row in self.world.rows(CommandRow)]


@pytest.fixture(params=["sqlite", "postgresql"])
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    world = OrderWorld(tmp_path, url=url)
    yield Asked(world)
    world.database.engine.dispose()


def test_eight_hands_on_one_button_make_one_run(asked: Asked) -> None:
    preview = asked.preview()
    with ThreadPoolExecutor(8) as hands:
        runs = set(hands.map(lambda _: asked.send(preview), range(24)))
    assert len(runs) == 1
    assert len(asked.world.rows(Run)) == 1
    assert asked.states() == [("START", "ASKED")]


def test_other_keys_for_the_same_preview_find_the_same_run(asked: Asked) -> None:
    preview = asked.preview()
    with ThreadPoolExecutor(8) as hands:
        runs = set(hands.map(lambda number: asked.send(preview, f"click-{number:04d}"), range(24)))
    assert len(runs) == 1
    assert asked.states() == [("START", "ASKED")]


def test_eight_hands_on_exit_with_one_key_make_one_command(asked: Asked) -> None:
    run_id = asked.send(asked.preview())
    with ThreadPoolExecutor(8) as hands:
        ids = set(hands.map(lambda _: asked.exit(run_id), range(24)))
    assert len(ids) == 1
    assert asked.states() == [("START", "ASKED"), ("EXIT", "ASKED")]


def test_a_key_used_for_another_preview_is_refused(asked: Asked) -> None:
    asked.send(asked.preview())
    with pytest.raises(Conflict, match="something else"):
        asked.send(asked.preview())
    assert len(asked.world.rows(Run)) == 1


def test_an_exit_never_hides_behind_the_key_of_something_else(asked: Asked) -> None:
    run_id = asked.send(asked.preview())
    with pytest.raises(Conflict):
        asked.exit(run_id, key=KEY)
    asked.exit(run_id)
    with pytest.raises(Conflict):
        asked.exit(run_id, ExitScope(leg=1))


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "white space", "ключ-0001", "a'b-00001"])
def test_a_key_is_letters_digits_and_dashes(asked: Asked, key: str) -> None:
    with pytest.raises(InvalidInput):
        asked.send(asked.preview(), key)


def test_nothing_is_made_of_an_old_a_changed_or_a_foreign_preview(asked: Asked) -> None:
    preview = asked.preview()
    with pytest.raises(Conflict, match="not the stored one"):
        asked.commands.start_run(preview.id, "0" * 64, user_id=1, username="asha", key=KEY)
    with pytest.raises(NotFound):
        asked.commands.start_run(preview.id, preview.digest, user_id=2, username="ravi", key=KEY)
    asked.world.clock.advance(61)
    with pytest.raises(Conflict, match="older than a minute"):
        asked.send(preview)
    assert asked.world.rows(Run) == asked.world.rows(CommandRow) == []


def test_a_run_that_is_over_or_foreign_has_no_exit(asked: Asked) -> None:
    run_id = asked.send(asked.preview())
    with pytest.raises(NotFound):
        asked.commands.exit_run(run_id, ExitScope(), user_id=2, username="ravi", key="exit-0001")
    with asked.world.database.transaction() as session:
        session.get_one(Run, run_id).state = "CLOSED"
    with pytest.raises(Conflict, match="closed already"):
        asked.exit(run_id)


def test_a_start_that_was_never_taken_is_taken_by_the_next_engine(asked: Asked) -> None:
    run_id = asked.send(asked.preview())
    asked.world.restart()
    asked.intake = Intake(asked.world.database, asked.world.clock, asked.world.executor, asked.world.adopter, no_feed)
    while asked.intake.step() == 0:
        pass
    assert asked.world.run(run_id).state == "ENTERING"
    assert asked.states() == [("START", "DONE")]


def test_a_plan_nobody_can_use_refuses_its_own_run_and_stops_no_other(asked: Asked) -> None:
    bad, good = asked.preview(), asked.preview()
    bad_run, good_run = asked.send(bad, "click-0001"), asked.send(good, "click-0002")
    with asked.world.database.transaction() as session:
        session.get_one(Preview, bad.id).plan += " "
    while asked.intake.step() == 0:
        pass
    assert asked.world.run(bad_run).state == "REFUSED"
    assert asked.world.run(good_run).state == "ENTERING"


def test_a_command_that_crashes_lets_the_others_go_first(asked: Asked) -> None:
    first, second = asked.send(asked.preview(), "click-0001"), asked.send(asked.preview(), "click-0002")
    real = asked.world.executor.start

    def start(run_id: int) -> str:
        if run_id == first:
            raise ValueError("a bug")
        return real(run_id)

    asked.world.executor.start = start  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="a bug"):
        asked.intake.step()
    asked.intake.step()
    assert asked.world.run(second).state == "ENTERING"


def test_an_admin_gets_out_of_a_run_of_somebody_else(asked: Asked) -> None:
    run_id = asked.send(asked.preview())
    with asked.world.database.transaction() as session:
        session.add(User(id=2, username="ravi", password_hash="none", role="admin", created_at=asked.world.clock.now()))
    asked.commands.exit_run(run_id, ExitScope(), user_id=2, username="ravi", key="exit-0001", is_admin=True)
    log = asked.world.rows(ActivityLog)[-1]
    assert log.actor == "ravi"
    assert "a run of " in log.sentence
    exit_asked = asked.world.rows(CommandRow)[-1]
    assert (exit_asked.user_id, exit_asked.payload["by"]) == (2, "ravi")


def test_an_exit_does_not_wait_for_another_runs_start(asked: Asked) -> None:
    asked.world.read()
    running = asked.send(asked.preview(), "click-0001")
    asked.intake.step()
    asked.send(asked.preview(), "click-0002")
    asked.exit(running)
    asked.intake.step()
    assert asked.states() == [("START", "DONE"), ("START", "ASKED"), ("EXIT", "DONE")]


def test_an_exit_asked_before_the_start_was_taken_sends_nothing(asked: Asked) -> None:
    run_id = asked.send(asked.preview())
    asked.world.executor.ask_exit(run_id, account_id=None, leg=None, why="Changed my mind")
    assert asked.world.run(run_id).state == "REFUSED"
    while asked.intake.step() == 0:
        pass
    assert asked.world.intents() == []


def test_an_exit_that_nobody_can_take_just_now_stays_asked(asked: Asked) -> None:
    asked.world.read()
    run_id = asked.send(asked.preview())
    asked.intake.step()
    asked.exit(run_id)
    asked.world.clock.unknown = True
    for _ in range(3):
        assert asked.intake.step() > 0
    asked.world.clock.unknown = False
    assert asked.states() == [("START", "DONE"), ("EXIT", "ASKED")]
    asked.intake.step()
    assert asked.states() == [("START", "DONE"), ("EXIT", "DONE")]
    assert asked.world.run(run_id).state == "CLOSED", "nothing had been sent: the exit is decided at once"


def test_an_exit_of_a_part_that_the_started_run_turns_out_not_to_have_stops_no_other_command(asked: Asked) -> None:
    asked.world.read()
    run_id = asked.send(asked.preview())
    asked.exit(run_id, ExitScope(account_id=999))
    while asked.intake.step() == 0:
        pass
    assert asked.states() == [("START", "DONE"), ("EXIT", "REFUSED")]
    assert asked.world.run(run_id).state == "ENTERING"
