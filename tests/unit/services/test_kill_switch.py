"""One press halts and gets everything of its scope out, verified until flat; releasing it needs the password."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from app.domain.contracts import Side
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.trading_states import Scope, TradingState
from app.engine.intake import Intake
from app.persistence.tables import ActivityLog, CommandRow, TradingStateRow, User
from app.services.account_health import HealthBoard, HealthState
from app.services.activity import Activity
from app.services.kill_orders import KillWatch
from app.services.kill_switch import KillSwitch, Target
from app.services.passwords import Passwords
from app.services.people import People
from tests.unit.services.order_world import OrderWorld, no_feed
from tests.unit.services.pretend_broker import CALL, PUT

KEY, PASSWORD, ADDRESS = "kill-00001", "three quiet elephants", "127.0.0.1"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True)
class Somebody:
    id: int = 1
    username: str = "asha"
    is_admin: bool = True


ADMIN, TRADER = Somebody(), Somebody(2, "ravi", is_admin=False)


class Switched:
    """A world with the switch and the engine's loops around it, stepped by hand."""

    def __init__(self, world: OrderWorld) -> None:
        self.world, self.woken = world, 0
        activity = Activity(world.database, world.clock)
        people = People(world.database, world.clock, activity, "token", Passwords(CHEAP))
        self.health = HealthBoard(world.clock)
        self.switch = KillSwitch(world.database, world.clock, activity, people, self._wake)
        self.intake = Intake(world.database, world.clock, world.executor, world.adopter, no_feed)
        self.watch = KillWatch(world.database, world.clock, activity, self.health)
        with world.database.transaction() as session:
            session.get_one(User, 1).password_hash = CHEAP.hash(PASSWORD)
            session.add(
                User(username="ravi", password_hash=CHEAP.hash(PASSWORD), role="trader", created_at=world.clock.now())
            )

    def _wake(self) -> None:
        self.woken += 1

    def kill(self, target: Target | None = None, actor: Somebody = ADMIN, key: str = KEY) -> int:
        return self.switch.kill(target or Target(), actor=actor, key=key)

    def release(self, target: Target | None = None, actor: Somebody = ADMIN, password: str = PASSWORD) -> None:
        self.switch.release(target or Target(), actor=actor, password=password, address=ADDRESS)

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.intake.step()
            self.world.turn()
            self.watch.step()

    def said(self, action: str) -> list[str]:
        with self.world.database.reading() as session:
            return list(session.scalars(select(ActivityLog.sentence).where(ActivityLog.action == action)))

    def states(self) -> dict[tuple[str, int], str]:
        return {(row.scope, row.scope_id): row.state for row in self.world.rows(TradingStateRow)}

    def command(self) -> Any:
        return self.world.rows(CommandRow)[-1]


@pytest.fixture(params=["sqlite", "postgresql"])
def switched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Switched]:
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    world = OrderWorld(tmp_path, accounts=2, url=url)
    yield Switched(world)
    world.database.engine.dispose()


def held(switched: Switched) -> int:
    """A run that holds a call in both accounts, two lots each."""
    for broker in switched.world.brokers.values():
        broker.fills_at_once = True
    run_id = switched.world.start((CALL, Side.BUY, 2))
    switched.world.turns(3)
    assert switched.world.run(run_id).state == "OPEN"
    return run_id


def test_a_kill_halts_and_closes_every_run_and_says_when_all_is_flat(switched: Switched) -> None:
    first, second = held(switched), held(switched)
    switched.kill()
    assert switched.woken == 1
    assert switched.states() == {("ALL", 0): "HALTED"}
    switched.turns(5)
    assert [switched.world.run(run_id).state for run_id in (first, second)] == ["CLOSED", "CLOSED"]
    assert (switched.command().state, switched.command().answer) == ("DONE", "2 runs are on the way out.")
    (kill,) = switched.switch.kills(ADMIN)
    assert kill.flat_at is not None
    assert kill.alarm_at is None
    assert len(switched.said("kill.ask")) == len(switched.said("kill.flat")) == 1
    assert switched.said("kill.alarm") == []


def test_what_rests_is_cancelled_and_what_was_only_asked_for_never_sent(switched: Switched) -> None:
    resting = switched.world.start((CALL, Side.BUY, 1))
    switched.world.turns(1)
    requested = switched.world.request((PUT, Side.BUY, 1))
    placed = [broker.placed for broker in switched.world.brokers.values()]
    switched.kill()
    switched.turns(6)
    assert [broker.placed for broker in switched.world.brokers.values()] == placed
    assert switched.world.run(resting).state == "CLOSED"
    assert switched.world.run(requested).state == "REFUSED"


def test_the_same_key_is_the_same_kill_however_many_hands_press(switched: Switched) -> None:
    with ThreadPoolExecutor(8) as hands:
        made = set(hands.map(lambda _: switched.kill(), range(8)))
    assert len(made) == 1
    assert len(switched.said("kill.ask")) == 1
    with pytest.raises(Conflict):
        switched.kill(Target(Scope.ACCOUNT, 1))


def test_an_account_is_halted_and_the_other_goes_on(switched: Switched) -> None:
    run_id = held(switched)
    switched.kill(Target(Scope.ACCOUNT, 2))
    switched.turns(5)
    wanted_out = [row.exit_wanted for row in switched.world.run(run_id).executions]
    assert sorted(map(bool, wanted_out)) == [False, True]
    assert switched.world.net(run_id) == {CALL.key.symbol: 130}
    assert switched.switch.kills(ADMIN)[0].flat_at is not None


def test_an_account_that_does_not_answer_is_an_alarm_by_name_and_flat_later(switched: Switched) -> None:
    run_id = held(switched)
    switched.health.report(2, state=HealthState.UNREACHABLE, reason="Connection refused.")
    switched.kill()
    switched.intake.step()
    switched.world.clock.advance(31)
    switched.watch.step()
    switched.watch.step()
    (alarm,) = switched.said("kill.alarm")
    assert "Account 2 has 130 units and 1 open order (Connection refused)" in alarm
    switched.turns(5)
    assert switched.world.net(run_id) == {}
    assert len(switched.said("kill.flat")) == 1


def test_a_kill_that_was_half_done_is_done_again_after_a_restart(switched: Switched) -> None:
    run_id = held(switched)
    switched.kill()
    switched.intake._kills.do(switched.command().id)
    switched.world.restart()
    switched.intake = Intake(
        switched.world.database, switched.world.clock, switched.world.executor, switched.world.adopter, no_feed
    )
    switched.turns(5)
    assert switched.world.run(run_id).state == "CLOSED"
    sold = [each for each in switched.world.intents("EXIT") if each.state == "FILLED"]
    assert len(sold) == 2


def test_a_run_that_crashes_keeps_no_other_from_getting_out(switched: Switched, monkeypatch: Any) -> None:
    first, second = held(switched), held(switched)
    ask = switched.world.executor.ask_exit

    def crash(run_id: int, **part: Any) -> None:
        if run_id == first:
            raise ZeroDivisionError("a bug")
        ask(run_id, **part)

    monkeypatch.setattr(switched.world.executor, "ask_exit", crash)
    switched.kill()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            switched.intake.step()
    switched.world.turns(4)
    assert [switched.world.run(run_id).state for run_id in (first, second)] == ["OPEN", "CLOSED"]
    monkeypatch.undo()
    switched.turns(4)
    assert switched.world.run(first).state == "CLOSED"


def test_only_exits_leaves_runs_alone_and_begins_nothing_until_it_is_released(switched: Switched) -> None:
    run_id = held(switched)
    target = Target(Scope.ACCOUNT, 1)
    for _ in range(2):
        switched.switch.reduce(target, actor=ADMIN)
    switched.turns(3)
    assert switched.world.run(run_id).state == "OPEN"
    more = switched.world.start((PUT, Side.BUY, 1))
    assert switched.world.run(more).state == "REFUSED"
    assert len(switched.said("risk.reduce")) == 1
    switched.release(target)
    again = switched.world.start((PUT, Side.BUY, 1))
    assert switched.world.run(again).state == "ENTERING"


def test_what_is_halted_does_not_become_laxer(switched: Switched) -> None:
    switched.kill()
    with pytest.raises(Conflict, match="stricter"):
        switched.switch.reduce(Target(), actor=ADMIN)
    with pytest.raises(NotFound):
        switched.switch.reduce(Target(), actor=TRADER)
    assert switched.states() == {("ALL", 0): "HALTED"}


def test_release_needs_the_password_and_starts_nothing_again(switched: Switched) -> None:
    run_id = held(switched)
    switched.kill()
    switched.turns(5)
    with pytest.raises(InvalidInput) as wrong:
        switched.release(password="not the password")
    assert wrong.value.field == "password"
    assert switched.states() == {("ALL", 0): "HALTED"}
    switched.world.clock.advance(2)
    switched.release()
    assert switched.states() == {("ALL", 0): TradingState.ACTIVE.value}
    switched.turns(3)
    assert switched.world.run(run_id).state == "CLOSED"
    assert switched.world.net(run_id) == {}
    assert len(switched.said("kill.release")) == len(switched.said("user.confirm_failed")) == 1
    with pytest.raises(Conflict):
        switched.release()


@pytest.mark.parametrize(
    "target", [Target(), Target(Scope.ACCOUNT, 1), Target(Scope.USER, 1), Target(Scope.STRATEGY, 1)]
)
def test_a_trader_halts_own_runs_and_nothing_else(switched: Switched, target: Target) -> None:
    run_id = held(switched)
    with pytest.raises(NotFound):
        switched.kill(target, TRADER)
    switched.kill(Target(Scope.USER, 2), TRADER, "kill-00002")
    switched.turns(2)
    assert switched.world.run(run_id).state == "OPEN", "asha's run is not ravi's"
    assert switched.states() == {("USER", 2): "HALTED"}
    assert switched.switch.standings(TRADER)[0].scope is Scope.USER


def test_only_an_admin_lifts_what_an_admin_halted(switched: Switched) -> None:
    switched.kill(Target(Scope.USER, 2))
    with pytest.raises(Conflict, match="asha"):
        switched.release(Target(Scope.USER, 2), TRADER)
    switched.release(Target(Scope.USER, 2))
    assert switched.switch.standings(ADMIN) == []


def test_a_trader_sees_what_concerns_them(switched: Switched) -> None:
    switched.kill(Target(Scope.USER, 1))
    assert switched.switch.standings(TRADER) == []
    assert switched.switch.kills(TRADER) == []
    switched.kill(Target(), key="kill-00002")
    assert [each.scope for each in switched.switch.standings(TRADER)] == [Scope.ALL]
    assert len(switched.switch.kills(TRADER)) == 1


@pytest.mark.parametrize("target", [Target(Scope.ACCOUNT, 99), Target(Scope.USER, 99), Target(Scope.STRATEGY, 99)])
def test_what_is_not_there_cannot_be_halted(switched: Switched, target: Target) -> None:
    with pytest.raises(NotFound):
        switched.kill(target)
    assert switched.states() == {}
