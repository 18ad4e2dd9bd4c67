"""Under a state no entry of its scope is claimed or started; everything else goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain import gate
from app.domain.contracts import Side
from app.domain.errors import Denied
from app.domain.orders import Purpose
from app.domain.trading_states import Scope, TradingState
from app.services.trading_states import refuse_entry, standings, write_state
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL

STOPS = [(TradingState.HALTED, "TRADING_HALTED"), (TradingState.REDUCE_ONLY, "REDUCE_ONLY")]
MINE = [(Scope.ALL, 0), (Scope.USER, 1), (Scope.ACCOUNT, 1), (Scope.STRATEGY, 1)]
ELSEWHERE = [(Scope.USER, 2), (Scope.ACCOUNT, 2), (Scope.STRATEGY, 2)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[OrderWorld]:
    made = OrderWorld(tmp_path)
    yield made
    made.database.engine.dispose()


def set_state(world: OrderWorld, scope: Scope, scope_id: int, state: TradingState) -> None:
    with world.database.transaction() as session:
        write_state(
            session, scope, scope_id, state, user_id=1, actor="asha", at=world.clock.now(), why="Enough for today"
        )


@pytest.mark.parametrize(("state", "code"), STOPS)
@pytest.mark.parametrize(("scope", "scope_id"), MINE)
def test_no_entry_is_claimed_in_the_scope(
    world: OrderWorld, scope: Scope, scope_id: int, state: TradingState, code: str
) -> None:
    world.start((CALL, Side.BUY, 1))
    set_state(world, scope, scope_id, state)
    world.desk.send(world.intents()[-1].id)
    denied = world.intents()[-1]
    assert (denied.state, world.broker.placed) == ("DENIED", 0)
    assert denied.reason is not None
    assert "by asha" in denied.reason
    assert "Enough for today" in denied.reason
    with world.database.reading() as session, pytest.raises(Denied) as caught:
        refuse_entry(session, user_id=1, account_id=1, strategy_id=1)
    assert caught.value.code == code


@pytest.mark.parametrize(("scope", "scope_id"), ELSEWHERE)
def test_other_scopes_trade_on(world: OrderWorld, scope: Scope, scope_id: int) -> None:
    set_state(world, scope, scope_id, TradingState.HALTED)
    world.start((CALL, Side.BUY, 1))
    world.desk.send(world.intents()[-1].id)
    assert world.broker.placed == 1


def test_active_again_is_as_if_nothing_had_been(world: OrderWorld) -> None:
    set_state(world, Scope.ALL, 0, TradingState.HALTED)
    set_state(world, Scope.ALL, 0, TradingState.ACTIVE)
    world.start((CALL, Side.BUY, 1))
    world.desk.send(world.intents()[-1].id)
    assert world.broker.placed == 1
    with world.database.reading() as session:
        assert standings(session) == []


@pytest.mark.parametrize(("state", "code"), STOPS)
def test_exits_and_cancels_pass_in_every_state(world: OrderWorld, state: TradingState, code: str) -> None:
    world.broker.fills_at_once = True
    run_id = world.start((CALL, Side.BUY, 2))
    world.turns(3)
    set_state(world, Scope.ALL, 0, state)
    world.exit(run_id)
    world.turns(4)
    assert (world.net(run_id), world.run(run_id).state) == ({}, "CLOSED")


def test_a_resting_entry_is_cancelled_while_all_is_halted(world: OrderWorld) -> None:
    run_id = world.start((CALL, Side.BUY, 1))
    world.turns(1)
    assert len(world.broker.standing) == 1
    set_state(world, Scope.ALL, 0, TradingState.HALTED)
    world.exit(run_id)
    world.turns(4)
    assert world.run(run_id).state == "CLOSED"
    assert world.net(run_id) == {}


@pytest.mark.parametrize(("scope", "scope_id"), MINE)
def test_a_run_is_not_started_in_the_scope(world: OrderWorld, scope: Scope, scope_id: int) -> None:
    set_state(world, scope, scope_id, TradingState.HALTED)
    run_id = world.start((CALL, Side.BUY, 1))
    run = world.run(run_id)
    assert run.state == "REFUSED"
    assert run.reason is not None
    assert run.reason.startswith("Account 1: " if scope is Scope.ACCOUNT else "Trading is halted")
    assert world.intents() == []


def test_neither_code_waits() -> None:
    assert not any(gate.waits(Purpose.ENTRY, code) for code in gate.STOPPED_BY.values())


def test_the_widest_scope_is_listed_first(world: OrderWorld) -> None:
    for scope, scope_id in reversed(MINE):
        set_state(world, scope, scope_id, TradingState.REDUCE_ONLY)
    with world.database.reading() as session:
        assert [(each.scope, each.scope_id) for each in standings(session)] == MINE
