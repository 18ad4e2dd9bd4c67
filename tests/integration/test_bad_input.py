"""Whatever is put into a form or an address gets a clear answer and changes nothing; hostile names stay text."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from app.domain.contracts import UNDERLYINGS
from app.ports.feed import Tick
from tests.desk_app import PASSWORD, Bench, Browser, bench

ACCOUNT = {
    "name": "Zerodha 1",
    "host_url": "http://127.0.0.1:5001",
    "websocket_url": "ws://127.0.0.1:8001",
    "api_key": "key-5001",
    "notes": "",
}

HOSTILE = [
    'O\'Brien & "Sons"',
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}",
    "'; DROP TABLE trading_accounts; --",
    "حساب التداول",
    "📈🚀 चाचा का खाता",
    "x" * 100,
    "a%0d%0aSet-Cookie: x=1",
]

PAGES = ["/", "/live", "/activity", "/accounts/", "/trading/orders", "/trading/trades", "/trading/positions",
         "/trading/holdings", "/trading/funds"]  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


@pytest.fixture
def desk_on_each(tmp_path: Path, database_url: str) -> Iterator[Bench]:
    """On SQLite, then on PostgreSQL, which is stricter about text."""
    with bench(tmp_path, database_url) as made:
        yield made


def writes_during(desk: Bench, act: Any) -> list[str]:
    """What was written while `act` ran."""
    written: list[str] = []

    def watch(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if re.match(r"\s*(INSERT|UPDATE|DELETE)", statement, re.IGNORECASE):
            written.append(statement)

    event.listen(desk.database.engine, "before_cursor_execute", watch)
    try:
        act()
    finally:
        event.remove(desk.database.engine, "before_cursor_execute", watch)
    return written


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_on_every_page(desk_on_each: Bench, name: str) -> None:
    desk = desk_on_each
    account_id, _ = desk.account(name)
    browser = desk.admin()
    for path in [*PAGES, f"/accounts/{account_id}", f"/accounts/{account_id}/edit"]:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path
        assert "<img src=x" not in answer.text, path
        assert "Set-Cookie: x=1" not in str(answer.headers), path
    assert desk.desk.accounts.active()[0].name == name
    browser.post(f"/accounts/{account_id}/pause")
    assert desk.desk.accounts.active()[0].state == "PAUSED", "its buttons work"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "evil\u202egnp"}, "name"),
        ({"host_url": ""}, "host_url"),
        ({"host_url": "5001"}, "host_url"),
        ({"websocket_url": ""}, "websocket_url"),
        ({"websocket_url": "http://127.0.0.1:8001"}, "websocket_url"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": "k" * 257}, "api_key"),
        ({"api_key": "two words"}, "api_key"),
        ({"notes": "n" * 2001}, "notes"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_called_or_changed(
    desk: Bench, changes: dict[str, str], field: str
) -> None:
    browser = desk.admin()
    token = browser.token("/accounts/new")

    def submit() -> None:
        answer = browser.client.post("/accounts/new", data=ACCOUNT | changes | {"csrf_token": token})
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text

    assert writes_during(desk, submit) == []
    assert desk.net.asked == []


@pytest.mark.parametrize("missing", ["name", "host_url", "websocket_url", "api_key"])
def test_a_missing_field_is_named(desk: Bench, missing: str) -> None:
    form = {name: value for name, value in ACCOUNT.items() if name != missing}
    answer = desk.admin().post("/accounts/new", form, page="/accounts/new")
    assert answer.status_code == 422
    assert f'id="{missing}-error"' in answer.text


def test_a_second_identical_submit_adds_nothing(desk: Bench) -> None:
    desk.account("Zerodha 1", 5001)
    answer = desk.admin().post("/accounts/new", ACCOUNT, page="/accounts/new")
    assert answer.status_code == 422
    assert len(desk.desk.accounts.active()) == 1


@pytest.mark.parametrize("account_id", ["0", "999", "99999999999999999999", "-1", "abc", "1.5", "1%27"])
def test_an_account_that_is_not_there_is_not_found(desk: Bench, account_id: str) -> None:
    browser = desk.admin()
    token = browser.token("/accounts/new")

    def try_all() -> None:
        assert browser.get(f"/accounts/{account_id}").status_code == 404
        for verb in ("edit", "test", "pause", "resume", "archive", "make_primary", "move"):
            form = ACCOUNT | {"csrf_token": token, "direction": "up"}
            assert browser.client.post(f"/accounts/{account_id}/{verb}", data=form).status_code == 404, verb

    assert writes_during(desk, try_all) == []


def test_somebody_elses_account_looks_as_if_it_were_not_there(desk: Bench) -> None:
    account_id, _ = desk.account()
    trader = desk.trader()
    mine, other = trader.get(f"/accounts/{account_id}"), trader.get("/accounts/999")
    assert (mine.status_code, other.status_code) == (404, 404)
    assert "There is no such account." in mine.text
    assert "There is no such account." in other.text


def test_a_form_without_its_token_changes_nothing(desk: Bench) -> None:
    account_id, _ = desk.account()
    browser = desk.admin()

    def submit() -> None:
        for token in ({}, {"csrf_token": "guess"}):
            answer = browser.client.post(f"/accounts/{account_id}/pause", data=token)
            assert answer.status_code == 400
            assert "Nothing was changed" in answer.text

    assert writes_during(desk, submit) == []


def test_a_form_of_another_site_is_refused_even_with_a_token(desk: Bench) -> None:
    account_id, _ = desk.account()
    browser = desk.admin()
    for site, status in (("cross-site", 403), ("same-site", 403), ("none", 303), ("same-origin", 303)):
        answer = browser.post(f"/accounts/{account_id}/pause", headers={"Sec-Fetch-Site": site})
        assert answer.status_code == status, site
        desk.desk.accounts.resume(desk.somebody("asha"), account_id)


def test_looking_at_pages_writes_nothing(desk: Bench) -> None:
    account_id, _ = desk.account()
    browser = desk.admin()
    paths = [*PAGES, "/accounts/new", f"/accounts/{account_id}", f"/accounts/{account_id}/edit", "/auth/setup",
             "/healthz", "/readyz", "/api/session"]  # fmt: skip

    def look() -> None:
        for path in paths:
            browser.get(path)

    assert writes_during(desk, look) == []


@pytest.mark.parametrize(
    "query",
    ["?page=0", "?page=-1", "?page=abc", "?page=99999999999999999999", "?page=²", "?day=yesterday", "?day=2026-13-45",
     "?q=%00", "?q=%25_%5C", "?who=%3Cscript%3E", "?action='%20OR%201=1", "?q=" + "x" * 5000],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_breaks_nothing(desk_on_each: Bench, query: str) -> None:
    answer = desk_on_each.admin().get(f"/activity{query}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text.replace('<script type="module"', "")


def test_a_filter_finds_what_was_done(desk: Bench) -> None:
    desk.account("Zerodha 1")
    browser = desk.admin()
    found = browser.get("/activity?q=added+zerodha").text
    assert "Added Zerodha 1" in found
    assert "Added Zerodha 1" not in browser.get("/activity?q=added%25zerodha").text
    assert "Added Zerodha 1" in browser.get("/activity?day=2026-11-23").text
    assert "Added Zerodha 1" not in browser.get("/activity?day=2026-11-22").text
    assert "Added Zerodha 1" not in browser.get("/activity?who=engine").text


def test_too_large_a_form_is_refused(desk: Bench) -> None:
    answer = desk.admin().post("/accounts/new", ACCOUNT | {"notes": "n" * 400_000}, page="/accounts/new")
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path"), [("put", "/accounts/new"), ("delete", "/accounts/1"), ("get", "/accounts/1/pause")]
)
def test_a_wrong_verb_is_told(desk: Bench, method: str, path: str) -> None:
    browser = desk.admin()
    answer = getattr(browser.client, method)(path, data={"csrf_token": browser.token("/accounts/")})
    assert answer.status_code == 405
    assert answer.headers["Allow"]


def test_a_login_form_with_strange_fields_is_refused(desk: Bench) -> None:
    desk.admin()
    browser: Browser = desk.client()
    forms: list[dict[str, Any]] = [
        {},
        {"username": "asha"},
        {"password": PASSWORD},
        {"username": "\x00", "password": PASSWORD},
        {"username": "a" * 1000, "password": PASSWORD},
        {"username": ["asha", "ravi"], "password": ["x", "y"]},
    ]
    for form in forms:
        assert browser.post("/auth/login", form, page="/auth/login").status_code == 422, form


def test_a_page_that_breaks_tells_nothing_of_its_inside(desk: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = desk.admin()

    def broken(_viewer: object) -> None:
        raise ValueError("secret-inside /srv/desk")

    monkeypatch.setattr(desk.desk.accounts, "shown_to", broken)
    desk.app.config["PROPAGATE_EXCEPTIONS"] = False
    for accept, kind in (("text/html", "text/html"), ("application/json", "application/problem+json")):
        answer = browser.get("/accounts/", headers={"Accept": accept})
        assert (answer.status_code, answer.mimetype) == (500, kind)
        assert "secret-inside" not in answer.text
        assert answer.headers["X-Request-Id"] in answer.text


def test_prices_of_indices_stand_on_the_page(desk: Bench) -> None:
    desk.board.put(Tick(UNDERLYINGS[0].spot, 26184.35, None, previous_close=26000.0))
    page = desk.admin().get("/").text
    assert "26,184.35" in page
    assert "+0.71%" in page
