"""Frames that no gateway should send, from a seeded random generator: each with how it is to be counted."""

import json
import random
from collections.abc import Callable
from typing import Any

from app.domain.contracts import ContractKey
from app.ports.feed import Drop

Bad = tuple[str | bytes, Drop | None]
"""What is sent, and the kind under which it is dropped; None: it is no market data and is not counted as that."""

STAMP_MS = 1_795_411_897_836


def priced(key: ContractKey, ltp: object, number: int = 0, **more: Any) -> str:
    """A frame of market data; `ltp` as JSON writes it, NaN and Infinity included."""
    figures = {"ltp": ltp, "timestamp": STAMP_MS + number, **more}
    return json.dumps({"type": "market_data", "symbol": key.symbol, "exchange": key.exchange, "data": figures})


class BadFrames:
    """An endless mixture about some contracts."""

    def __init__(self, keys: list[ContractKey], seed: int) -> None:
        self._keys = keys
        self._random = random.Random(seed)
        self._kinds: list[Callable[[], Bad]] = [
            self._bytes,
            self._wrong_shape,
            self._other_type,
            self._no_price,
            self._strange_price,
            self._absurd_price,
            self._nobody,
            self._unasked,
            self._nested,
            self._too_large,
            self._older,
            self._error,
            self._answer,
            self._cut_short,
        ]

    def next(self) -> Bad:
        return self._random.choice(self._kinds)()

    def _key(self) -> ContractKey:
        return self._random.choice(self._keys)

    def _bytes(self) -> Bad:
        return b"\xff" + self._random.randbytes(self._random.choice([0, 1, 40, 3000, 70_000])), Drop.NOT_JSON

    def _wrong_shape(self) -> Bad:
        return self._random.choice(["[]", "[1, 2]", "null", "true", '"market_data"', "7", "", " ", "{}}", "NaN"]), (
            Drop.NOT_JSON
        )

    def _other_type(self) -> Bad:
        kind = self._random.choice(["news", "x" * 5000, None, 5, ["market_data"], {"type": "market_data"}, True])
        return json.dumps({"type": kind, "data": {"ltp": 5}, "symbol": self._key().symbol}), None

    def _no_price(self) -> Bad:
        figures: Any = self._random.choice([None, {}, [], "x", 5, {"ltp": None}, {"volume": 1}, [{"ltp": 5}]])
        key = self._key()
        body = {"type": "market_data", "symbol": key.symbol, "exchange": key.exchange, "data": figures}
        return json.dumps(body), Drop.MISSING

    def _strange_price(self) -> Bad:
        ltp: Any = self._random.choice(
            ["abc", "", "--", [], {}, True, [5], {"ltp": 5}, float("nan"), float("inf"), 1e12, "1e12"]
        )
        drop = Drop.OUT_OF_BAND if str(ltp) in {"1e12", "1000000000000.0"} else Drop.NOT_A_NUMBER
        return priced(self._key(), ltp, volume=self._random.choice([1, "x", None])), drop

    def _absurd_price(self) -> Bad:
        return self._random.choice(
            [
                (priced(self._key(), 0), Drop.ZERO),
                (priced(self._key(), "0.00"), Drop.ZERO),
                (priced(self._key(), -0.05), Drop.NEGATIVE),
                (priced(self._key(), "-196.65"), Drop.NEGATIVE),
                (priced(self._key(), 1e10), Drop.OUT_OF_BAND),
                (priced(self._key(), 10_000_000), Drop.OUT_OF_BAND),  # the board's own limit
            ]
        )

    def _nobody(self) -> Bad:
        named: Any = self._random.choice(
            [{"symbol": None}, {"symbol": ""}, {"symbol": 5}, {"exchange": []}, {"exchange": " "}]
        )
        body = {"type": "market_data", "symbol": "SBIN", "exchange": "NSE", "data": {"ltp": 5}}
        return json.dumps({**body, **named}), Drop.NAMELESS

    def _unasked(self) -> Bad:
        other = self._random.choice(
            [
                ContractKey("BFO", self._key().symbol),
                ContractKey("NFO", f"NOSUCH{self._random.randrange(10**9)}"),
                ContractKey("x" * 100, "y" * 1000),
            ]
        )
        return priced(other, 5), Drop.UNASKED

    def _nested(self) -> Bad:
        depth = self._random.choice([2_000, 30_000])
        opening = self._random.choice(["[", '{"a":', '{"type":"market_data","data":'])
        return opening * (depth // len(opening)), Drop.NOT_JSON

    def _too_large(self) -> Bad:
        return priced(self._key(), 5, filler="x" * 300_000), Drop.TOO_LARGE

    def _older(self) -> Bad:
        return priced(self._key(), 5, number=-self._random.randrange(1, 10**6)), Drop.OLDER

    def _error(self) -> Bad:
        return json.dumps({"status": "error", "code": "SERVER_ERROR", "message": "y" * 5000}), Drop.REFUSAL

    def _answer(self) -> Bad:
        """Answers to what was never asked."""
        rows = [
            {"symbol": f"S{self._random.randrange(10**9)}", "exchange": "NFO", "status": word}
            for word in ("success", "no")
        ]
        kind, field = self._random.choice([("subscribe", "subscriptions"), ("unsubscribe", "successful")])
        return json.dumps({"type": kind, field: rows, "request_id": self._random.randrange(10**6, 10**7)}), None

    def _cut_short(self) -> Bad:
        whole = priced(self._key(), 196.65, depth={"buy": [{"price": 196.5, "quantity": 65}]})
        return whole[: self._random.randrange(1, len(whole))], Drop.NOT_JSON
