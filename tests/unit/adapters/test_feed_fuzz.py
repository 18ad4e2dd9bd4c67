"""Nonsense over a real socket: nothing breaks, all of it is counted by kind, and every good frame in it arrives."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.sync.server import ServerConnection

from app.adapters.clock import SystemClock
from app.adapters.openalgo.feed import OpenAlgoFeed
from app.adapters.openalgo.feed_opening import OpenAlgoFeeds
from app.domain.contracts import ContractKey
from app.ports.feed import Drop, FeedMode
from app.ports.gateway import GatewayAddress
from app.services.feed_link import BoardWriter, DropCounts
from app.services.price_board import PriceBoard
from tests.unit.adapters.bad_frames import BadFrames, priced
from tests.unit.adapters.scripted_gateway import scripted

KEYS = [ContractKey("NFO", f"NIFTY01DEC26{25000 + 50 * number}CE") for number in range(5)]
MOST = 1 << 20


@dataclass
class Line:
    """A feed with its board, and the other end of its socket."""

    feed: OpenAlgoFeed
    gateway: ServerConnection
    board: PriceBoard
    writer: BoardWriter
    drops: DropCounts
    good: int = field(default=0)

    def sends(self, raw: bytes) -> None:
        self.gateway.socket.sendall(raw)

    def sends_good(self, *, pieces: int = 1) -> None:
        """A frame that must arrive, whole or in fragments; its price is its number."""
        self.good += 1
        self.sends(fragments(priced(KEYS[self.good % len(KEYS)], self.good, self.good), pieces))

    def read(self) -> None:
        """Until every good frame is on the board."""
        while self.writer.accepted < self.good:
            assert self.feed.read(5.0), f"{self.writer.accepted} of {self.good} came"
        newest = self.board.latest(KEYS[self.good % len(KEYS)])
        assert newest is not None
        assert newest.ltp == self.good


def fragments(message: str | bytes, pieces: int = 1) -> bytes:
    """On the wire, with a ping between the parts."""
    raw = message.encode() if isinstance(message, str) else message
    first = Opcode.TEXT if isinstance(message, str) else Opcode.BINARY
    size = -(-len(raw) // pieces) or 1
    parts = [raw[begin : begin + size] for begin in range(0, len(raw), size)] or [b""]
    ping = Frame(Opcode.PING, b"here?").serialize(mask=False)
    return ping.join(
        Frame(first if place == 0 else Opcode.CONT, part, fin=place == len(parts) - 1).serialize(mask=False)
        for place, part in enumerate(parts)
    )


@contextmanager
def line() -> Iterator[Line]:
    connected: SimpleQueue[ServerConnection] = SimpleQueue()

    def script(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(json.dumps({"type": "auth", "status": "success", "broker": "zerodha"}))
        asked = json.loads(connection.recv())
        rows = [{**row, "status": "success"} for row in asked["symbols"]]
        connection.send(json.dumps({"type": "subscribe", "subscriptions": rows, "request_id": asked["request_id"]}))
        connected.put(connection)
        for _ in connection:
            pass

    with scripted(script) as url:
        board, drops = PriceBoard(SystemClock()), DropCounts()
        writer = BoardWriter(board, SystemClock(), "fuzz", drops=drops, writes=True)
        feed = OpenAlgoFeeds(SystemClock())(GatewayAddress("http://127.0.0.1", url, "CANARY-key"), writer)
        feed.subscribe(KEYS, FeedMode.DEPTH)
        yield Line(feed, connected.get(timeout=10), board, writer, drops)
        feed.close()


def play_nonsense(seed: int, frames: int) -> None:
    chance = random.Random(seed)
    bad, expected = BadFrames(KEYS, seed), Counter[Drop]()
    with line() as on:
        for _ in KEYS:
            on.sends_good()
        for _ in range(frames):
            raw, kind = bad.next()
            expected.update([kind] if kind is not None else [])
            on.sends(fragments(raw, chance.choice([1, 1, 1, 2, 5])))
            if chance.random() < 0.2:
                on.sends_good(pieces=chance.choice([1, 1, 3]))
                on.read()
        on.sends_good()
        on.read()
        assert on.drops.joined(on.board.counts().dropped) == expected
        assert on.board.take_dirty("everything") == set(KEYS)
        assert on.feed.confirmed() == set(KEYS)
        assert on.feed.refused() == {}
        assert len(on.feed.ignored) <= 51


@pytest.mark.parametrize("seed", range(3))
def test_row_22_nonsense_is_counted_and_good_frames_between_it_arrive(seed: int) -> None:
    play_nonsense(seed, 300)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(100, 120))
def test_much_nonsense_is_counted_and_good_frames_between_it_arrive(seed: int) -> None:
    play_nonsense(seed, 5_000)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=10,
)
NAMES = [
    "type",
    "symbol",
    "exchange",
    "data",
    "status",
    "subscriptions",
    "successful",
    "server_timestamp",
    "ltp",
    "depth",
]
BODIES = st.dictionaries(
    st.sampled_from(NAMES), ANY | st.sampled_from(["market_data", "subscribe", "pong", KEYS[0].symbol, "NFO"])
)
FRAMES = st.binary(max_size=400) | st.text(max_size=400) | (ANY | BODIES).map(json.dumps)


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Line]:
    with line() as on:
        yield on


@given(st.lists(st.tuples(FRAMES, st.integers(1, 4)), max_size=8))
def test_row_22_whatever_comes_the_next_good_frame_is_read(fuzzed: Line, frames: list[tuple[str | bytes, int]]) -> None:
    for message, pieces in frames:
        fuzzed.sends(fragments(message, pieces))
    fuzzed.sends_good()
    fuzzed.read()
    assert fuzzed.board.take_dirty("everything") <= set(KEYS)
