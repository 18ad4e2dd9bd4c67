"""Depth frames from a loopback socket to the price board, beside other clients of such a socket."""

import statistics
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from bench.frame_clients import LIMIT, OURS, PEERS
from bench.frame_source import CONTRACTS
from bench.rows import Row, percentile
from bench.stage import Part, part

FRAMES_TARGET = 80_000.0
BURST_TARGET_MS = 4.0
TICK_TARGETS_MS = {50: 1.0, 99: 4.0}
"""By percentile."""
PLAIN = tuple(kind for kind in PEERS if kind.endswith("+msgspec"))
"""Those that a tick alone is measured beside."""
_SLOW = {"sdk": 10, "websockets+json": 3}
"""Those that would take minutes get so many times fewer frames."""


@dataclass(frozen=True)
class FrameSize:
    """Frames of one flood, bursts of one round, and the seconds between two bursts."""

    frames: int = 100_000
    bursts: int = 150
    every_s: float = 0.02


@dataclass
class _Found:
    """Of all rounds, by client: frames for a second of CPU, ms until the last of a burst."""

    per_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    burst_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def frames(rounds: int, size: FrameSize) -> list[Row]:
    """The clients one after the other in each round, each in a process of its own; the source in another."""
    found = _Found()
    with part("bench.frame_source") as source:
        told = source.hear()
        for _ in range(rounds):
            for kind in (OURS, *PEERS, LIMIT):
                with _client(kind, told["port"], told["frame_bytes"]) as client:
                    if client is not None:
                        _measure(source, client, kind, size, found)
    return [
        _row("depth frame (1 kB) from socket to price board", "frames/s of a core", found.per_s, FRAMES_TARGET),
        _late(f"burst of {CONTRACTS} depth frames, socket to board: p99", found.burst_ms, 99, BURST_TARGET_MS),
    ]


def ticks(rounds: int, size: FrameSize) -> list[Row]:
    """From the write of one frame on the gateway's socket to its price on the board, beside plain readers."""
    found: dict[str, list[float]] = defaultdict(list)
    with part("bench.frame_source") as source:
        told = source.hear()
        for _ in range(rounds):
            for kind in (OURS, *PLAIN, LIMIT):
                with _client(kind, told["port"], told["frame_bytes"]) as client:
                    if client is not None:
                        _bursts(source, client, 1, replace(size, bursts=max(1, size.bursts // 10)))  # warming up
                        found[kind] += _bursts(source, client, 1, size)
    return [_late(f"tick to board: p{share}", found, share, most) for share, most in TICK_TARGETS_MS.items()]


@contextmanager
def _client(kind: str, port: int, frame_bytes: int) -> Iterator[Part | None]:
    """None when it is missing here."""
    with part("bench.frame_clients", kind, f"ws://127.0.0.1:{port}", str(frame_bytes)) as client:
        yield None if "missing" in client.hear() else client


def _measure(source: Part, client: Part, kind: str, size: FrameSize, found: _Found) -> None:
    count = size.frames // _SLOW.get(kind, 1)
    source.tell({"do": "flood", "frames": count})
    # The source sends whole rounds; a client takes all of them, so that the next measurement begins with its own.
    sent = -(-count // (4 * CONTRACTS)) * 4 * CONTRACTS
    cpu_s = client.ask({"do": "take", "frames": sent})["cpu_s"]
    assert source.hear()["frames"] == sent
    found.per_s[kind].append(sent / cpu_s)
    found.burst_ms[kind] += _bursts(source, client, CONTRACTS, size)


def _bursts(source: Part, client: Part, frames: int, size: FrameSize) -> list[float]:
    asked = {"do": "bursts", "frames": frames, "bursts": size.bursts, "every_s": size.every_s}
    client.tell(asked)
    sent = source.ask(asked)["sent"]
    there = client.hear()["there"]
    return [(end - begin) / 1e6 for begin, end in zip(sent, there, strict=True)]


def _row(name: str, unit: str, values: dict[str, list[float]], target: float) -> Row:
    def median(kind: str) -> float | None:
        return round(statistics.median(values[kind])) if values[kind] else None

    return Row(name, unit, median(OURS), {kind: median(kind) for kind in PEERS}, median(LIMIT), target, at_least=True)


def _late(name: str, values: dict[str, list[float]], share: int, most_ms: float) -> Row:
    def late(kind: str) -> float | None:
        return percentile(values[kind], share)

    peers = {kind: late(kind) for kind in PEERS if kind in values or kind in PLAIN}
    return Row(name, "ms", late(OURS), peers, late(LIMIT), most_ms)
