"""An account leaves by a limit of its own, once, on what it holds and has realised itself; the others go on."""

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.contracts import Side
from app.domain.errors import InvalidInput
from app.domain.exit_rules import AccountRule, check_accounts
from app.persistence.tables import AccountPeak, RiskEvent, Run
from app.services.run_board import RunBoard
from app.trading.run_account_limits import account_limits_of
from tests.unit.services.pretend_broker import CALL, HEDGE, PUT
from tests.unit.services.watched_runs import Parts

SHORT = (CALL, Side.SELL, 1)
STRADDLE = (SHORT, (PUT, Side.SELL, 1))


def own(account_id: int, **amounts: int) -> AccountRule:
    return AccountRule(account_id, **{name: Decimal(amount) for name, amount in amounts.items()})


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
    assert (parts.peaks.of(view, 1), parts.peaks.account_floor(view, 1)) == (Decimal(1300), Decimal(800))
    assert parts.peaks.account_floor(view, 2) is None


def test_a_peak_of_an_account_counts_once_it_is_written_and_never_falls(parts: Parts) -> None:
    parts.enter(SHORT, own=(own(1, trail=500),))
    parts.at(call=100)
    parts.goes_to(call=80)
    view = parts.runs.view(1)
    assert parts.peaks.account_floor(view, 1) == Decimal(-500)
    parts.peaks.step()
    seen(parts, 82)
    assert parts.peaks.account_floor(parts.runs.view(1), 1) == Decimal(800)


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
    with pytest.raises(InvalidInput, match="not an amount") as refused:
        check_accounts((AccountRule(3, **{name: Decimal(amount)}),))
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
