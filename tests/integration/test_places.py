"""The box that finds a page, run, strategy or account by words: what it offers, and to whom."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run_maker import opened
from tests.trading_desk import TradingBench, trading_bench

PLACE = re.compile(r'href="([^"]+)"[^>]*><span>([^<]+)</span> <span class="label">([^<]+)<')


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def test_it_offers_what_is_there_and_every_address_answers(desk: TradingBench) -> None:
    run = opened(desk)
    browser = desk.admin()
    places = PLACE.findall(browser.get("/places").text)
    assert places[0] == (f"/trading/runs/{run.run_id}", f"Straddle, run {run.run_id}", "running")
    found = {(label, kind) for _, label, kind in places}
    assert {("Straddle", "strategy"), ("NIFTY", "chain"), ("Kill switch", "page"), ("Market data", "page")} <= found
    assert sum(kind == "account" for _, _, kind in places) == 2
    urls = [url for url, label, _ in places if label != "Market data"]  # there is no feed here
    assert {url: browser.get(url).status_code for url in urls} == dict.fromkeys(urls, 200)
    run.state("CLOSED")
    assert not [kind for _, _, kind in PLACE.findall(browser.get("/places").text) if kind == "running"]


def test_somebody_else_finds_nothing_of_it(desk: TradingBench) -> None:
    opened(desk)
    browser = desk.bench.trader()
    kinds = {kind for _, _, kind in PLACE.findall(browser.get("/places").text)}
    assert kinds == {"page", "chain"}
    assert "Market data" not in browser.get("/places").text
