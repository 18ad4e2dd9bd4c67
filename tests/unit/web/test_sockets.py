"""Live pages: only with a login, only into rooms of one's own."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from engineio.socket import Socket as EngineSocket  # type: ignore[import-untyped]

from app.domain.errors import Unavailable
from app.persistence.tables import Preview, Run, Strategy
from app.web.extensions import socketio
from app.web.sockets import MOST_WAITING, _takes_what_comes, disconnect_user, watched_rooms
from tests.desk_app import Bench, Browser, bench

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        chains: Any = made.desk.chains
        chains.listed["NIFTY"] = [date(2026, 12, 1)]
        yield made


def connect(desk: Bench, browser: Browser) -> Any:
    return socketio.test_client(desk.app, flask_test_client=browser.client)


def run_of(desk: Bench, user_id: int) -> int:
    with desk.database.transaction() as session:
        strategy = Strategy(owner_id=user_id, name="S", structures=1, created_at=NOW, changed_at=NOW)
        session.add(strategy)
        session.flush()
        preview = Preview(strategy_id=strategy.id, user_id=user_id, made_at=NOW, expires_at=NOW, digest="d", plan="{}")
        session.add(preview)
        session.flush()
        run = Run(strategy_id=strategy.id, preview_id=preview.id, user_id=user_id, name="S", mode="analyze",
                  state="OPEN", requested_at=NOW)  # fmt: skip
        session.add(run)
        session.flush()
        return run.id


def test_nobody_connects_without_a_login(desk: Bench) -> None:
    desk.admin()
    assert not connect(desk, desk.client()).is_connected()
    assert connect(desk, desk.admin()).is_connected()


def test_a_page_hears_what_it_watches_and_nothing_else(desk: Bench) -> None:
    socket = connect(desk, desk.admin())
    assert socket.emit("watch", {"topic": "chain:NIFTY:2026-12-01"}, callback=True) == {"ok": True}
    chains: Any = desk.desk.chains
    assert chains.looked == [("NIFTY", date(2026, 12, 1))]
    assert "chain:NIFTY:2026-12-01" in watched_rooms()
    for room in ("chain:NIFTY:2026-12-01", "desk", "run:1", "chain:BANKNIFTY:2026-12-01", "user:999"):
        socketio.emit("patch", {"topic": room}, to=room)
    assert [message["args"][0]["topic"] for message in socket.get_received()] == ["chain:NIFTY:2026-12-01", "desk"]


def test_greeks_have_a_room_of_their_own_that_can_be_left(desk: Bench) -> None:
    socket = connect(desk, desk.admin())
    topic = "chain:NIFTY:2026-12-01:greeks"
    assert socket.emit("watch", {"topic": topic}, callback=True) == {"ok": True}
    assert topic in watched_rooms()
    for message in (None, {"topic": 7}, {"topic": "never entered"}):
        socket.emit("unwatch", message)
    assert topic in watched_rooms()
    socket.emit("unwatch", {"topic": topic})
    assert topic not in watched_rooms()


def test_row_52_who_does_not_take_what_comes_is_no_live_page_any_more(desk: Bench) -> None:
    """`open_pages` hangs up on them, so no more than that waits for anybody."""
    server: Any = socketio.server  # type: ignore[attr-defined]
    held = server.eio.sockets["slow"] = EngineSocket(server.eio, "slow")
    for number in range(MOST_WAITING):
        held.queue.put(number)
    assert _takes_what_comes(server, "slow")
    held.queue.put("one more")
    assert not _takes_what_comes(server, "slow")
    assert not _takes_what_comes(server, "gone")


@pytest.mark.parametrize(
    "topic",
    [None, 7, "", "user:1", "run:1", "run:99999999999", "run:x", "chain:NIFTY:2026-13-01", "chain:NIFTY:2027-01-05",
     "chain:GOLD:2026-12-01", "chain:nifty:2026-12-01", "chain:NIFTY:2026-12-01 ", "x" * 10_000, ["desk"], {"a": 1}],
)  # fmt: skip
def test_a_topic_that_is_not_ones_own_is_refused(desk: Bench, topic: object) -> None:
    socket = connect(desk, desk.admin())
    before = watched_rooms()
    answer = socket.emit("watch", {"topic": topic}, callback=True)
    assert answer["ok"] is False
    assert answer["detail"]
    assert watched_rooms() == before
    for message in ("desk", None, ["topic"], 7):
        assert socket.emit("watch", message, callback=True)["ok"] is False


def test_what_nobody_can_say_just_now_is_refused_with_the_reason(desk: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(*_: object) -> list[date]:
        raise Unavailable("The contract list is not there yet.")

    monkeypatch.setattr(type(desk.desk.chains), "expiries", unread)
    answer = connect(desk, desk.admin()).emit("watch", {"topic": "chain:NIFTY:2026-12-01"}, callback=True)
    assert answer == {"ok": False, "detail": "The contract list is not there yet."}


def test_runs_are_watched_by_their_owner_and_admins(desk: Bench) -> None:
    trader = desk.trader("ravi")
    other = desk.trader("mira")
    run_id = run_of(desk, desk.somebody("ravi").id)
    topic = {"topic": f"run:{run_id}"}
    assert connect(desk, trader).emit("watch", topic, callback=True) == {"ok": True}
    assert connect(desk, desk.admin()).emit("watch", topic, callback=True) == {"ok": True}
    assert connect(desk, other).emit("watch", topic, callback=True)["ok"] is False


def test_a_login_that_ended_ends_the_connection_at_the_next_word(desk: Bench) -> None:
    socket = connect(desk, desk.admin())
    desk.desk.people.reset_password("asha", "four loud elephants")
    answer = socket.emit("watch", {"topic": "desk"}, callback=True)
    assert answer["ok"] is False
    assert not socket.is_connected()


def test_signing_out_ends_the_users_connections(desk: Bench) -> None:
    browser = desk.admin()
    mine, other = connect(desk, browser), connect(desk, desk.trader())
    disconnect_user(desk.somebody("asha").id)
    assert not mine.is_connected()
    assert other.is_connected()
