"""What a run was worth minute by minute, on its page and for scripts: a gap is told and is never nothing."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.market_rules import DEFAULT_RULES
from app.persistence.tables import MarketRuleRow, RunMinute
from app.web.run_curve import MOST_POINTS
from tests.desk_app import MONDAY_1030
from tests.run_maker import RunMaker, opened, read
from tests.trading_desk import CE, PE, TradingBench, trading_bench


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def worth(run: RunMaker, *totals: str | None) -> None:
    """Of as many minutes; net is 90 rupees less, and not known for a total that ends in a question mark."""
    with run.desk.bench.database.transaction() as session:
        for minute, text in enumerate(totals):
            total = None if text is None else Decimal(text.rstrip("?"))
            net = None if total is None or text is None or text.endswith("?") else total - 90
            at = MONDAY_1030 + timedelta(minutes=minute)
            session.add(RunMinute(run_id=run.run_id, at=at, total=total, net=net))


def drawn(page: str) -> list[Any]:
    found = re.search(r"id=\"run-points\" data-points='([^']*)'", page)
    points: list[Any] = json.loads(found[1]) if found else []
    return points


def test_the_page_draws_gross_and_net_and_says_when_nobody_knew(desk: TradingBench) -> None:
    run = opened(desk)
    worth(run, "0", "650", None, None, "-130?")
    page = run.page()
    start = int(MONDAY_1030.timestamp())
    assert drawn(page) == [
        [start, 0.0, -90.0],
        [start + 60, 650.0, 560.0],
        [start + 120, None, None],
        [start + 180, None, None],
        [start + 240, -130.0, None],
    ]
    assert "Not known 10:32 to 10:34: a held contract had no fresh price, or nobody looked." in read(page)
    assert drawn(run.page(part="/live")) == drawn(page), "the fragment brings the points that came since"


@pytest.mark.parametrize("totals", [(), ("650",)])
def test_without_two_points_there_is_no_picture(desk: TradingBench, totals: tuple[str, ...]) -> None:
    run = opened(desk)
    worth(run, *totals)
    assert 'data-module="curve"' not in run.page()


def test_a_run_of_many_days_is_drawn_by_its_lows_and_highs(desk: TradingBench) -> None:
    run = opened(desk)
    worth(run, *(str(7 * (minute % 100)) for minute in range(4000)), None, "99999", "-99999")
    points = drawn(run.page())
    assert len(points) <= MOST_POINTS
    values = [value for _, value, _ in points]
    assert {99999.0, -99999.0, None} <= set(values)
    assert points == sorted(points, key=lambda point: point[0])
    assert len(desk.admin().get(f"/api/runs/{run.run_id}/pnl").get_json()["curve"]) == 4003


def test_scripts_read_it_with_what_it_is_worth_now(desk: TradingBench) -> None:
    """A straddle sold at 128 and 130 in two accounts."""
    run = opened(desk)
    worth(run, "650", None)
    desk.price(CE.key, "120")
    desk.price(PE.key, "133")
    told = desk.admin().get(f"/api/runs/{run.run_id}/pnl").get_json()
    assert (told["run_id"], told["state"], told["gross"], told["missing"]) == (run.run_id, "running", "650.00", [])
    assert (told["charges"], told["net"]) == (None, None)
    assert "market rules have no" in told["note"]
    assert told["curve"] == [
        {"at": MONDAY_1030.isoformat(), "known": True, "gross": "650.00", "net": "560.00"},
        {"at": (MONDAY_1030 + timedelta(minutes=1)).isoformat(), "known": False, "gross": None, "net": None},
    ]


def test_scripts_read_the_charges_by_the_rules(desk: TradingBench) -> None:
    with desk.bench.database.transaction() as session:
        for rule in DEFAULT_RULES:
            kept = {"kind": rule.kind.value, "underlying": rule.underlying, "value": rule.value}
            session.add(MarketRuleRow(valid_from=rule.valid_from, source=rule.source, **kept))
    run = opened(desk)
    desk.price(CE.key, "120")
    desk.price(PE.key, "133")
    told = desk.admin().get(f"/api/runs/{run.run_id}/pnl").get_json()
    assert Decimal(told["charges"]) > 80, "four orders at twenty rupees, and more"
    assert Decimal(told["net"]) == Decimal(650) - Decimal(told["charges"])


def test_scripts_are_told_what_is_missing_and_never_nothing(desk: TradingBench) -> None:
    run = opened(desk)
    desk.price(CE.key, "120")
    told = desk.admin().get(f"/api/runs/{run.run_id}/pnl").get_json()
    assert (told["gross"], told["unrealised"], told["net"], told["worst"]) == (None, None, None, None)
    assert told["missing"] == [PE.key.symbol]
    assert told["realised"] == "0.00"


def test_anothers_run_looks_like_none(desk: TradingBench) -> None:
    run = opened(desk)
    ravi = desk.bench.trader("ravi")
    for number in (run.run_id, 999):
        answer = ravi.get(f"/api/runs/{number}/pnl")
        assert answer.status_code == 404
        assert "650" not in answer.text
