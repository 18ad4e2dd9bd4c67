"""The fault board's stream side: what it does to connections, prices and order updates of one account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simulator.faults import FaultBoard
from simulator.quotes import ContractKey
from simulator.rest_call import Gateway
from simulator.stream_client import StreamClient
from simulator.stream_ticks import with_delay, with_price

WS = "ws"
GARBAGE = {
    "text": b"feed restarting, please wait",
    "binary": bytes(range(256)),
    "deep": b"[" * 50_000,
    "huge": b'{"type":"market_data","data":"' + b"x" * 900_000 + b'"}',
}


@dataclass(frozen=True)
class StreamFaults:
    """Asks the board on behalf of one account's stream."""

    gateway: Gateway

    @property
    def board(self) -> FaultBoard:
        return self.gateway.venue.faults

    @property
    def number(self) -> int:
        return self.gateway.account.number

    def standing(self, name: str) -> bool:
        return self.board.standing(name, self.number, WS) is not None

    def hit(self, name: str) -> bool:
        return self.board.match(name, self.number, WS) is not None

    def refuses(self) -> bool:
        return self.hit("ws_refuse")

    def skew_ms(self) -> int:
        fault = self.board.standing("clock_skew", self.number, WS)
        return 0 if fault is None else int(fault.parameters["seconds"] * 1000)

    def mutes(self, key: ContractKey) -> bool:
        """No tick of this contract now."""
        if self.standing("ws_silent"):
            return True
        rules = (rule for rule in self.board.list() if rule.name == "ws_mute_symbol")
        return any(rule.concerns(self.number, WS) and rule.parameters["symbol"] == key.symbol for rule in rules)

    def forgets(self, keys: Iterable[ContractKey]) -> list[ContractKey]:
        """Of these, what the broker forgets now."""
        fault = self.board.standing("ws_lost_subscription", self.number, WS)
        lost = [] if fault is None else [key for key in keys if key.symbol == fault.parameters["symbol"]]
        if lost:
            self.board.match("ws_lost_subscription", self.number, WS)
        return lost

    def spoilt(self, key: ContractKey, frame: bytes) -> bytes:
        """The frame, its time and its price spoilt where the board says so."""
        late = self.board.standing("ws_late", self.number, WS)
        frame = frame if late is None else with_delay(frame, late.parameters["seconds"])
        fault = self.board.standing("ws_invalid_price", self.number, WS)
        if fault is None or fault.parameters["symbol"] not in {"", key.symbol}:
            return frame
        return with_price(frame, fault.parameters["value"])

    def strike(self, clients: Iterable[StreamClient]) -> None:
        """Closes, stalls or soils the connections there are; nothing is spent while there are none."""
        present = tuple(clients)
        if not present:
            return
        dropped = self.board.match("ws_drop", self.number, WS)
        for client in present:
            if dropped is not None:
                client.close_soon(dropped.parameters["code"], "")
            elif self.standing("ws_half_open"):
                client.go_half_open()
        garbage = self.board.match("ws_garbage", self.number, WS)
        if garbage is not None:
            kind = garbage.parameters["kind"]
            for client in present:
                client.reply(GARBAGE.get(kind, GARBAGE["text"]), binary=kind == "binary")
