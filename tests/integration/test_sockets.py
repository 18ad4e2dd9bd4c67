"""Live connections over a real server: who is let in, what they may hear, and when they are cut."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from socketio.exceptions import ConnectionError as Refused

from tests.desk_people import add_person
from tests.desk_process import DeskProcess, desk_process
from tests.desk_visitor import Visitor, within
from tests.simulator_process import SimulatorProcess

SOON_S = 10.0


@pytest.fixture(scope="module")
def desk(simulator_process: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    simulator_process.reset()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder: Path = tmp_path_factory.mktemp("sockets")
    with desk_process(simulator_process, folder, port, "gunicorn") as started:
        Visitor(started.url).register(started.token, "asha")
        add_person(f"sqlite:///{folder / 'desk.sqlite3'}", "mira", "trader")
        yield started


@pytest.fixture(scope="module")
def asha(desk: DeskProcess) -> Visitor:
    visitor = Visitor(desk.url)
    visitor.sign_in("asha")
    return visitor


def test_nobody_is_let_in_without_a_login(desk: DeskProcess, asha: Visitor) -> None:
    for cookie in ("", "desk=forged", asha.cookie[:-4] + "AAAA"):
        visitor = Visitor(desk.url)
        visitor.cookie = cookie
        with pytest.raises(Refused):
            visitor.connected()


def test_row_53_strangers_hold_no_threads(desk: DeskProcess, asha: Visitor) -> None:
    """A handshake without a login ends as a request does: more of them than there are threads stop nobody."""
    stranger = Visitor(desk.url)
    key = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    for _ in range(160):
        assert stranger.get("/socket.io/?EIO=4&transport=websocket", **key).status == 401
    assert asha.get("/healthz").status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1.evil.example", "http://127.0.0.1"]
)
def test_another_sites_page_is_not_let_in(asha: Visitor, origin: str) -> None:
    with pytest.raises(Refused):
        asha.connected(origin)


def test_the_desks_own_page_is_let_in_and_hears_of_the_desk(asha: Visitor) -> None:
    client = asha.connected()
    heard: list[object] = []
    client.on("patch", heard.append)
    within(SOON_S, lambda: heard, "the clock ticks")
    client.disconnect()


def test_another_users_run_cannot_be_watched(desk: DeskProcess, asha: Visitor) -> None:
    asha.add_simulator()
    run = asha.send_straddle()
    number = run.rsplit("/", 1)[1]
    mira = Visitor(desk.url)
    mira.sign_in("mira")
    assert mira.get(run).status == 404
    topic = {"topic": f"run:{number}"}
    for visitor, let_in in ((asha, True), (mira, False)):
        client = visitor.connected()
        answer = client.call("watch", topic, timeout=5)
        assert answer["ok"] is let_in
        for other in ("user:1", "run:0", "run:-1", "*", "chain:NIFTY:x"):
            assert client.call("watch", {"topic": other}, timeout=5)["ok"] is False
        client.disconnect()


def test_signing_out_cuts_ones_connections_and_no_others(desk: DeskProcess, asha: Visitor) -> None:
    mira = Visitor(desk.url)
    mira.sign_in("mira")
    hers, his = mira.connected(), asha.connected()
    mira.sign_out()
    within(SOON_S, lambda: not hers.connected, "the connection is cut")
    assert his.connected
    his.disconnect()
