"""The first user, signing in and out, and the gate in front of everything."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.errors import Conflict
from app.persistence.tables import ActivityLog, User
from tests.desk_app import PASSWORD, TOKEN, Bench, bench

SETUP = {"setup_token": TOKEN, "username": "Asha", "password": PASSWORD, "password_again": PASSWORD}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


def users(desk: Bench) -> list[tuple[str, str]]:
    with desk.database.reading() as session:
        return [(user.username, user.role) for user in session.scalars(select(User))]


def test_the_first_visit_leads_to_the_setup(desk: Bench) -> None:
    browser = desk.client()
    for path in ("/", "/accounts/", "/auth/login", "/trading/orders"):
        answer = browser.get(path)
        assert (answer.status_code, answer.location) == (303, "/auth/setup"), path
    assert "Setup token" in browser.get("/auth/setup").text


def test_the_setup_token_makes_the_first_user_an_admin_and_signs_in(desk: Bench) -> None:
    browser = desk.client()
    answer = browser.post("/auth/setup", SETUP, page="/auth/setup")
    assert (answer.status_code, answer.location) == (303, "/")
    assert users(desk) == [("asha", "admin")]
    assert "Desk" in browser.get("/").text
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    with desk.database.reading() as session:
        stored = session.scalars(select(User.password_hash)).one()
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"setup_token": "guess"}, "not the setup token"),
        ({"setup_token": ""}, "Copy the setup token"),
        ({"username": "a b"}, "3 to 40 letters"),
        ({"username": "<b>"}, "3 to 40 letters"),
        ({"username": "\u202eahsa"}, "cannot be seen"),
        ({"username": ""}, "Choose a username"),
        ({"password": "short", "password_again": "short"}, "at least 12"),
        ({"password": "password1234", "password_again": "password1234"}, "list of leaked"),
        (
            {"username": "ashaasha1234", "password": "ashaasha1234", "password_again": "ashaasha1234"},
            "not be the username",
        ),
        ({"password_again": "three quiet zebras"}, "differ"),
        ({"password": "x" * 300, "password_again": "x" * 300}, "1 to 256"),
    ],
)
def test_a_wrong_setup_says_which_field_and_makes_nobody(desk: Bench, changes: dict[str, str], told: str) -> None:
    answer = desk.client().post("/auth/setup", SETUP | changes, page="/auth/setup")
    assert answer.status_code == 422
    assert told in answer.text
    assert users(desk) == []
    for secret in (TOKEN, PASSWORD):
        assert secret not in answer.text


def test_nobody_registers_after_the_first(desk: Bench) -> None:
    desk.admin()
    browser = desk.client()
    assert browser.get("/auth/setup").location == "/auth/login"
    answer = browser.post("/auth/setup", SETUP | {"username": "mallory"}, page="/auth/login")
    assert answer.location == "/auth/login"
    assert users(desk) == [("asha", "admin")]
    assert desk.desk.people.setup_token() is None


def test_two_who_register_at_once_make_one_user(database_url: str, tmp_path: Path) -> None:
    with bench(tmp_path, database_url) as desk:
        ready = threading.Barrier(6)
        refused: list[Conflict] = []

        def register(name: str) -> None:
            ready.wait()
            try:
                desk.desk.people.register_first(TOKEN, name, PASSWORD)
            except Conflict as late:
                refused.append(late)

        threads = [threading.Thread(target=register, args=(f"user{n}",)) for n in range(6)]  # noqa: TID251 - a race needs threads
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert len(users(desk)) == 1
        assert len(refused) == 5


def test_signing_in_goes_on_to_the_wanted_page_of_this_site_only(desk: Bench) -> None:
    desk.admin()
    wanted = desk.client().get("/accounts/?x=1")
    assert wanted.location == "/auth/login?next=/accounts/?x%3D1"
    for target, reached in (
        ("/accounts/?x=1", "/accounts/?x=1"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("\t//evil.example", "/"),
    ):
        form = {"username": "asha", "password": PASSWORD, "next": target}
        answer = desk.client().post("/auth/login", form, page="/auth/login")
        assert answer.location == reached, target


def test_a_wrong_password_and_an_unknown_user_are_told_the_same(desk: Bench) -> None:
    desk.admin()
    wrong = desk.client().sign_in("asha", "three quiet zebras")
    unknown = desk.client().sign_in("nobody", "three quiet zebras")
    assert wrong.status_code == unknown.status_code == 422
    assert "do not match" in wrong.text
    assert wrong.text.count("do not match") == unknown.text.count("do not match")
    with desk.database.reading() as session:
        failed = [(row.actor, row.sentence) for row in session.scalars(select(ActivityLog)) if "failed" in row.action]
    assert failed == [("asha", "A sign-in failed."), ("unknown user", "A sign-in failed.")]


def test_wrong_passwords_make_the_next_try_wait_longer_and_longer(desk: Bench) -> None:
    desk.admin()
    browser = desk.client()
    for wait_s in (1, 2, 4, 8):
        assert browser.sign_in("asha", "three quiet zebras").status_code == 422
        early = browser.sign_in("asha")
        assert early.status_code == 429
        assert 1 <= int(early.headers["Retry-After"]) <= wait_s + 1
        assert "Too many wrong passwords" in early.text
        desk.clock.advance(wait_s + 0.1)
    assert browser.sign_in("asha").status_code == 303
    assert desk.client().sign_in("asha", "three quiet zebras").status_code == 422


def test_signing_out_is_a_post_and_ends_the_session(desk: Bench) -> None:
    browser = desk.admin()
    assert browser.get("/auth/logout").status_code == 405
    assert browser.get("/").status_code == 200
    assert browser.post("/auth/logout", page="/").location == "/auth/login"
    assert browser.get("/").location == "/auth/login?next=/"


def test_a_new_password_ends_the_sessions_of_the_old_one(desk: Bench) -> None:
    browser = desk.admin()
    answer = desk.app.test_cli_runner().invoke(
        args=["desk", "reset-password", "asha"], input="four loud elephants\nfour loud elephants\n"
    )
    assert answer.exit_code == 0, answer.output
    assert browser.get("/").location == "/auth/login?next=/"
    assert desk.client().sign_in("asha", "four loud elephants").status_code == 303


def test_a_session_ends_after_twelve_hours(desk: Bench) -> None:
    browser = desk.admin()
    desk.clock.advance(12 * 3600 - 5)
    assert browser.get("/").status_code == 200
    desk.clock.advance(10)
    assert browser.get("/").status_code == 303


def test_signing_in_gives_a_new_session(desk: Bench) -> None:
    """What an attacker planted before is gone: the token of the old session is worth nothing in the new one."""
    desk.admin()
    browser = desk.client()
    planted = browser.token("/auth/login")
    browser.sign_in("asha")
    assert browser.client.post("/auth/logout", data={"csrf_token": planted}).status_code == 400
    assert browser.get("/").status_code == 200


def test_the_token_is_shown_on_the_command_line_while_there_is_nobody(desk: Bench) -> None:
    runner = desk.app.test_cli_runner()
    assert runner.invoke(args=["desk", "setup-token"]).output == f"{TOKEN}\n"
    answer = runner.invoke(args=["desk", "create-user", "ravi", "--role", "viewer"], input=f"{PASSWORD}\n{PASSWORD}\n")
    assert "Added viewer ravi." in answer.output
    assert runner.invoke(args=["desk", "setup-token"]).output == ""
    short = runner.invoke(args=["desk", "create-user", "mira"], input="short\nshort\n")
    assert short.exit_code == 1
    assert "at least 12" in short.output


def test_scripts_and_fragments_are_told_in_their_own_way(desk: Bench) -> None:
    desk.admin()
    stranger = desk.client()
    api = stranger.get("/api/session")
    assert (api.status_code, api.mimetype) == (401, "application/problem+json")
    fragment = stranger.get("/live", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (401, "/auth/login")
    assert desk.admin().get("/api/session").json == {"username": "asha", "role": "admin"}
    missing = desk.admin().get("/api/nothing")
    assert (missing.status_code, missing.mimetype) == (404, "application/problem+json")
