"""Secrets are seen nowhere: not on a page, in a header, in the log, in the activity log or in an error."""

import http.server
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest
import urllib3
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, text

from app.persistence.database import Table
from tests.architecture.routes import rules_of
from tests.desk_process import DeskProcess, desk_process
from tests.desk_visitor import PASSWORD, Visitor, within
from tests.simulator_process import SimulatorProcess
from tests.whole_app import whole_app

TYPED_KEY = "canary-key-5d41402abc4b2a76b9719d911017c592"
WRONG_TOKEN = "canary-token-7d793037a0760186574b0282f2f435e7"
WRONG_PASSWORD = "canary-password-9e107d9d372bb6826bd81d3542a419d6"
ENCRYPTION_KEY = Fernet.generate_key().decode()
SESSION_SECRET = "a-secret-of-a-test-that-guards-nothing"
SOON_S = 30.0


class _Echo(http.server.BaseHTTPRequestHandler):
    """A gateway that answers with what it was sent, as a careless one may."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self.asked.append(sent)
        key = json.loads(sent)["apikey"]
        words = {"status": "error", "message": f"Denied {key}: {sent} at http://gateway/api?apikey={key}", "data": key}
        body = json.dumps(words).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Says nothing: the test's output is for the test."""


@dataclass
class Ears(Visitor):
    """A visitor who remembers everything that was answered."""

    url: str
    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.url)

    def _ask(self, method: str, path: str, **more: object) -> urllib3.BaseHTTPResponse:
        answer = super()._ask(method, path, **more)  # type: ignore[arg-type]
        self.heard.append(f"{method} {path} {answer.status}\n{dict(answer.headers)}\n{answer.data.decode()}")
        return answer


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)  # noqa: TID251 - a server beside the product
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("canaries")


@pytest.fixture(scope="module")
def desk(simulator_process: SimulatorProcess, folder: Path) -> Iterator[DeskProcess]:
    simulator_process.reset()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    keys = f"test:{ENCRYPTION_KEY}"
    with desk_process(simulator_process, folder, port, "gunicorn", encryption_keys=keys) as started:
        yield started


def test_no_secret_is_seen_anywhere(
    desk: DeskProcess, simulator_process: SimulatorProcess, gateway: str, folder: Path
) -> None:
    ears = Ears(desk.url)
    _fail_to_set_up(ears)
    ears.register(desk.token, "asha")
    ears.add_simulator()
    _offer_keys(ears, gateway)
    run = ears.send_straddle()
    within(SOON_S, lambda: "1 / 1" in ears.get(f"{run}/live").data.decode(), "the straddle is filled")
    _look_everywhere(ears, folder)
    ears.sign_out()
    ears.sign_in("asha", WRONG_PASSWORD)

    canaries = [
        TYPED_KEY,
        WRONG_TOKEN,
        WRONG_PASSWORD,
        PASSWORD,
        ENCRYPTION_KEY,
        SESSION_SECRET,
        desk.token,
        *(account.api_key for account in simulator_process.accounts),
    ]
    assert any(TYPED_KEY in sent for sent in _Echo.asked), "the key was really sent"
    places = {"page": "\n".join(ears.heard), "log": desk.log.read_text(), "database": _stored(folder)}
    assert len(ears.heard) > 40
    found = [f"{canary} in the {place}" for place, words in places.items() for canary in canaries if canary in words]
    assert not found


def _fail_to_set_up(ears: Ears) -> None:
    form = {"setup_token": WRONG_TOKEN, "username": "asha", "password": PASSWORD, "password_again": WRONG_PASSWORD}
    assert ears.post("/auth/setup", form, page="/auth/setup").status == 422
    form["password_again"] = PASSWORD
    assert ears.post("/auth/setup", form, page="/auth/setup").status == 422


def _offer_keys(ears: Ears, gateway: str) -> None:
    """To a gateway that repeats it, to nothing, and in a form that is wrong elsewhere."""
    account = {"name": "Careless", "websocket_url": "ws://127.0.0.1:1", "api_key": TYPED_KEY, "notes": ""}
    for host in (gateway, "http://127.0.0.1:1", "no address"):
        answer = ears.post("/accounts/new", {**account, "host_url": host})
        assert answer.status == 422, answer.data
    for number in (1, 2):
        assert ears.post(f"/accounts/{number}/test").status == 303
        assert ears.post(f"/accounts/{number}/edit", {**account, "host_url": gateway}).status == 422


def _look_everywhere(ears: Ears, folder: Path) -> None:
    """At every address that GET answers, of things that are there and of things that are not, as people and scripts."""
    ids = dict.fromkeys(("account_id", "group_id", "strategy_id", "preview_id", "run_id"), "1") | {
        "underlying": "NIFTY"
    }
    (folder / "empty").mkdir()
    app = whole_app(folder / "empty", people=False).app
    for rule, _ in rules_of(app, {"GET"}):
        if rule.endpoint == "static":
            continue
        for number in ("1", "987"):
            values = ids if number == "1" else dict.fromkeys(ids, number)
            path = re.sub(r"<(?:[^:>]+:)?(\w+)>", _filled(values), rule.rule)
            ears.get(path)
            ears.get(path, Accept="application/json")
    ears.get("/static/../config.py")


def _filled(values: dict[str, str]) -> Callable[[re.Match[str]], str]:
    return lambda name: values[name[1]]


def _stored(folder: Path) -> str:
    """Every text of every table; what is locked is not text."""
    engine = create_engine(f"sqlite:///{folder / 'desk.sqlite3'}")
    with engine.connect() as connection:
        rows = [
            str(tuple(row))
            for table in Table.metadata.sorted_tables
            for row in connection.execute(text(f"SELECT * FROM {table.name}"))
        ]
    engine.dispose()
    return "\n".join(rows)
