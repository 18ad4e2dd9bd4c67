"""Headers stand on every answer: pages, refusals, errors, files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from tests.desk_app import Bench, bench


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/auth/setup", 303),
        ("/nowhere", 404),
        ("/accounts/7", 404),
        ("/auth/logout", 405),
        ("/api/session", 200),
        ("/healthz", 200),
        ("/readyz", 503),
        ("/static/build/manifest.json", 200),
        ("/static/nothing.js", 404),
    ],
)
def test_every_answer_carries_them(desk: Bench, path: str, status: int) -> None:
    answer = desk.admin().get(path)
    assert answer.status_code == status
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == policy["object-src"] == "'none'"
    assert policy["form-action"] == policy["font-src"] == "'self'"
    assert policy["script-src"].startswith("'self' 'nonce-")
    assert policy["style-src"] == policy["script-src"]
    assert policy["connect-src"] == "'self' ws://localhost"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Cache-Control"] == ("no-cache" if path.endswith("manifest.json") else "no-store")


def test_a_nonce_is_new_for_each_answer(desk: Bench) -> None:
    browser = desk.admin()
    assert len({browser.get("/").headers["Content-Security-Policy"] for _ in range(5)}) == 5


def test_files_named_by_their_content_are_kept_by_browsers(desk: Bench) -> None:
    browser = desk.admin()
    page = browser.get("/").text
    style = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = browser.get(style)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_host_that_is_not_one_gets_into_no_header(desk: Bench) -> None:
    answer = desk.client().get("/healthz", headers={"Host": "evil;script-src *"})
    assert "evil" not in str(answer.headers.get("Content-Security-Policy", ""))


def test_over_tls_the_cookie_is_bound_to_it(tmp_path: Path) -> None:
    with bench(tmp_path, secure_cookies=True) as desk:
        client = desk.client().client
        answer = client.get("/auth/setup", base_url="https://desk.example")
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-desk=")
        assert "Secure" in cookie
        assert "Domain" not in cookie
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert "wss://desk.example" in answer.headers["Content-Security-Policy"]


def test_requests_are_limited_when_limits_are_on(tmp_path: Path) -> None:
    with bench(tmp_path, rate_limits=True) as desk:
        browser = desk.client()
        codes = [browser.post("/auth/setup", {"setup_token": "x"}, page="/auth/setup").status_code for _ in range(12)]
        assert codes == [422] * 10 + [429] * 2
        last = browser.post("/auth/setup", {"setup_token": "x"}, page="/auth/setup")
        assert last.headers["Retry-After"] == "60"
        assert "asked for too often" in last.text
        assert browser.get("/auth/setup").status_code == 200, "looking is not counted with it"
        assert browser.get("/healthz").status_code == 200


def test_limits_are_counted_in_redis_where_there_is_one(tmp_path: Path, redis_url: str) -> None:
    with bench(tmp_path, rate_limits=True, redis_url=redis_url) as desk:
        browser = desk.client()
        codes = [browser.post("/auth/setup", {"setup_token": "x"}, page="/auth/setup").status_code for _ in range(11)]
        assert codes == [422] * 10 + [429]


def test_a_redis_that_is_gone_stands_in_nobodys_way(tmp_path: Path) -> None:
    with bench(tmp_path, rate_limits=True, redis_url="redis://127.0.0.1:1/0") as desk:
        assert desk.client().post("/auth/setup", {"setup_token": "x"}, page="/auth/setup").status_code == 422


def test_a_database_that_is_gone_is_told_without_anybodys_figures(desk: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = desk.admin()

    def gone(_user_id: int) -> None:
        raise OperationalError("SELECT secret", {}, ConnectionError("/srv/desk/socket"))

    monkeypatch.setattr(desk.desk.people, "person", gone)
    answer = browser.get("/accounts/")
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text
    assert "secret" not in answer.text
    assert answer.headers["Content-Security-Policy"]
