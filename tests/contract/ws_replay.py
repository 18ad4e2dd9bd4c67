"""Replays a recorded WebSocket transcript: sends what was sent, and checks what comes against what came."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.contract.recordings import Line, Transcript, with_key
from tests.contract.shapes import differences
from tests.simulator_process import SimulatedAccount

PATIENCE_S = 8.0
SILENCE_S = 0.8
SEEN_OFTEN = 3
"""After an unsubscribe or an event only what kept coming counts; single stragglers depend on the moment."""

TickShape = tuple[str, int, str, tuple[str, ...]]
Vocabulary = frozenset[TickShape]


def is_tick(frame: Any) -> bool:
    return isinstance(frame, dict) and frame.get("type") == "market_data"


def tick_shape(frame: dict[str, Any]) -> TickShape:
    """Contract, the client's mode, the price's own mode, and which figures it carries."""
    return frame["symbol"], frame["mode"], frame["data"]["mode"], tuple(sorted(frame["data"]))


def of_any_contract(shape: TickShape) -> TickShape:
    """The shape with only the kind of contract left: an index has fewer figures."""
    return ("index" if shape[0] in {"NIFTY", "SENSEX"} else "tradable", *shape[1:])


def vocabulary(all_transcripts: Iterable[Transcript]) -> Vocabulary:
    """Every shape of tick ever recorded. One transcript has not all of them: other clients held some contracts."""
    frames = (line.frame for transcript in all_transcripts for line in transcript.lines if line.kind == "in")
    return frozenset(of_any_contract(tick_shape(frame)) for frame in frames if is_tick(frame))


@dataclass
class Segment:
    """Frames sent together, and what came to each client until the next ones were sent."""

    note: Any = None
    sent: list[Line] = field(default_factory=list)
    came: list[Line] = field(default_factory=list)

    def answers(self, client: str) -> list[Any]:
        return [line.frame for line in self.came if line.client == client and not is_tick(line.frame)]

    def ticks(self, client: str) -> Counter[TickShape]:
        return Counter(tick_shape(line.frame) for line in self.came if line.client == client and is_tick(line.frame))

    def clients(self) -> set[str]:
        return {line.client for line in (*self.sent, *self.came)}

    def ends_something(self) -> bool:
        return self.note is not None or any(
            isinstance(line.frame, dict) and "unsub" in str(line.frame.get("action")) for line in self.sent
        )


def segments(transcript: Transcript) -> list[Segment]:
    """A note or a frame sent after something came starts the next segment."""
    found: list[Segment] = [Segment()]
    for line in transcript.lines:
        if line.kind == "note":
            found.append(Segment(note=line.frame))
        elif line.kind == "out":
            if found[-1].came:
                found.append(Segment())
            found[-1].sent.append(line)
        elif line.kind == "in":
            found[-1].came.append(line)
    return found


@dataclass
class Replay:
    """The clients of one transcript, against one account of the simulator."""

    transcript: Transcript
    account: SimulatedAccount
    known: Vocabulary
    sockets: dict[str, ClientConnection] = field(default_factory=dict)
    _opened: ExitStack = field(default_factory=ExitStack)

    def open(self, client: str) -> None:
        """Connects a client, again if it was connected."""
        old = self.sockets.pop(client, None)
        if old is not None:
            old.close()
        self.sockets[client] = self._opened.enter_context(connect(self.account.ws_url, max_size=None))

    def close(self) -> None:
        self._opened.close()

    def run(self, segment: Segment) -> None:
        for line in segment.sent:
            if line.client not in self.sockets:
                self.open(line.client)
            self.sockets[line.client].send(_as_text(with_key(line.frame, self.account.api_key)))
        for client in sorted(segment.clients()):
            self._expect(segment, client)

    def _expect(self, segment: Segment, client: str) -> None:
        answers = segment.answers(client)
        least = SEEN_OFTEN if segment.ends_something() else 1
        wanted = {shape for shape, count in segment.ticks(client).items() if count >= least}
        deadline = time.monotonic() + PATIENCE_S
        while answers or wanted:
            frame = self._receive(client, deadline, answers, wanted)
            if is_tick(frame):
                shape = tick_shape(frame)
                assert of_any_contract(shape) in self.known, f"a tick never recorded: {frame}"
                wanted.discard(shape)
            else:
                assert answers, f"an answer nobody recorded: {frame}"
                assert differences(answers.pop(0), frame) == []

    def _receive(self, client: str, deadline: float, answers: list[Any], wanted: set[TickShape]) -> Any:
        try:
            return json.loads(self.sockets[client].recv(timeout=max(0.0, deadline - time.monotonic())))
        except TimeoutError:
            raise AssertionError(f"still missing: answers {answers}, ticks {wanted}") from None

    def hears_nothing(self, client: str) -> bool:
        """True if no frame comes for a while; what is already on its way is read away first."""
        self._drain(client)
        try:
            self.sockets[client].recv(timeout=SILENCE_S)
        except TimeoutError:
            return True
        return False

    def _drain(self, client: str) -> None:
        quiet_s = 0.3
        end = time.monotonic() + quiet_s
        while time.monotonic() < end:
            try:
                self.sockets[client].recv(timeout=max(0.0, end - time.monotonic()))
            except TimeoutError:
                return


def _as_text(frame: Any) -> str:
    """Recorded text that is no JSON was sent as it is."""
    if isinstance(frame, str) and frame.startswith("{"):
        return frame
    if isinstance(frame, dict) and frame.get("symbols") == "3 first":  # the recording shortened the batch
        names = ("NIFTY01DEC2623500CE", "NIFTY01DEC2623500PE", "NIFTY01DEC2623550CE")
        frame = {**frame, "symbols": [{"symbol": name, "exchange": "NFO"} for name in names]}
    return json.dumps(frame)
