"""A preview through its page: what is shown is what is sent, once, by its owner, and not after it has expired."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.domain.errors import Denied
from app.domain.money import Units
from app.domain.plan import Mode, PlannedLeg, PlannedOrder
from app.persistence.tables import CommandRow, Preview, Run
from tests.trading_desk import CE, TradingBench, account_plan, sent, trading_bench

KEY = "0123456789abcdef"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def text_of(answer: TestResponse) -> str:
    """The page as read: without tags, with single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def send_form(page: str) -> dict[str, str]:
    """The hidden fields of the Send form."""
    form = re.search(r'<form class="send-bar".*?</form>', page, re.DOTALL)
    assert form
    names = ("preview_id", "digest", "idempotency_key")
    return {name: re.findall(rf'name="{name}" value="([^"]+)"', form[0])[0] for name in names}


def can_send(page: str) -> bool:
    button = re.search(r'<button class="button button-large button-(?:live|primary)"[^>]*>', page)
    assert button
    return "disabled" not in button[0]


def runs(desk: TradingBench) -> list[Run]:
    with desk.bench.database.reading() as session:
        return list(session.scalars(select(Run).order_by(Run.id)))


def commands(desk: TradingBench) -> list[str]:
    with desk.bench.database.reading() as session:
        return [row.kind for row in session.scalars(select(CommandRow).order_by(CommandRow.id))]


def test_it_shows_what_would_be_sent_to_whom_and_why(desk: TradingBench) -> None:
    first, second = desk.accounts(2)
    strategy = desk.strategy(accounts=[first, second])
    two_slices = PlannedLeg(
        1,
        account_plan(1, "x", lots=40).legs[0].lots,
        Units(2600),
        tuple(
            PlannedOrder(1, number, Units(units), Decimal("125.60"), Decimal("123.10"))
            for number, units in ((1, 1755), (2, 845))
        ),
    )
    big = replace(account_plan(first, "Simulator 1", lots=40), legs=(two_slices,), funds_free=Decimal(8_000_000))
    desk.previews.planned = (big, account_plan(second, "Simulator 2", skipped="Needs a margin of ₹5 and has ₹4 free."))
    desk.price(CE.key, "128.20")
    answer = desk.admin().get(f"/strategies/previews/{desk.preview(strategy)}")
    text = text_of(answer)

    assert "2 slices: 1,755 + 845" in text
    assert "40 lots (2,600)" in text
    assert "26,200 CE" in text
    assert "128.20" in text
    assert "125.60" in text
    assert "123.10" in text
    assert "Margin from the broker" in text
    assert "Needs a margin of ₹5 and has ₹4 free." in text
    assert "72.00 L" in text, "40 structures at 1.8 lakh"
    assert "8.00 L" in text, "what is free after it"
    assert "1 account, 2 orders, 2,600 units" in text
    assert "60 s left" in text
    assert "Send SIM, 2 orders" in text
    assert can_send(answer.text)


def test_a_margin_nobody_gave_is_not_zero(desk: TradingBench) -> None:
    accounts = desk.accounts(2)
    strategy = desk.strategy(accounts=accounts)
    known, _ = desk.previews.planned
    desk.previews.planned = (known, account_plan(accounts[1], "Simulator 2", margin_needed=None))
    text = text_of(desk.admin().get(f"/strategies/previews/{desk.preview(strategy)}"))
    assert "margin not known for every account" in text


@pytest.mark.parametrize(
    ("broker", "mode", "badge"),
    [("simulator", Mode.LIVE, "SIM"), ("zerodha", Mode.LIVE, "LIVE"), ("zerodha", Mode.PAPER, "PAPER")],
)
def test_the_mode_is_the_weightiest_of_those_that_take_part(
    desk: TradingBench, broker: str, mode: Mode, badge: str
) -> None:
    simulated = desk.accounts(1)[0]
    other, _ = desk.bench.account("Other", 5050, broker=broker, mode=mode)
    strategy = desk.strategy(accounts=[simulated, other])
    desk.previews.planned = (account_plan(simulated, "Simulator 1"), account_plan(other, "Other", mode=mode))
    assert f"Send {badge}," in text_of(desk.admin().get(f"/strategies/previews/{desk.preview(strategy)}"))


def test_sending_makes_one_run_however_often_it_is_pressed(desk: TradingBench) -> None:
    preview = desk.preview(desk.strategy())
    browser = desk.admin()
    page = f"/strategies/previews/{preview}"
    form = send_form(browser.get(page).text)
    assert form["digest"] == desk.previews.one(preview, 1).digest

    first = sent(browser, "/trading/runs", form)
    second = sent(browser, "/trading/runs", form)
    later = sent(browser, "/trading/runs", send_form(browser.get(page).text))
    assert [(one.status_code, one.location) for one in (first, second, later)] == [(303, "/trading/runs/1")] * 3
    assert [run.state for run in runs(desk)] == ["REQUESTED"]
    assert commands(desk) == ["START"]
    assert desk.woken

    again = browser.get(page)
    assert "This preview was sent." in again.text
    assert "/trading/runs/1" in again.text
    assert not can_send(again.text)


def test_an_expired_preview_is_not_sent(desk: TradingBench) -> None:
    preview = desk.preview(desk.strategy())
    browser = desk.admin()
    form = send_form(browser.get(f"/strategies/previews/{preview}").text)
    desk.clock.advance(61)
    answer = sent(browser, "/trading/runs", form)
    assert (answer.status_code, answer.location) == (303, f"/strategies/previews/{preview}")
    page = browser.get(answer.location)
    assert "Nothing was sent." in page.text
    assert "Make a new one" in page.text
    assert not can_send(page.text)
    assert f'action="/strategies/{1}/preview"' in page.text
    assert runs(desk) == []


def test_a_preview_whose_accounts_are_all_skipped_sends_nothing(desk: TradingBench) -> None:
    accounts = desk.accounts(1)
    strategy = desk.strategy(accounts=accounts)
    desk.previews.planned = (account_plan(accounts[0], "Simulator 1", skipped="Paused."),)
    preview = desk.preview(strategy)
    browser = desk.admin()
    page = browser.get(f"/strategies/previews/{preview}").text
    assert "Nothing can be sent." in page
    assert not can_send(page)
    assert sent(browser, "/trading/runs", send_form(page)).status_code == 303
    assert "Every account of this preview is skipped." in browser.get(f"/strategies/previews/{preview}").text
    assert runs(desk) == []


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"preview_id": ""}, 422, "The preview is not named"),
        ({"preview_id": None}, 422, "The preview is not named"),
        ({"preview_id": "x"}, 422, "preview_id must be a whole number"),
        ({"preview_id": "-1"}, 422, "preview_id must be a whole number"),
        ({"preview_id": "1e3"}, 422, "preview_id must be a whole number"),
        ({"preview_id": "9" * 40}, 422, "preview_id must be a whole number"),
        ({"preview_id": "77"}, 404, "There is no such preview"),
        ({"preview_id": ["1", "1"]}, 422, "preview_id was sent more than once"),
        ({"digest": ""}, 422, "digest must be"),
        ({"digest": None}, 422, "digest must be"),
        ({"digest": "zz"}, 422, "digest must be"),
        ({"digest": "a" * 100_000}, 422, "digest must be"),
        ({"idempotency_key": None}, 422, "no valid key"),
        ({"idempotency_key": "short"}, 422, "no valid key"),
        ({"idempotency_key": "x" * 65}, 422, "no valid key"),
        ({"idempotency_key": "'; DROP TABLE runs"}, 422, "no valid key"),
        ({"units": "65000"}, 422, "no field units"),
    ],
)
def test_wrong_input_is_named_and_sends_nothing(
    desk: TradingBench, changes: dict[str, str | list[str] | None], code: int, says: str
) -> None:
    preview = desk.preview(desk.strategy())
    form = {"preview_id": str(preview), "digest": desk.previews.one(preview, 1).digest, "idempotency_key": KEY}
    merged = {name: value for name, value in {**form, **changes}.items() if value is not None}
    answer = sent(desk.admin(), "/trading/runs", merged)
    assert answer.status_code == code
    assert says in html.unescape(answer.text)
    assert runs(desk) == []
    assert commands(desk) == []


def test_a_page_that_shows_something_else_than_what_is_stored(desk: TradingBench) -> None:
    preview = desk.preview(desk.strategy())
    browser = desk.admin()
    form = {"preview_id": str(preview), "digest": "0" * 64, "idempotency_key": KEY}
    assert sent(browser, "/trading/runs", form).location == f"/strategies/previews/{preview}"
    assert "not the stored one" in browser.get(f"/strategies/previews/{preview}").text
    assert runs(desk) == []


def test_a_stored_preview_that_was_tampered_with_is_not_used(desk: TradingBench) -> None:
    preview = desk.preview(desk.strategy())
    form = {"preview_id": str(preview), "digest": desk.previews.one(preview, 1).digest, "idempotency_key": KEY}
    with desk.bench.database.transaction() as session:
        row = session.get_one(Preview, preview)
        row.plan = row.plan.replace('"units":65', '"units":650')
    browser = desk.admin()
    shown = browser.get(sent(browser, "/trading/runs", form).location)
    assert shown.status_code == 409
    assert "does not match its hash and is not used" in shown.text
    assert runs(desk) == []


def test_anothers_preview_is_not_there(desk: TradingBench) -> None:
    preview = desk.preview(desk.strategy())
    form = {"preview_id": str(preview), "digest": desk.previews.one(preview, 1).digest, "idempotency_key": KEY}
    ravi = desk.bench.trader()
    assert ravi.get(f"/strategies/previews/{preview}").status_code == 404
    assert sent(ravi, "/trading/runs", form).status_code == 404
    assert runs(desk) == []


def test_without_the_pages_token_nothing_is_sent(desk: TradingBench) -> None:
    preview = desk.preview(desk.strategy())
    form = {"preview_id": str(preview), "digest": desk.previews.one(preview, 1).digest, "idempotency_key": KEY}
    assert desk.admin().client.post("/trading/runs", data=form).status_code == 400
    assert runs(desk) == []


def test_a_preview_that_cannot_be_made_says_why(desk: TradingBench) -> None:
    strategy = desk.strategy()
    desk.previews.refuses = Denied("X", "The freeze limit of NIFTY is unknown.")
    browser = desk.admin()
    answer = sent(browser, f"/strategies/{strategy}/preview", {})
    assert (answer.status_code, answer.location) == (303, f"/strategies/{strategy}/edit")
    assert "The freeze limit of NIFTY is unknown." in browser.get(answer.location).text
