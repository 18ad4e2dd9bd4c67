"""A group is halted, reduced and released as an account is: what its accounts hold goes, others stay."""

from pathlib import Path

import pytest
from sqlalchemy import event

from app.domain.contracts import Side
from app.domain.errors import Conflict, Denied, NotFound
from app.domain.orders import IntentState
from app.domain.trading_states import Scope
from app.persistence.tables import AccountGroup, GroupMember
from app.services.account_groups import AccountGroups, GroupForm
from app.services.activity import Activity
from app.services.kill_switch import Target
from app.services.trading_states import refuse_entry, refuse_start, standings
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import HEDGE, PUT
from tests.unit.services.test_kill_switch import ADMIN, TRADER, Switched

FAMILY = Target(Scope.GROUP, 1)


@pytest.fixture
def switched(tmp_path: Path) -> Switched:
    """Three accounts, the first two in a group."""
    world = OrderWorld(tmp_path, accounts=3)
    for broker in world.brokers.values():
        broker.fills_at_once = True
    now = world.clock.now()
    with world.database.transaction() as session:
        row = AccountGroup(owner_id=1, name="Family", created_at=now, changed_at=now)
        row.members = [GroupMember(account_id=1), GroupMember(account_id=2)]
        session.add(row)
    return Switched(world)


def nets(switched: Switched) -> list[int]:
    return [broker.net(PUT.key) for broker in switched.world.brokers.values()]


def test_the_kill_switch_takes_all_accounts_of_a_group_out_and_no_other(switched: Switched) -> None:
    switched.world.start((PUT, Side.BUY, 1))
    switched.turns(4)
    assert nets(switched) == [65, 65, 65]
    switched.kill(FAMILY)
    switched.turns(6)
    assert nets(switched) == [0, 0, 65]
    assert "Kill switch for the group Family" in switched.said("kill.ask")[0]
    assert switched.said("kill.flat") == ["Everything of ours in the scope of the kill switch is flat."]


def test_entries_are_denied_in_its_accounts_until_it_is_released(switched: Switched) -> None:
    run_id = switched.world.start((HEDGE, Side.BUY, 1))
    switched.switch.reduce(FAMILY, actor=ADMIN)
    switched.turns(4)
    states = {row.account_id: row.state for row in switched.world.intents("ENTRY", run_id)}
    assert states == {1: IntentState.DENIED, 2: IntentState.DENIED, 3: IntentState.FILLED}
    reason = switched.world.intents("ENTRY", run_id)[0].reason or ""
    assert reason.startswith("REDUCE_ONLY: Only exits are sent in the accounts of a group, by asha")
    with switched.world.database.transaction() as session:
        refuse_entry(session, user_id=1, account_id=3, strategy_id=1)
        with pytest.raises(Denied):
            refuse_entry(session, user_id=1, account_id=2, strategy_id=1)
        with pytest.raises(Denied, match="Account 2: Only exits"):
            refuse_start(session, user_id=1, strategy_id=1, accounts={2: "Account 2"})
    switched.release(FAMILY)
    run_id = switched.world.start((HEDGE, Side.BUY, 1))
    switched.turns(4)
    assert {row.state for row in switched.world.intents("ENTRY", run_id)} == {IntentState.FILLED}


def test_who_is_in_a_halted_group_stays_in_it_and_it_is_not_deleted(switched: Switched) -> None:
    world = switched.world
    groups = AccountGroups(world.database, world.clock, Activity(world.database, world.clock))
    switched.kill(FAMILY)
    with pytest.raises(Conflict, match="halted"):
        groups.edit(ADMIN, 1, GroupForm("Family", frozenset({1})))
    with pytest.raises(Conflict, match="halted"):
        groups.delete(ADMIN, 1)
    groups.edit(ADMIN, 1, GroupForm("Kin", frozenset({1, 2})))
    switched.release(FAMILY)
    groups.edit(ADMIN, 1, GroupForm("Kin", frozenset({1})))
    groups.delete(ADMIN, 1)
    with pytest.raises(NotFound):
        switched.kill(FAMILY, key="kill-00002")


def test_only_an_admin_halts_a_group(switched: Switched) -> None:
    with pytest.raises(NotFound):
        switched.kill(FAMILY, TRADER)
    assert switched.switch.standings(TRADER) == []


def test_accounts_of_groups_are_read_only_while_a_group_is_stopped(switched: Switched) -> None:
    said: list[str] = []
    with switched.world.database.transaction() as session:
        event.listen(session.connection(), "before_cursor_execute", lambda *seen: said.append(seen[2]))
        assert standings(session) == []
    assert len(said) == 1
    switched.switch.reduce(FAMILY, actor=ADMIN)
    with switched.world.database.reading() as session:
        assert [each.members for each in standings(session)] == [frozenset({1, 2})]
