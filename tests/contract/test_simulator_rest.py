"""The simulator's HTTP side answers every recorded request as the recorded server did."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from fnmatch import fnmatchcase
from typing import Any

import pytest
import urllib3

from tests.contract.conftest import Closing
from tests.contract.recordings import RestCase, rest_cases, with_key
from tests.contract.rest_setups import EXCLUDED, FIRST, SETUPS, Stage, leaves_no_trace, steps_for
from tests.contract.shapes import differences, kind_of
from tests.simulator_process import SimulatorProcess, start_simulator

CASES = rest_cases()
BURSTS_TRIED = 5
HTTP = urllib3.PoolManager(timeout=20.0, retries=False)

# where the recorded market stood, so that recorded prices mean the same here
SPOTS = {"NIFTY": 25015.0, "SENSEX": 82585.0}
SHARES = {"SBIN": 863.3}


@pytest.fixture(scope="module")
def running(idle_client: Future[Closing]) -> Iterator[SimulatorProcess]:
    with start_simulator("--start", "10:30", "--limits", "off", accounts=1) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def limited() -> Iterator[SimulatorProcess]:
    with start_simulator("--start", "10:30", accounts=1) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def untouched() -> set[str]:
    """Holds the last case's name while the simulator is as it was before it; resetting costs the most time here."""
    return set()


def _start_afresh(simulator: SimulatorProcess) -> None:
    """A fresh market where the recorded one stood."""
    simulator.reset()
    for name, price in SPOTS.items():
        simulator.post("/index/move", name=name, to=price)
    for symbol, price in SHARES.items():
        simulator.post("/price", symbol=symbol, exchange="NSE", price=price)
    simulator.advance(1.0)


def _prepare(simulator: SimulatorProcess, case: RestCase) -> dict[str, Any]:
    """What must have happened before; answers the fields that replace recorded ones."""
    if case.analyze:
        simulator.post(f"/accounts/{FIRST}/mode", mode="analyze")
    stage = Stage(simulator)
    for step in steps_for(case):
        step(stage)
    return stage.changes


def _send(simulator: SimulatorProcess, case: RestCase, changes: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
    account = simulator.accounts[FIRST - 1]
    body = with_key(case.body, account.api_key)
    if isinstance(body, dict):
        body |= {name: value for name, value in changes.items() if name in body and not _wrong_on_purpose(case)}
    reply = HTTP.request(
        case.method,
        account.host + case.path,
        fields=with_key(case.params, account.api_key) or None if case.method == "GET" else None,
        body=_payload(body) if case.method == "POST" else None,
        headers=with_key(case.headers, account.api_key),
    )
    text = reply.data.decode()
    is_json = reply.headers["Content-Type"].startswith("application/json")
    return reply.status, json.loads(text) if is_json else text, dict(reply.headers)


def _wrong_on_purpose(case: RestCase) -> bool:
    return "unknown" in case.name


def _payload(body: Any) -> str | None:
    if body is None or isinstance(body, str):
        return body
    return json.dumps(body)


def _first_line(text: str) -> str:
    return text.splitlines()[0]


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name not in EXCLUDED and not case.burst], ids=lambda case: case.name
)
def test_answers_as_recorded(running: SimulatorProcess, untouched: set[str], case: RestCase) -> None:
    if not untouched:
        _start_afresh(running)
    untouched.clear()
    status, answer, _ = _send(running, case, _prepare(running, case))

    assert status == case.status, answer
    if isinstance(case.response, str):
        assert kind_of(answer) == "string"
        assert _first_line(answer).count(",") == _first_line(case.response).count(",")
        return
    assert differences(case.response, answer) == []
    if leaves_no_trace(case):
        untouched.add(case.name)


def _burst(simulator: SimulatorProcess, case: RestCase) -> list[tuple[int, Any, dict[str, str]]]:
    """All within the limit's window: where a busy machine took longer, the first are forgotten: once more, then."""
    window_s = 1.0 if "per 1 second" in str(case.response) else 60.0
    for _ in range(BURSTS_TRIED):
        _start_afresh(simulator)
        changes = _prepare(simulator, case)
        began = time.monotonic()
        answers = [_send(simulator, case, changes) for _ in range(case.burst)]
        if time.monotonic() - began < window_s:
            break
    return answers


@pytest.mark.parametrize("case", [case for case in CASES if case.burst], ids=lambda case: case.name)
def test_refuses_a_burst_as_recorded(limited: SimulatorProcess, case: RestCase) -> None:
    answers = _burst(limited, case)

    assert Counter(str(status) for status, _, _ in answers) == case.burst_statuses
    last_status, last_answer, headers = answers[-1]
    assert last_status == case.status
    assert last_answer == case.response
    assert "Retry-After" not in headers


def test_few_cases_are_left_out() -> None:
    assert set(EXCLUDED) <= {case.name for case in CASES}
    assert len(EXCLUDED) <= 0.15 * len(CASES)
    assert len(CASES) == 467


def test_every_setup_is_used() -> None:
    idle = [pattern for pattern, _ in SETUPS if not any(fnmatchcase(case.name, pattern) for case in CASES)]
    assert idle == []
