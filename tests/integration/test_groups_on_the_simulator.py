"""A day of groups on the simulator: three accounts in two groups, sized, limited, left and kept locked."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.contracts import Kind, Side
from app.domain.errors import Denied
from app.persistence.tables import AccountGroup, DayLock, GroupMember
from app.services.trading_states import refuse_entry
from app.trading.risk_page import GroupUse, risk_page
from app.web.desk import EXTENSION
from app.web.signed_in import SignedIn
from tests.live_desk import LiveDesk, eventually, leg, live_desk
from tests.simulator_process import SimulatorProcess, start_simulator

LONG = (leg(1, Kind.CE, Side.BUY),)


@pytest.fixture(scope="module")
def three() -> Iterator[SimulatorProcess]:
    with start_simulator("--limits", "off", accounts=3) as simulator:
        yield simulator


def group(desk: LiveDesk, name: str, *numbers: int, **changes: Any) -> int:
    now = desk.runtime.ground.clock.now()
    ids = desk.account_ids
    with desk.runtime.ground.database.transaction() as session:
        row = AccountGroup(owner_id=1, name=name, created_at=now, changed_at=now, **changes)
        row.members = [GroupMember(account_id=ids[number - 1]) for number in numbers]
        session.add(row)
        session.flush()
        return row.id


def limit(desk: LiveDesk, group_id: int, **limits: Any) -> None:
    with desk.runtime.ground.database.transaction() as session:
        for name, value in limits.items():
            setattr(session.get_one(AccountGroup, group_id), name, value)


def flat(desk: LiveDesk) -> list[bool]:
    return [not desk.net_at_broker(number) for number in (1, 2, 3)]


def locked(desk: LiveDesk) -> set[int]:
    found = set()
    with desk.runtime.ground.database.transaction() as session:
        for number, account_id in enumerate(desk.account_ids, 1):
            try:
                refuse_entry(session, user_id=1, account_id=account_id, strategy_id=None)
            except Denied as no:
                assert no.code == "DAY_LOCK"  # noqa: PT017 - any other refusal is a failure
                found.add(number)
    return found


def test_a_groups_loss_takes_its_accounts_out_others_stay_and_a_restart_keeps_the_lock(
    three: SimulatorProcess, tmp_path: Path
) -> None:
    three.reset()
    with live_desk(three, tmp_path) as desk:
        family = group(desk, "Family", 1, 2, multiplier=Decimal(2), leaves_at_limit=True)
        group(desk, "Fast", 2, 3, max_leg_lots=3, max_day_loss=Decimal(10_000_000))
        strategy = desk.runtime.trade.strategies.one(desk.strategy(LONG, accounts=desk.account_ids[2:]), 1)
        desk.runtime.trade.strategies.save(
            strategy.spec, strategy.multipliers, groups=[family], user_id=1, username="trader", strategy_id=strategy.id
        )
        plans = desk.preview(strategy.id)
        assert [plan.structures for plan in plans.plan.accounts] == [2, 2, 1]
        assert "multiplier 2 (group Family)" in plans.plan.accounts[0].explanation[0]
        run_id = desk.send(plans)
        desk.until(run_id, "OPEN")
        assert flat(desk) == [False, False, False]
        limit(desk, family, max_day_loss=Decimal(1))
        three.move_index("NIFTY", percent=-0.4)  # the touch cost more, but a rise may have made up for it
        eventually(lambda: flat(desk) == [True, True, False] or None, "the group is out, the other account is not", 30)
        locks = desk.rows(DayLock)
        assert {(lock.account_id, lock.group_id) for lock in locks} == {(each, family) for each in desk.account_ids[:2]}
        assert locks[0].sentence.startswith("Group Family: Day loss of ₹1.00 reached")
        assert locked(desk) == {1, 2}
    with live_desk(three, tmp_path) as desk:
        assert locked(desk) == {1, 2}
        again = desk.preview(strategy.id)
        assert [(plan.skipped is None, plan.skip_code) for plan in again.plan.accounts] == [
            (False, "DAY_LOCK"), (False, "DAY_LOCK"), (True, None),
        ]  # fmt: skip
        assert flat(desk) == [True, True, False]
        assert len(desk.rows(DayLock)) == 2


def test_a_preview_foresees_the_room_of_a_group_and_the_claim_bears_it_out(
    three: SimulatorProcess, tmp_path: Path
) -> None:
    three.reset()
    with live_desk(three, tmp_path) as desk:
        group(desk, "Family", 1, 2, max_open_lots=3)
        preview = desk.preview(desk.strategy(LONG, structures=2))
        assert [plan.skip_code for plan in preview.plan.accounts] == [None, "OPEN_LOTS", None]
        run_id = desk.send(preview)
        desk.until(run_id, "OPEN")
        assert flat(desk) == [False, True, False]
        assert {row.state for row in desk.intents(run_id)} == {"FILLED"}


@pytest.mark.proof  # ten seconds pass before a price is stale; in no time at all in test_group_day.py
def test_while_the_prices_of_one_account_are_stale_its_group_decides_nothing_and_says_so(
    three: SimulatorProcess, tmp_path: Path
) -> None:
    """Account 2 alone holds the put; its price stops, and nobody answers for it. Then it comes back, and counts."""
    three.reset()
    with live_desk(three, tmp_path) as desk:
        ids = desk.account_ids
        family = group(desk, "Family", 1, 2)
        calls = desk.run(LONG, accounts=[ids[0], ids[2]])
        puts = desk.run((leg(1, Kind.PE, Side.BUY),), name="Puts", accounts=[ids[1]])
        for run_id in (calls, puts):
            desk.until(run_id, "OPEN")
        symbol = desk.intents(puts)[0].symbol
        for account in (1, 2, 3):
            three.fault("ws_mute_symbol", account=account, parameters={"symbol": symbol})
            for endpoint in ("quotes", "multiquotes"):
                three.fault("http_error", account=account, endpoint=endpoint)
        eventually(lambda: shown(desk).missing == ["Simulator 2"] or None, "the put has no fresh price", 30)
        limit(desk, family, max_day_loss=Decimal(1))
        since = judged(desk)
        eventually(lambda: judged(desk) >= since + 4 or None, "it was judged again and again", 15)
        line = shown(desk)
        assert (line.today, line.loss.used, line.state) == (None, None, "free")
        assert desk.rows(DayLock) == []
        three.clear_faults()
        eventually(lambda: locked(desk) == {1, 2} or None, "the group is locked once it is known", 20)


def shown(desk: LiveDesk) -> GroupUse:
    """What the risk page says of the group."""
    viewer = SignedIn(desk.trader.id, desk.trader.username, "admin", "")
    with desk.app.app_context():
        (line,) = risk_page(desk.app.extensions[EXTENSION], viewer).groups
    return line


def judged(desk: LiveDesk) -> float:
    """Seconds for which the watch has been stepping, as far as it is well: it looks each second."""
    (pulse,) = (each for each in desk.runtime.ground.supervisor.pulses() if each.name == "day-limits")
    assert pulse.crashes == 0, pulse.last_error
    return desk.runtime.ground.clock.monotonic() - pulse.age_s
