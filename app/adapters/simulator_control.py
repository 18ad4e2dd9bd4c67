"""The simulator's control port, as far as the application uses it: its accounts and its clock."""

import json
from dataclasses import dataclass

import urllib3
from urllib3.exceptions import HTTPError

from app.domain.errors import Unavailable
from app.ports.simulator import SimulatorAccount

_WAIT = urllib3.Timeout(connect=2.0, read=10.0)
"""It lives on the same machine: one that is there and late is busy."""

_LONGEST_ANSWER = 1_000_000


@dataclass(frozen=True, slots=True)
class SimulatorTime:
    """Its virtual time in epoch milliseconds, and its seconds per real second; 0 while paused."""

    now_ms: int
    speed: float


class SimulatorControl:
    """The Simulator port. Thread-safe. Asks anew each time."""

    def __init__(self, url: str) -> None:
        """`url` as in http://127.0.0.1:5000. Asks nothing yet."""
        self._url = url.rstrip("/")
        self._http = urllib3.PoolManager(num_pools=1, maxsize=4, retries=False, timeout=_WAIT)

    def accounts(self) -> list[SimulatorAccount]:
        rows = self._ask("/state").get("accounts")
        if not isinstance(rows, list):
            raise self._odd("it names no accounts")
        return [self._account(row) for row in rows]

    def time(self) -> SimulatorTime:
        """Raises Unavailable when the simulator does not answer, or not as it should."""
        read = self._ask("/clock")
        now_ms, speed = read.get("now_ms"), read.get("speed")
        if not isinstance(now_ms, int | float) or not isinstance(speed, int | float) or now_ms <= 0 or speed < 0:
            raise self._odd(f"its clock says now_ms {now_ms!r}, speed {speed!r}")
        return SimulatorTime(int(now_ms), float(speed))

    def _account(self, row: object) -> SimulatorAccount:
        fields = row if isinstance(row, dict) else {}
        name, host, stream, key = (fields.get(field) for field in ("name", "host", "ws_url", "api_key"))
        if not (isinstance(name, str) and isinstance(host, str) and isinstance(stream, str) and isinstance(key, str)):
            raise self._odd("one of its accounts lacks a name, an address or a key")
        return SimulatorAccount(name, host, stream, key)

    def _ask(self, path: str) -> dict[str, object]:
        try:
            reply = self._http.request("GET", self._url + path, redirect=False, preload_content=False)
            body = reply.read(_LONGEST_ANSWER)
            reply.release_conn()
        except HTTPError as error:
            raise Unavailable(f"The simulator does not answer at {self._url}. Check that it is running.") from error
        try:
            answer = json.loads(body) if reply.status == 200 else None
        except ValueError as error:
            raise self._odd("it does not speak JSON") from error
        if not isinstance(answer, dict):
            raise self._odd(f"it says HTTP {reply.status}")
        return answer

    def _odd(self, why: str) -> Unavailable:
        return Unavailable(f"What answers at {self._url} is not the simulator's control port: {why}.")
