"""Every recorded transcript of a real gateway, played by a scripted server to the client that the product uses."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection

from app.adapters.clock import SystemClock
from app.adapters.openalgo.feed import OpenAlgoFeed
from app.adapters.openalgo.feed_opening import OpenAlgoFeeds
from app.domain.contracts import ContractKey
from app.ports.feed import BrokerGone, Drop, FeedClosed, FeedMode
from app.ports.gateway import GatewayAddress, GatewayRefused, LoggedOut, WrongKey
from app.services.feed_link import BoardWriter, DropCounts
from app.services.price_board import PriceBoard
from tests.unit.adapters.recorded import RECORDED, transcripts
from tests.unit.adapters.scripted_gateway import scripted

REFUSED = {"AUTHENTICATION_ERROR": WrongKey, "BROKER_ERROR": LoggedOut, "NOT_AUTHENTICATED": GatewayRefused}
GOODBYE = 1000


@dataclass
class Conversation:
    """What a gateway said on one connection, and with which code it closed it."""

    said: list[dict[str, Any]] = field(default_factory=list)
    code: int = GOODBYE

    @property
    def is_let_in(self) -> bool:
        return bool(self.said) and self.said[0].get("type") == "auth"

    @property
    def heard(self) -> list[dict[str, Any]]:
        """What a client hears after it was let in: an error that ends a feed is the last of it."""
        ends = [place for place, frame in enumerate(self.said) if frame.get("code") == "BROKER_ERROR"]
        return self.said[1 : ends[0] + 1 if ends else None]

    def ticks(self) -> list[dict[str, Any]]:
        return [frame for frame in self.heard if frame.get("type") == "market_data"]

    def keys(self) -> list[ContractKey]:
        return sorted({ContractKey(tick["exchange"], tick["symbol"]) for tick in self.ticks()})

    def play(self, connection: ServerConnection) -> None:
        """The first frame answers the key; the rest is said once everything was asked for."""
        first = 1 if self.is_let_in else len(self.said)
        if self.said:
            connection.recv()
        for frame in self.said[:first]:
            connection.send(json.dumps(frame))
        while self.is_let_in and json.loads(connection.recv())["action"] != "ping":
            pass
        for frame in self.said[first:]:
            connection.send(json.dumps(frame))
        connection.close(self.code)


def conversations(path: Path) -> list[Conversation]:
    """One for each connection in a transcript."""
    found: dict[tuple[str, int], Conversation] = {}
    connected: dict[str, int] = {}
    for line in map(json.loads, path.read_text().splitlines()):
        client, _, kind = line["dir"].rpartition(":")
        said = line["frame"]
        if kind == "note" and str(said).endswith("connected"):
            client = client or str(said).rpartition(":")[0]
            connected[client] = connected.get(client, 0) + 1
        one = found.setdefault((client, connected.get(client, 0)), Conversation())
        if kind == "in" and isinstance(said, dict):
            one.said.append(said)
        elif kind == "closed":
            one.code = said["code"]
    return [one for one in found.values() if one.said or one.code != GOODBYE]


EVERY = [(path.stem, number) for path in transcripts() for number in range(len(conversations(path)))]


def test_there_is_something_to_play() -> None:
    assert {name for name, _ in EVERY} == {path.stem for path in transcripts()}
    assert len(EVERY) > 40


@dataclass
class Heard:
    """The product's end of a connection."""

    board: PriceBoard = field(default_factory=lambda: PriceBoard(SystemClock()))
    drops: DropCounts = field(default_factory=DropCounts)

    def __post_init__(self) -> None:
        self.writer = Writer(self.board, SystemClock(), "recorded", drops=self.drops, writes=True)


class Writer(BoardWriter):
    """Also counts the order updates, which a feed of prices has no use for."""

    updates = 0

    def order_update(self, update: object) -> None:  # noqa: ARG002 - the listener's signature
        self.updates += 1


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.mark.parametrize(("name", "number"), EVERY)
def test_a_recorded_gateway_is_understood(name: str, number: int, heard: Heard) -> None:
    played = conversations(RECORDED / "ws" / f"{name}.jsonl")[number]
    with scripted(played.play) as url:
        address = GatewayAddress("http://127.0.0.1", url, "CANARY-key")
        if not played.is_let_in:
            expected = REFUSED[played.said[0]["code"]] if played.said else GatewayRefused
            with pytest.raises(expected):
                OpenAlgoFeeds(SystemClock())(address, heard.writer)
            return
        feed = OpenAlgoFeeds(SystemClock())(address, heard.writer)
        feed.subscribe(played.keys(), FeedMode.DEPTH)
        feed.ping()
        lost = any(frame.get("code") == "BROKER_ERROR" for frame in played.said)
        with pytest.raises(BrokerGone if lost else FeedClosed):
            _read_to_the_end(feed)
        feed.close()
    _all_is_there(played, heard)


def _read_to_the_end(feed: OpenAlgoFeed) -> None:
    while feed.read(5.0):
        pass


def _all_is_there(played: Conversation, heard: Heard) -> None:
    last = {ContractKey(tick["exchange"], tick["symbol"]): tick["data"] for tick in played.ticks()}
    for key, figures in last.items():
        price = heard.board.latest(key)
        assert price is not None
        assert float(price.ltp) == figures["ltp"]
        assert price.exchange_at is not None
        buy = [level for level in figures.get("depth", {}).get("buy", []) if level["quantity"]]
        assert not buy or float(price.bid or 0) == buy[0]["price"]
    assert heard.board.counts().accepted == len(played.ticks())
    assert heard.writer.updates == sum(frame.get("type") == "order_update" for frame in played.heard)
    refusals = sum(frame.get("status") == "error" and "type" not in frame for frame in played.heard)
    lost = sum(frame.get("code") == "BROKER_ERROR" for frame in played.heard)
    assert heard.drops.joined({}) == ({Drop.REFUSAL: refusals - lost} if refusals > lost else {})
