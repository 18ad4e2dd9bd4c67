"""Limits of a group of accounts, on real rows: counted in the claim over all its members, once for each batch."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from app.domain.contracts import Side
from app.domain.day_limits import NO_LIMITS
from app.domain.orders import IntentState
from app.persistence.tables import AccountGroup, GroupMember, TradingAccount
from app.services.limit_facts import Limited, LimitFacts
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import HEDGE, PUT


class Groups(OrderWorld):
    """Three accounts whose orders fill at once; `group` puts some of them together."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, accounts=3)
        for broker in self.brokers.values():
            broker.fills_at_once = True

    def group(self, name: str, *members: int, **limits: Any) -> int:
        now = self.clock.now()
        with self.database.transaction() as session:
            row = AccountGroup(owner_id=1, name=name, created_at=now, changed_at=now, **limits)
            row.members = [GroupMember(account_id=each) for each in members]
            session.add(row)
            session.flush()
            return row.id

    def states(self, run_id: int) -> dict[int, str]:
        return {row.account_id: row.state for row in self.intents("ENTRY", run_id)}

    def taken(self, run_id: int, *accounts: int) -> int:
        """In how many of these accounts it was entered; in the others it was denied."""
        states = [state for account_id, state in self.states(run_id).items() if account_id in accounts]
        assert set(states) <= {IntentState.FILLED, IntentState.DENIED}
        return states.count(IntentState.FILLED)

    def reasons(self, run_id: int) -> str:
        return " ".join(row.reason or "" for row in self.intents("ENTRY", run_id))


@pytest.fixture
def desk(tmp_path: Path) -> Groups:
    return Groups(tmp_path)


def test_lots_of_all_members_count_together_and_others_are_not_held_up(desk: Groups) -> None:
    desk.group("Family", 1, 2, max_open_lots=3)
    run_id = desk.start((PUT, Side.BUY, 2))
    desk.turns(4)
    assert desk.taken(run_id, 1, 2) == 1, "whoever comes first"
    assert desk.taken(run_id, 3) == 1
    assert "OPEN_LOTS: Group Family holds or has ordered 2 lots and may hold 3; 2 more is too many." in desk.reasons(
        run_id
    )
    more = desk.start((HEDGE, Side.BUY, 1))
    desk.turns(4)
    assert (desk.taken(more, 1, 2), desk.taken(more, 3)) == (1, 1)


def test_orders_of_a_day_of_all_members_count_together_and_exits_are_never_held_up(desk: Groups) -> None:
    desk.group("Family", 1, 2, max_day_orders=2)
    run_id = desk.start((PUT, Side.BUY, 1))
    desk.turns(4)
    assert set(desk.states(run_id).values()) == {IntentState.FILLED}
    more = desk.start((HEDGE, Side.BUY, 1))
    desk.turns(4)
    assert desk.states(more) == {1: IntentState.DENIED, 2: IntentState.DENIED, 3: IntentState.FILLED}
    assert "DAY_ORDERS: Group Family has sent 2 orders today and may send 2; 1 more is too many." in desk.reasons(more)
    desk.exit(run_id)
    desk.turns(6)
    assert [broker.net(PUT.key) for broker in desk.brokers.values()] == [0, 0, 0]


def test_an_account_in_two_groups_obeys_both_and_a_deleted_group_none(desk: Groups) -> None:
    desk.group("Family", 1, 2, max_open_lots=100)
    second = desk.group("Fast", 2, 3, max_open_lots=1)
    run_id = desk.start((PUT, Side.BUY, 1))
    desk.turns(4)
    assert (desk.taken(run_id, 1), desk.taken(run_id, 2, 3)) == (1, 1)
    assert "Group Fast" in desk.reasons(run_id)
    with desk.database.transaction() as session:
        session.get_one(AccountGroup, second).archived_at = desk.clock.now()
    more = desk.start((HEDGE, Side.BUY, 1))
    desk.turns(4)
    assert set(desk.states(more).values()) == {IntentState.FILLED}


def test_a_batch_asks_for_its_groups_once_however_many_orders_are_in_it(desk: Groups) -> None:
    desk.group("Family", 1, 2, 3, max_open_lots=60, max_day_orders=500)
    today = desk.clock.now().date()
    with desk.database.transaction() as session:
        accounts = [Limited(row.id, row.name, NO_LIMITS) for row in session.query(TradingAccount)]
        said: list[str] = []
        event.listen(session.connection(), "before_cursor_execute", lambda *seen: said.append(seen[2]))
        facts = LimitFacts(session)
        for _ in range(20):
            for account in accounts:
                assert facts.refusal(account, today, 0) is None
                facts.claimed(account.id, 1)
        assert len(said) == 4, "its groups, what is held, what is entering, what was sent"
        assert facts.refusal(accounts[0], today, 1) is not None
