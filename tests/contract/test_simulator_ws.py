"""The simulator's stream answers every recorded transcript as the recorded proxy did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from tests.contract.conftest import Closing
from tests.contract.recordings import transcripts
from tests.contract.rest_setups import FIRST
from tests.contract.ws_replay import Replay, segments, vocabulary
from tests.simulator_process import SimulatorProcess, start_simulator

TRANSCRIPTS = {transcript.name: transcript for transcript in transcripts()}
KNOWN = vocabulary(TRANSCRIPTS.values())
GRACE_S = 15.0

ON_THEIR_OWN = {
    "auth_timeout": "waits 15 s beside the other tests",
    "order_updates_live": "its orders went over HTTP; see test_simulator_order_push",
    "order_updates_analyze": "its orders went over HTTP; see test_simulator_order_push",
}


@pytest.fixture(scope="module")
def running(idle_client: Future[Closing]) -> Iterator[SimulatorProcess]:
    with start_simulator("--start", "10:30", "--limits", "off", "--speed", "4", accounts=1) as simulator:
        yield simulator


def _obey(simulator: SimulatorProcess, replay: Replay, note: Any) -> None:
    """Does what a note in the recording says was done, and checks silence where it fell silent."""
    words = note if isinstance(note, str) else json.dumps(note)
    client, _, word = words.rpartition(":")
    if word == "connected":
        replay.open(client)
    elif words == "B closed":
        replay.sockets.pop("B").close()
    elif words.startswith("daily re-login"):
        simulator.post(f"/accounts/{FIRST}/relogin")
        assert replay.hears_nothing("")
    elif words.startswith("broker token expired"):
        simulator.fault("token_dead", account=FIRST)
        assert replay.hears_nothing("")
    elif words.startswith(("broker feed sends only heartbeats", "broker feed dropped")):
        simulator.fault("ws_silent", account=FIRST, lasts_s=1.5)
        assert replay.hears_nothing("")
    elif words.startswith("broker token valid again"):
        simulator.clear_faults()
    elif "second login" in words:
        simulator.post(f"/accounts/{FIRST}/relogin", new_token=False)


@pytest.mark.parametrize("name", [name for name in TRANSCRIPTS if name not in ON_THEIR_OWN])
def test_answers_as_recorded(running: SimulatorProcess, name: str) -> None:
    running.reset()
    if name == "fault_logged_out":
        running.post(f"/accounts/{FIRST}/logout")
    replay = Replay(TRANSCRIPTS[name], running.accounts[0], KNOWN)
    try:
        for segment in segments(TRANSCRIPTS[name]):
            if segment.note is not None:
                _obey(running, replay, segment.note)
            replay.run(segment)
        if name == "fault_broker_token_expired":
            assert replay.hears_nothing("C")
    finally:
        replay.close()


def test_unsubscribed_is_silent(running: SimulatorProcess) -> None:
    running.reset()
    transcript = TRANSCRIPTS["subscribe_ltp_index"]
    replay = Replay(transcript, running.accounts[0], KNOWN)
    try:
        for segment in segments(transcript):
            if segment.note == "connected":
                replay.open("")
            replay.run(segment)
        assert replay.hears_nothing("")
    finally:
        replay.close()


def test_transcripts_are_all_here() -> None:
    assert len(TRANSCRIPTS) == 39
    assert set(ON_THEIR_OWN) <= set(TRANSCRIPTS)


def test_a_client_that_never_authenticates_is_sent_away(idle_client: Future[Closing]) -> None:
    closing = idle_client.result()

    recorded = next(line.frame for line in TRANSCRIPTS["auth_timeout"].lines if line.kind == "closed")
    assert {"code": closing.code, "reason": closing.reason} == recorded
    assert closing.after_s == pytest.approx(GRACE_S, abs=2.0)
