"""Six strategies in five accounts over a day at sixty times the clock, the engine killed twice: flat, and explained."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from decimal import Decimal

import pytest

from app.persistence.tables import FillRow, Run, StrategyExecution
from tests.chaos_process.judge import judge
from tests.day.desk import SPEED, Day, day
from tests.day.plans import LEAVE_AT, plans

CLOSED_WITHIN_S = 120.0
SENDING_SPEED = 6.0
"""At sixty times the clock what a preview showed has moved away before a slow machine sends it."""


def _all_closed(on: Day, runs: list[int]) -> bool:
    return all(on.desk.view(run).state == "CLOSED" for run in runs)


def _explained(on: Day, run_id: int) -> list[str]:
    """The rules by which it was left. Fails when a leg does not say why, or its rule left no trace."""
    view = on.desk.view(run_id)
    left = on.desk.rows(StrategyExecution, StrategyExecution.run_id == run_id)
    silent = [f"{each.symbol} in account {each.account_id}" for each in left if not each.exit_wanted]
    assert not silent, f"{view.name}: nobody says why these were left: {silent}"
    told = on.desk.risk_events(run_id)
    assert told, f"{view.name} was left and no rule is on record: { ({each.exit_wanted for each in left}) }"
    for event in told:
        assert event.rule == "square_off" or event.prices, f"{view.name}: {event.rule} tells no prices"
    return sorted({event.rule for event in told})


def _worth_is_cash(on: Day, run_id: int) -> None:
    """What the page says was made is what the fills brought in, account by account."""
    side = {execution.id: execution for execution in on.desk.rows(StrategyExecution)}
    cash: dict[int, Decimal] = {}
    for fill in on.desk.rows(FillRow):
        if side[fill.execution_id].run_id == run_id:
            account = side[fill.execution_id].account_id
            cash[account] = cash.get(account, Decimal(0)) + (-1 if fill.side == "BUY" else 1) * fill.units * fill.price
    view = on.desk.view(run_id)
    for account, brought in cash.items():
        assert on.desk.runtime.trade.run_board.pnl(view, account).total == brought, f"{view.name}, account {account}"


@dataclass(frozen=True)
class Script:
    """When the day begins and what happens on it, in India's time. `moves` are an index and percent, over ten minutes.

    `names`: only these strategies.
    """

    start: str
    starts: time
    sent_until: time
    kills: tuple[time, ...]
    moves: tuple[tuple[time, str, float], ...]
    accounts: int = 5
    names: tuple[str, ...] = ()
    kinds: int = 3


WHOLE_DAY = Script(
    "09:16",
    starts=time(10, 31),
    sent_until=time(11, 30),
    kills=(time(11, 30), time(13, 30)),
    moves=((time(12, 15), "NIFTY", 0.5), (time(12, 45), "BANKNIFTY", 0.8), (time(13, 0), "NIFTY", -0.4)),
)
LAST_HALF_HOUR = Script(
    "14:14",
    starts=time(14, 18),
    sent_until=time(14, 28),
    kills=(time(14, 28),),
    moves=((time(14, 30), "NIFTY", 0.8),),
    accounts=2,
    names=("Straddle with limits", "Spread with limits of each account", "Fly that starts by the clock"),
    kinds=2,
)


def _happens(on: Day, script: Script) -> None:
    """Engines die and indices move, each at its time. An engine that dies has runs in its hands."""
    happenings = [*((at, "", 0.0) for at in script.kills), *script.moves]
    for at, index, percent in sorted(happenings):
        on.until_time(at)
        if index:
            on.simulator.post("/index/move", name=index, percent=percent, over_seconds=600)
        else:
            assert [run for run in on.desk.rows(Run) if run.state not in {"REFUSED", "CLOSED"}], f"no run lives at {at}"
            on.kill_engine()


def _lived(script: Script) -> None:
    with day(script.start, accounts=script.accounts) as on:
        every = plans(on.desk.account_ids, script.starts)
        planned = [each for each in every if not script.names or each.name in script.names]
        saved = on.write(planned)
        on.run_at(SENDING_SPEED)
        for each in planned:
            if not each.by_clock:
                on.send(saved[each.name])
        _begin_by_clock(on, script.starts, [saved[each.name] for each in planned if each.by_clock])
        on.run_at(SPEED)
        assert on.now().time() < script.sent_until, "too late: the machine is too slow for the day"
        _happens(on, script)
        on.until_time(LEAVE_AT)
        on.run_at(1.0)  # what is left of the day is for being sure
        _ends(on, saved, script.kinds)


def _begin_by_clock(on: Day, at: time, strategies: list[int]) -> None:
    on.run_at(SPEED)
    on.until_time(at.replace(minute=at.minute - 1))
    on.run_at(SENDING_SPEED)
    on.until(lambda: all(on.runs_of(each) for each in strategies), "the clock began its own", CLOSED_WITHIN_S)


def _ends(on: Day, saved: Mapping[str, int], kinds: int) -> None:
    runs = [run.id for number in saved.values() for run in on.runs_of(number)]
    assert len(runs) == len(saved), f"each once: {[(run.name, run.state, run.reason) for run in on.desk.rows(Run)]}"
    on.until(lambda: _all_closed(on, runs), "every run is closed", CLOSED_WITHIN_S)
    rules = {on.desk.view(run).name: _explained(on, run) for run in runs}
    for run in runs:
        _worth_is_cash(on, run)
    verdict = judge(on.desk)
    assert not verdict.troubles, "\n".join(verdict.troubles)
    assert len({rule for found in rules.values() for rule in found}) >= kinds, f"rules of several kinds: {rules}"


@pytest.mark.timeout(300)
def test_the_last_half_hour_of_a_day_ends_flat_and_explained() -> None:
    _lived(LAST_HALF_HOUR)


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_a_day_of_six_strategies_in_five_accounts_ends_flat_and_explained() -> None:
    _lived(WHOLE_DAY)
