"""An account leaves by a limit of its own, once, on what it holds and has realised itself; the others go on."""

from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.contracts import Side
from app.domain.errors import InvalidInput
from app.domain.exit_rules import AccountRule, ExitRules, check_accounts
from app.domain.trailing import ProfitLock, TrailKind
from app.persistence.tables import AccountPeak, RiskEvent, Run
from app.services.run_board import RunBoard
from app.trading.run_account_limits import account_limits_of
from tests.unit.services.pretend_broker import CALL, HEDGE, PUT
from tests.unit.services.watched_runs import Parts

SHORT = (CALL, Side.SELL, 1)
STRADDLE = (SHORT, (PUT, Side.SELL, 1))


def own(account_id: int, **amounts: int) -> AccountRule:
    said: dict[str, Any] = {name: Decimal(amount) for name, amount in amounts.items()}
    return AccountRule(account_id, **said)


def trails(account_id: int, kind: TrailKind, size: int, activation: int | None = None) -> AccountRule:
    begins = None if activation is None else Decimal(activation)
    return AccountRule(account_id, trail=Decimal(size), trail_kind=kind, trail_activation=begins)


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


def seen(parts: Parts, *puts: float) -> None:
    """The price of the call goes there bit by bit, and what rises is written down."""
    for ltp in puts:
        parts.goes_to(call=ltp)
        parts.peaks.step()


def peaks(parts: Parts) -> dict[int, Decimal]:
    """As they are written down."""
    with parts.world.database.reading() as session:
        return {row.account_id: row.peak for row in session.scalars(select(AccountPeak))}


def test_one_account_reaches_its_own_loss_and_the_other_goes_on(parts: Parts) -> None:
    run_id = parts.enter(*STRADDLE, own=(own(1, max_loss=1000), own(2, max_loss=2000)))
    parts.at(call=100, put=100)
    parts.goes_to(call=115.3)
    assert parts.leaving() == set()
    parts.at(call=115.4)
    assert parts.leaving() == {(1, 1), (1, 2)}
    parts.world.turns(5)
    assert parts.fired() == [("max_loss", "account 1", Decimal(1000), Decimal(-1001))]
    (event,) = parts.world.rows(RiskEvent)
    assert event.account_id == 1
    assert {symbol: used["ltp"] for symbol, used in event.prices.items()} == {
        CALL.key.symbol: "115.4", PUT.key.symbol: "100",
    }  # fmt: skip
    assert [broker.net(CALL.key) for broker in parts.world.brokers.values()] == [0, -65]
    assert parts.world.run(run_id).state == "OPEN"


def test_the_limit_counts_the_accounts_own_average(parts: Parts) -> None:
    parts.enter(SHORT, own=(own(1, max_profit=1000), own(2, max_profit=1000)), a2l1="110")
    parts.at(call=100)
    seen(parts, 94)
    assert parts.leaving() == {(2, 1)}, "sold at 110 it has 1,040, the other 390"


def test_an_account_trails_below_its_own_peak(parts: Parts) -> None:
    parts.enter(SHORT, own=(own(1, trail=500), own(2, trail=900)))
    parts.at(call=100)
    seen(parts, 80)
    assert peaks(parts) == {1: Decimal(1300), 2: Decimal(1300)}
    seen(parts, 87)
    assert parts.leaving() == set()
    seen(parts, 88)
    assert parts.leaving() == {(1, 1)}
    assert parts.fired() == [("trail", "account 1", Decimal(800), Decimal("796.25"))]


def test_a_restart_changes_no_floor_of_an_account(parts: Parts) -> None:
    parts.enter(SHORT, own=(own(1, trail=500),))
    parts.at(call=100)
    seen(parts, 80, 85)
    parts.runs = RunBoard(parts.world.database, parts.board, parts.world.clock)
    parts.watch()
    view = parts.runs.view(1)
    assert (parts.peaks.of(view, 1), parts.peaks.account_floors(view, 1).trail) == (Decimal(1300), Decimal(800))
    assert parts.peaks.account_floors(view, 2).trail is None


def test_a_peak_of_an_account_counts_once_it_is_written_and_never_falls(parts: Parts) -> None:
    parts.enter(SHORT, own=(own(1, trail=500),))
    parts.at(call=100)
    parts.goes_to(call=80)
    view = parts.runs.view(1)
    assert parts.peaks.account_floors(view, 1).trail == Decimal(-500)
    parts.peaks.step()
    seen(parts, 82)
    assert parts.peaks.account_floors(parts.runs.view(1), 1).trail == Decimal(800)


def test_a_missing_price_is_judged_at_its_worst_for_a_loss_and_by_nothing_else(parts: Parts) -> None:
    parts.enter((HEDGE, Side.BUY, 1), (PUT, Side.BUY, 1), own=(own(1, max_loss=8000, trail=1000, max_profit=10),))
    parts.at(hedge=99, put=99)
    parts.world.clock.advance(11)
    parts.at(put=99)
    assert parts.leaving() == set(), "6,435 and 65: the hedge at nothing"
    parts.world.clock.advance(11)
    parts.monitor.step()
    assert parts.leaving() == {(1, 1), (1, 2)}
    assert [row[0] for row in parts.fired()] == ["max_loss"]


def test_row_21_one_bad_print_takes_no_account_out(parts: Parts) -> None:
    parts.enter(*STRADDLE, own=(own(1, max_loss=1000, trail=1000),))
    parts.at(call=100, put=100)
    parts.at(call=200)
    parts.at(call=1)
    parts.at(call=100)
    parts.peaks.step()
    assert parts.leaving() == set()
    assert peaks(parts) == {}


def test_the_whole_run_and_one_account_may_both_have_the_same_rule(parts: Parts) -> None:
    run_id = parts.enter(*STRADDLE, own=(own(1, max_loss=1000),))
    with parts.world.database.transaction() as session:
        session.get_one(Run, run_id).max_loss = Decimal(2200)
    parts.runs.changed(run_id)
    parts.at(call=100, put=100)
    parts.goes_to(call=116)
    parts.world.turns(5)
    parts.goes_to(call=135)
    assert [row[:2] for row in parts.fired()] == [("max_loss", "account 1"), ("max_loss", "")]


def test_ticks_in_the_same_moment_ask_once(parts: Parts) -> None:
    parts.enter(*STRADDLE, own=(own(1, max_loss=1000),))
    parts.at(call=100, put=100)
    parts.goes_to(call=115)
    for ltp in (116, 117, 118):
        parts.price(ltp, CALL)
        parts.monitor.step()
    assert len(parts.world.said("exit")) == 1


@pytest.mark.parametrize("amount", ["0", "-1", "NaN"])
@pytest.mark.parametrize(("name", "field"), [("max_loss", "loss"), ("max_profit", "profit"), ("trail", "trail")])
def test_what_is_no_amount_is_named(name: str, field: str, amount: str) -> None:
    said: dict[str, Any] = {name: Decimal(amount)}
    with pytest.raises(InvalidInput, match="not an amount") as refused:
        check_accounts((AccountRule(3, **said),))
    assert refused.value.field == f"accounts[3].{field}"


def shown(parts: Parts) -> dict[str, tuple[str, str | None]]:
    rules = account_limits_of(parts.runs, parts.peaks, parts.runs.view(1), ())
    return {rule.key: (rule.state, rule.note) for rule in rules}


def test_the_page_names_the_account_that_is_nearest(parts: Parts) -> None:
    parts.enter(*STRADDLE, own=(own(1, max_loss=2000), own(2, max_loss=1000, trail=700)))
    assert shown(parts)["own_max_loss"] == ("armed", "2 wait for a price.")
    parts.at(call=100, put=100)
    assert shown(parts) == {
        "own_max_loss": ("armed", "Nearest: Account 2 leaves at \u2212\u20b91,000.00, \u20b91,000.00 away."),
        "own_trail": ("armed", "Nearest: Account 2 leaves at \u2212\u20b9700.00, \u20b9700.00 away."),
    }


def test_an_account_trails_by_a_share_of_its_peak_from_an_activation_on(parts: Parts) -> None:
    """65 sold at 100 in each. From 1,000 on the first gives a quarter of its peak back; the second sleeps to 2,000."""
    parts.enter(SHORT, own=(trails(1, TrailKind.PEAK_PCT, 25, 1000), trails(2, TrailKind.PEAK_PCT, 25, 2000)))
    parts.at(call=100)
    seen(parts, 95, 100)
    assert parts.leaving() == set(), "asleep"
    seen(parts, 80)
    view = parts.runs.view(1)
    assert [parts.peaks.account_floors(view, each).trail for each in (1, 2)] == [Decimal(975), None]
    seen(parts, 85)
    assert parts.leaving() == {(1, 1)}, "975 is three quarters of 1,300"


def test_an_account_trails_by_a_share_of_its_own_premium_and_a_restart_changes_nothing(parts: Parts) -> None:
    """6,500 rupees came in for the first account, 13,000 for the second."""
    rules = (trails(1, TrailKind.PREMIUM_PCT, 10), trails(2, TrailKind.PREMIUM_PCT, 10))
    parts.enter(SHORT, own=rules, a2l1="200")
    parts.at(call=100)
    seen(parts, 100)
    for _ in range(2):
        view = parts.runs.view(1)
        assert view.account_distances == {1: Decimal(650), 2: Decimal(1300)}
        assert parts.peaks.account_floors(view, 1).trail == Decimal(-650)
        parts.runs = RunBoard(parts.world.database, parts.board, parts.world.clock)
        parts.watch()
    seen(parts, 110)
    assert parts.leaving() == {(1, 1)}


def test_a_premium_that_is_too_small_is_said_and_does_not_trail(parts: Parts) -> None:
    parts.enter(SHORT, own=(trails(1, TrailKind.PREMIUM_PCT, 10),), a1l1="10")
    parts.at(call=10)
    seen(parts, 10)
    view = parts.runs.view(1)
    assert parts.peaks.account_floors(view, 1).trail is None
    assert any("does not trail by itself" in said for said in parts.world.said("attention"))


def test_an_account_keeps_what_it_has_locked(parts: Parts) -> None:
    lock = ProfitLock(Decimal(1000), Decimal(400), Decimal(200), Decimal(150))
    parts.enter(SHORT, own=(AccountRule(1, lock=lock),))
    parts.at(call=100)
    seen(parts, 80)
    assert parts.peaks.account_floors(parts.runs.view(1), 1).lock == Decimal(550), "one step of 200 beyond 1,000"
    seen(parts, 91)
    assert parts.leaving() == set()
    seen(parts, 92)
    assert parts.leaving() == {(1, 1)}
    assert [(rule, place, threshold) for rule, place, threshold, _ in parts.fired()] == [
        ("lock", "account 1", Decimal(550))
    ]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (trails(3, TrailKind.PEAK_PCT, 25), "accounts[3].trailfrom"),
        (trails(3, TrailKind.PREMIUM_PCT, 100), "accounts[3].trail"),
        (AccountRule(3, lock=ProfitLock(Decimal(100), Decimal(100))), "accounts[3].keep"),
        (AccountRule(3, lock=ProfitLock(Decimal(100), Decimal(10), Decimal(5))), "accounts[3].more"),
    ],
)
def test_floors_that_cannot_be_are_refused_by_the_field_of_their_account(rule: AccountRule, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_accounts((rule,))
    assert refused.value.field == field


def test_words_and_square_off_of_an_account() -> None:
    rule = AccountRule(1, trail=Decimal(20), trail_kind=TrailKind.PREMIUM_PCT, square_off=time(14, 30))
    assert rule.words() == (
        "By itself: Trails 20 % of the entry's net premium below the peak",
        "Leaves by itself at 14:30",
    )
    rules = ExitRules(accounts=(rule,))
    assert [rules.square_off_of(each, time(15, 0)) for each in (1, 2)] == [time(14, 30), time(15, 0)]
