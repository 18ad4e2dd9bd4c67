"""The margin pages: funds and what grades may use of them, the tables that sizes follow from, and who may edit them."""

import html
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.sizing import Grade
from app.persistence.tables import TradeGrade
from tests.desk_app import Bench
from tests.trading_desk import TradingBench, sent, trading_bench

ROW = {"underlying": "BANKNIFTY", "need": "ce_or_pe_sell", "day": "other_days", "amount": "230000", "source": "Broker"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def grades(bench: Bench) -> None:
    with bench.database.transaction() as session:
        session.add_all([TradeGrade(grade="B", percent=Decimal(65)), TradeGrade(grade="C", percent=Decimal(36))])


def test_the_dashboard_shows_what_each_account_has_and_may_use(desk: TradingBench) -> None:
    desk.accounts(2)
    grades(desk.bench)
    text = text_of(desk.admin().get("/margin/").text)
    assert "Simulator 1" in text
    assert "no percentage is set" in text, "a grade that is not there is not 0"
    assert "65 % of what is free" in text


def test_a_grade_is_set_by_an_admin_and_its_history_is_shown(desk: TradingBench) -> None:
    browser = desk.admin()
    assert sent(browser, "/margin/grades", {"grade": "B", "percent": "65"}).status_code == 303
    assert sent(browser, "/margin/grades", {"grade": "B", "percent": "60"}).status_code == 303
    text = text_of(browser.get("/margin/grades").text)
    assert "Grade B 65 % 60 %" in text
    assert desk.desk.margin_settings.grades() == {Grade.B: 60}
    for form in ({"grade": "B", "percent": "0"}, {"grade": "B", "percent": "1e2"}, {"grade": "Z", "percent": "5"}):
        answer = sent(browser, "/margin/grades", form)
        assert answer.status_code == 422
        assert 'class="field-error"' in answer.text
    assert desk.desk.margin_settings.grades() == {Grade.B: 60}


def test_requirements_are_set_shown_filled_in_and_removed(desk: TradingBench) -> None:
    browser = desk.admin()
    assert sent(browser, "/margin/requirements", ROW).status_code == 303
    page = browser.get("/margin/requirements?underlying=BANKNIFTY&need=ce_or_pe_sell&day=other_days").text
    assert "₹2,30,000.00" in page
    assert 'value="230000"' in page
    wrong = sent(browser, "/margin/requirements", ROW | {"amount": "two lakh"})
    assert wrong.status_code == 422
    assert "Type rupees for one lot" in text_of(wrong.text)
    place = {name: ROW[name] for name in ("underlying", "need", "day")}
    assert sent(browser, "/margin/requirements/remove", place).status_code == 303
    assert desk.desk.margin_settings.requirements() == ()
    assert "removed" in text_of(browser.get("/margin/requirements").text)


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/margin/grades", {"grade": "B", "percent": "99"}),
        ("/margin/requirements", ROW),
        ("/margin/requirements/remove", ROW),
    ],
)
def test_only_admins_change_the_tables(desk: TradingBench, address: str, form: dict[str, str]) -> None:
    trader = desk.bench.trader()
    assert sent(trader, address, form).status_code == 403
    assert trader.get("/margin/grades").status_code == 200
    assert '<form method="post" action="/margin' not in trader.get("/margin/requirements").text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("legs=SELL+CE&expiry=current_week&underlying=NIFTY&profile=balanced", "Line 1 is not a leg"),
        ("legs=&expiry=current_week&underlying=NIFTY&profile=balanced", "Type 1 to"),
        ("legs=SELL+CE+ATM&underlying=NIFTYX&profile=balanced", "not an index"),
        ("legs=SELL+CE+ATM&underlying=NIFTY&expiry=tomorrow&profile=balanced", "Choose an expiry"),
        ("legs=SELL+CE+ATM&profile=wild", "Choose how to size"),
        ("strategy=99&profile=balanced", "no such strategy"),
        ("strategy=x&profile=balanced", "Choose a strategy"),
        ("legs=SELL+CE+ATM&profile=balanced&max_structures=0", "whole number"),
    ],
)
def test_what_the_calculator_cannot_take_is_named(desk: TradingBench, query: str, words: str) -> None:
    desk.accounts(1)
    answer = desk.admin().get(f"/margin/calculator?{query}")
    assert answer.status_code == 422
    assert words in text_of(answer.text)


def test_charges_of_a_preview_are_unknown_until_every_rate_is_there(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(2), desk.admin()
    page = f"/strategies/previews/{desk.preview(desk.strategy(accounts=accounts))}"
    assert "Charges are unknown: The market rules have no fee_nfo_option" in text_of(browser.get(page).text)
    for kind, value in (
        ("brokerage", "20"), ("stt_option", "0.15"), ("fee_nfo_option", "0.03553"), ("sebi_fee", "0.0001"),
        ("stamp_option", "0.003"), ("gst", "18"),
    ):  # fmt: skip
        rule = {"kind": kind, "underlying": "", "value": value, "valid_from": "2026-01-01", "source": "a note"}
        assert sent(browser, "/margin/rules", rule).status_code == 303
    # in each of two accounts 4 orders of 20 rupees, 24 of tax on 2 sales of 65 at 125.60, 11.60 of fees, 16.49 of GST
    assert "Charges about ₹264." in text_of(browser.get(page).text)
    listed = text_of(browser.get("/margin/rules").text)
    assert "GST on brokerage and fees all 18 % 01 Jan 2026 holds" in listed
    assert "Not known: Most units in one order" in listed
