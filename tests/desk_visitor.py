"""A visitor of a running desk over the wire: signs in, fills in forms, sends a straddle."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlencode

import socketio
import urllib3

T = TypeVar("T")

PASSWORD = "three quiet elephants"
SOON_S = 30.0
ANSWER_S = 30.0


def within(seconds: float, wanted: Callable[[], T], what: str) -> T:
    """The first true answer of `wanted`. Fails naming `what` when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        answer = wanted()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        threading.Event().wait(0.05)


class Visitor:
    """One browser's worth of cookies, without a browser. For one thread."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookie = ""
        self._http = urllib3.PoolManager(timeout=ANSWER_S, retries=False)

    def get(self, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
        return self._ask("GET", path, headers=headers)

    def post(
        self, path: str, form: Mapping[str, str | list[str]] | None = None, *, page: str = "/strategies/new"
    ) -> urllib3.BaseHTTPResponse:
        """Submit with the token of `page`."""
        token = hidden(self.get(page), "csrf_token")
        fields = [("csrf_token", token)]
        for name, value in (form or {}).items():
            fields += [(name, one) for one in (value if isinstance(value, list) else [value])]
        return self._ask("POST", path, fields=fields)

    def register(self, token: str, username: str) -> None:
        form = {"setup_token": token, "username": username, "password": PASSWORD, "password_again": PASSWORD}
        assert self.post("/auth/setup", form, page="/auth/setup").status == 303

    def sign_in(self, username: str, password: str = PASSWORD) -> urllib3.BaseHTTPResponse:
        return self.post("/auth/login", {"username": username, "password": password}, page="/auth/login")

    def sign_out(self) -> None:
        assert self.post("/auth/logout").status == 303

    def add_simulator(self) -> None:
        assert self.post("/accounts/simulator").status == 303

    def send_straddle(self, name: str = "Straddle") -> str:
        """The address of the run that a straddle in every account makes, as soon as the desk can price one."""
        preview = within(SOON_S, lambda: self._previewed(name), "the desk can price a straddle")
        assert preview is not None
        page = self.get(preview)
        form = {one: hidden(page, one) for one in ("preview_id", "digest", "idempotency_key")}
        answer = self.post("/trading/runs", form)
        address = answer.headers["Location"]
        assert "/trading/runs/" in address, answer.data
        return address

    def connected(self, origin: str | None = None) -> socketio.Client:
        """A socket of this visitor; the page it comes from is the desk's own unless `origin` says another site.

        Raises socketio.exceptions.ConnectionError when the desk does not let it in.
        """
        client = socketio.Client(reconnection=False, websocket_extra_options={"origin": origin or self.url})
        client.connect(self.url, headers={"Cookie": self.cookie}, transports=["websocket"], wait_timeout=5)
        return client

    def _previewed(self, name: str) -> str | None:
        page = self.get("/strategies/new?template=straddle")
        accounts = re.findall(r'name="accounts" value="(\d+)"', page.data.decode())
        legs = {
            f"legs-{number}-{part}": value
            for number, kind in enumerate(("CE", "PE"))
            for part, value in (
                ("underlying", "NIFTY"),
                ("kind", kind),
                ("expiry", "next_week"),
                ("strike_method", "ATM"),
                ("side", "SELL"),
                ("ratio", "1"),
                ("product", "MIS"),
            )
        }
        multipliers = {f"multiplier-{account}": "1" for account in accounts}
        form: dict[str, str | list[str]] = {"name": name, "structures": "1", "accounts": accounts, "action": "save"}
        form |= legs | multipliers
        self.post("/strategies/new", form)
        found = re.search(r'action="(/strategies/\d+/preview)"', self.get("/strategies/").data.decode())
        address = self.post(found[1]).headers["Location"] if found else ""
        return address if "/previews/" in address else None

    def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        fields: list[tuple[str, str]] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        sent = {"Cookie": self.cookie, **(headers or {})}
        body = None
        if fields is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(fields)
        answer = self._http.request(method, self.url + path, body=body, headers=sent, redirect=False)
        if cookie := answer.headers.get("Set-Cookie"):
            self.cookie = cookie.split(";")[0]
        return answer


def hidden(page: urllib3.BaseHTTPResponse, name: str) -> str:
    """The value of that hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]+)"', page.data.decode())
    assert found, f"{page.status} has no field {name}"
    return found[1]
