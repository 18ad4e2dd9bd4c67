"""The dashboard: the money of accounts that report, trouble first, runs with their rules; and readiness."""

import html
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import Unavailable
from app.main.dashboard import AccountLine, BannerView, RunLine, SummaryView, dashboard_page
from app.persistence.tables import (
    FillRow,
    Intent,
    Position,
    Preview,
    Run,
    RunDay,
    RunEvent,
    Strategy,
    StrategyExecution,
)
from app.ports.feed import Tick
from app.services.account_health import HealthState
from app.services.today import Today, Worth
from tests.desk_app import CE, MONDAY_1030, Bench, bench


class NoClock:
    """The market's, when nobody knows it."""

    def now(self) -> datetime:
        raise Unavailable("The simulator does not answer.")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


def short_call(desk: Bench, account_ids: list[int], user: str = "asha", name: str = "Short call") -> int:
    """An open run that sold 130 of the call at 52 in each account, with max loss 5,000 and max profit 9,000."""
    user_id = desk.somebody(user).id
    with desk.database.transaction() as session:
        strategy = Strategy(owner_id=user_id, name=name, structures=1, created_at=MONDAY_1030, changed_at=MONDAY_1030)
        session.add(strategy)
        session.flush()
        preview = Preview(
            strategy_id=strategy.id, user_id=user_id, made_at=MONDAY_1030, expires_at=MONDAY_1030, digest="d", plan="{}"
        )
        session.add(preview)
        session.flush()
        run = Run(
            strategy_id=strategy.id, preview_id=preview.id, user_id=user_id, name=name, mode="analyze", state="OPEN",
            max_loss=Decimal(5000), max_profit=Decimal(9000), requested_at=MONDAY_1030,
        )  # fmt: skip
        session.add(run)
        session.flush()
        for account_id in account_ids:
            execution = StrategyExecution(
                run_id=run.id, account_id=account_id, leg=1, underlying="NIFTY", exchange=CE.exchange, symbol=CE.symbol,
                kind="CE", expiry="2026-12-01", strike=Decimal(26400), side="SELL", product="MIS", lots=2, units=130,
                lot_size=65, tick=Decimal("0.05"), freeze=1800,
            )  # fmt: skip
            session.add(execution)
            session.flush()
            intent = Intent(
                execution_id=execution.id, run_id=run.id, account_id=account_id, purpose="ENTRY", generation=1, slice=0,
                exchange=CE.exchange, symbol=CE.symbol, product="MIS", side="SELL", units=130,
                limit_price=Decimal(52), worst_price=Decimal(50), state="FILLED", created_at=MONDAY_1030,
            )  # fmt: skip
            session.add(intent)
            session.flush()
            session.add(
                FillRow(
                    intent_id=intent.id, execution_id=execution.id, order_id="1", traded_at="-", ordinal=1, side="SELL",
                    units=130, price=Decimal(52), at=MONDAY_1030,
                )
            )  # fmt: skip
        session.add(
            RunEvent(run_id=run.id, at=MONDAY_1030, kind="open", sentence="Every order of the entry is filled.")
        )
        return run.id


def hold(desk: Bench, account_id: int, net: int) -> None:
    """What the account's position book said last."""
    with desk.database.transaction() as session:
        session.add(
            Position(
                account_id=account_id, exchange="NFO", symbol=f"S{net}", product="MIS", net=net, seen_at=MONDAY_1030
            )
        )


def price(desk: Bench, ltp: float) -> None:
    desk.board.put(Tick(CE, ltp, None))


def shown(desk: Bench, user: str = "asha") -> dict[str, Any]:
    with desk.app.test_request_context():
        return dashboard_page(desk.desk, desk.somebody(user))


def figures(*values: object) -> tuple[object, ...]:
    return values


def test_the_banner_adds_what_the_accounts_made(desk: Bench) -> None:
    ids = [desk.account(f"Account {n}", 5100 + n)[0] for n in range(3)]
    short_call(desk, ids[:2])
    hold(desk, ids[0], -130)
    hold(desk, ids[1], -65)
    hold(desk, ids[1], 0)
    price(desk, 50.0)
    banner: BannerView = shown(desk)["banner"]
    assert figures(banner.total, banner.realised, banner.unrealised) == (520, 0, 520)
    assert (banner.accounts_counted, banner.accounts_total, banner.missing) == (3, 3, [])
    assert (banner.trades, banner.positions) == (2, 2)
    page = desk.admin().get("/").text
    assert page.count("+520") >= 2, "banner and top bar say the same"


def carried(desk: Bench, run_id: int, account_id: int, total: str, realised: str) -> None:
    """As it was written down last, on the Friday before; the run began that day."""
    friday = MONDAY_1030 - timedelta(days=3)
    with desk.database.transaction() as session:
        run = session.get_one(Run, run_id)
        run.requested_at = run.started_at = friday
        session.add(
            RunDay(
                trading_date=friday.date(), run_id=run_id, account_id=account_id, total=Decimal(total),
                realised=Decimal(realised), at=friday,
            )
        )  # fmt: skip


def test_a_carried_run_counts_from_the_days_baseline_on_every_page_and_says_so(desk: Bench) -> None:
    """Worth 260 since Friday, of which 140 were there then: 240 open less 100 lost."""
    account_id, _ = desk.account()
    carried(desk, short_call(desk, [account_id]), account_id, "140", "-100")
    price(desk, 50.0)
    page = shown(desk)
    banner: BannerView = page["banner"]
    assert figures(banner.total, banner.realised, banner.unrealised, banner.baseline) == (120, 100, 20, 140)
    line: AccountLine = page["accounts"][0]
    assert figures(line.mtm, line.baseline, line.carried) == (120, 140, 1)
    run: RunLine = page["runs"][0]
    assert figures(run.mtm, run.carried_from) == (260, (MONDAY_1030 - timedelta(days=3)).date())
    assert run.nearest_rule is not None
    assert run.nearest_rule.distance == 5260, "its rules count since it began"
    assert desk.desk.today.mtm_of(1) == 120
    browser = desk.admin()
    assert "Since the day's baseline of +140, 1 carried" in html.unescape(browser.get("/").text)
    told = browser.get("/api/pnl").get_json()
    assert (Decimal(told["total"]), Decimal(told["baseline"])) == (120, 140)
    assert "of +140" in browser.get("/trading/pnl").text
    assert "1 carried at +140" in browser.get("/trading/risk").text
    assert "1 carried, counted from +140" in browser.get(f"/accounts/{account_id}").text


def test_while_nobody_knows_the_date_todays_money_is_not_known(desk: Bench) -> None:
    account_id, _ = desk.account()
    short_call(desk, [account_id])
    price(desk, 50.0)
    runs = desk.desk.today.runs(desk.somebody("asha"))
    nobody = Today(desk.database, desk.desk.run_board, NoClock())
    assert nobody.worth(runs) == Worth(None, None, None)
    assert nobody.worth([]).total == 0
    assert nobody.since_begun(runs[0]) == 260


def test_without_a_fresh_price_the_money_is_unknown_and_says_of_whom(desk: Bench) -> None:
    ids = [desk.account(f"Account {n}", 5100 + n)[0] for n in range(2)]
    short_call(desk, ids[:1])
    price(desk, 50.0)
    desk.clock.advance(11)
    page = shown(desk)
    banner: BannerView = page["banner"]
    assert banner.missing == ["Account 0"]
    assert (banner.accounts_counted, banner.accounts_total) == (1, 2)
    line: AccountLine = next(row for row in page["accounts"] if row.name == "Account 0")
    assert figures(line.mtm, line.unrealised, line.realised) == (None, None, 0)
    run: RunLine = page["runs"][0]
    assert (run.mtm, run.nearest_rule) == (None, None)
    assert desk.desk.today.mtm_of(1) is None


def test_trouble_comes_first(desk: Bench) -> None:
    well, _ = desk.account("A well", 5001)
    lost, _ = desk.account("B lost", 5002)
    paused, _ = desk.account("C paused", 5003)
    for account_id in (well, paused):
        desk.health.report(account_id, state=HealthState.OK)
    desk.health.report(lost, state=HealthState.LOGIN_EXPIRED, reason="The broker session ended.")
    desk.desk.accounts.pause(desk.somebody("asha"), paused)
    page = shown(desk)
    assert [(line.name, line.state) for line in page["accounts"]] == [
        ("B lost", "login_expired"),
        ("C paused", "paused"),
        ("A well", "in_sync"),
    ]
    summary: SummaryView = page["accounts_summary"]
    assert (summary.count, summary.in_sync, summary.trouble) == (3, 1, 1)


def test_a_run_tells_the_rule_that_would_fire_first(desk: Bench) -> None:
    account_id, _ = desk.account()
    run_id = short_call(desk, [account_id])
    price(desk, 60.0)
    run: RunLine = shown(desk)["runs"][0]
    assert (run.id, run.state, run.underlying, run.lots, run.units) == (run_id, "running", "NIFTY", 2, 130)
    assert run.nearest_rule is not None
    assert figures(run.mtm, run.nearest_rule.name, run.nearest_rule.distance) == (-1040, "Max loss", 3960)
    price(desk, 2.0)
    better: RunLine = shown(desk)["runs"][0]
    assert better.nearest_rule is not None
    assert figures(better.nearest_rule.name, better.nearest_rule.distance) == ("Max profit", 2500)


def test_others_see_their_own_runs_only(desk: Bench) -> None:
    account_id, _ = desk.account()
    desk.trader("ravi")
    short_call(desk, [account_id])
    short_call(desk, [account_id], user="ravi", name="Ravi's")
    price(desk, 50.0)
    assert [run.strategy_name for run in shown(desk)["runs"]] == ["Ravi's", "Short call"]
    mine = shown(desk, "ravi")
    assert [run.strategy_name for run in mine["runs"]] == ["Ravi's"]
    assert [event.detail for event in mine["events"]] == ["Ravi's"]
    assert mine["accounts"] == []
    assert figures(desk.desk.today.mtm_of(1), desk.desk.today.mtm_of(2)) == (520, 260)


def test_recent_events_tell_a_thing_once_and_leave_fills_to_the_run(desk: Bench) -> None:
    account_id, _ = desk.account()
    run_id = short_call(desk, [account_id])
    with desk.database.transaction() as session:
        for number in range(30):
            session.add(
                RunEvent(run_id=run_id, at=MONDAY_1030, kind="filled", sentence=f"Filled {number} of {CE.symbol}.")
            )
        for _number in range(3):
            session.add(
                RunEvent(run_id=run_id, at=MONDAY_1030, kind="rejected", sentence=f"Rejected: sell 65 {CE.symbol}.")
            )
    events = [(event.title, event.detail) for event in shown(desk)["events"]]
    assert events == [
        ("Rejected: sell 65 units of 26,400 CE.", "Short call, 3 times"),
        ("Every order of the entry is filled.", "Short call"),
    ]


def test_yesterdays_runs_are_not_todays_money(desk: Bench) -> None:
    account_id, _ = desk.account()
    run_id = short_call(desk, [account_id])
    price(desk, 50.0)
    for ended, count in ((MONDAY_1030, 1), (MONDAY_1030 - timedelta(hours=11), 0)):
        with desk.database.transaction() as session:
            run = session.get_one(Run, run_id)
            run.state, run.closed_at = "CLOSED", ended
        desk.desk.run_board.changed(run_id)
        assert len(desk.desk.today.runs(desk.somebody("asha"))) == count
    assert shown(desk)["runs"] == []


def test_an_empty_desk_offers_the_simulator(desk: Bench) -> None:
    browser = desk.admin()
    page = browser.get("/").text
    assert "No accounts yet." in page
    assert "Add the simulator&#39;s accounts" in page
    assert shown(desk)["accounts_summary"] is None


def test_readiness_gives_every_reason_and_no_name(desk: Bench) -> None:
    client = desk.client()
    assert client.get("/healthz").json == {"status": "alive"}
    empty = client.get("/readyz")
    assert (empty.status_code, empty.json) == (503, {"status": "cannot trade", "reasons": ["There is no account yet."]})
    account_id, _ = desk.account("Mother's account")
    desk.health.report(account_id, state=HealthState.UNREACHABLE, reason="Gone.")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    reasons = " ".join((answer.json or {})["reasons"])
    for words in ("None of 1 accounts answers.", "contract list", "hours are unknown", "No account feeds prices."):
        assert words in reasons
    assert "Mother" not in answer.text
