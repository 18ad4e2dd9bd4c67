"""Prices as stream frames: each encoded once for every mode and tag, then shared by all clients of all accounts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from simulator.contracts import Contract
from simulator.market import Market
from simulator.quotes import ContractKey, DepthLevel, Quote
from simulator.stream_frames import BROKER
from simulator.stream_subscriptions import DEPTH, LTP, QUOTE

INNER_MODE = {LTP: "ltp", QUOTE: "quote", DEPTH: "full"}
_TIME_FIELD = re.compile(rb'"timestamp":(\d+)')
_LTP_FIELD = re.compile(rb'"ltp":[^,}]*')


@dataclass(frozen=True)
class Tick:
    """One frame's worth of a price. `mode` 1..3; `derived` when the adapter made it from a higher mode's tick."""

    mode: int
    derived: int = 0
    """The mode it was derived from, 0 for none."""


LTP_BURST = (Tick(QUOTE), Tick(LTP, derived=QUOTE), Tick(LTP))
INDEX_LTP_BURST = (Tick(LTP), Tick(LTP))
QUOTE_BURST = (Tick(QUOTE), Tick(QUOTE))
DEPTH_BURST = (Tick(DEPTH),)


def first_burst(mode: int, *, index: bool) -> tuple[Tick, ...]:
    """What a broker connection sends for a contract it has just been asked for, half a second later."""
    if mode == LTP:
        return INDEX_LTP_BURST if index else LTP_BURST
    return QUOTE_BURST if mode == QUOTE else DEPTH_BURST


def fan_out(modes: set[int]) -> list[Tick]:
    """The ticks of one price change: the highest mode held, then copies for each lower one somebody holds."""
    top = max(modes)
    return [Tick(top), *(Tick(mode, derived=top) for mode in sorted(modes, reverse=True) if mode < top)]


@dataclass
class TickFrames:
    """Encoded frames of one contract at one moment."""

    contract: Contract
    market: Market
    now_ms: int
    _quote: Quote | None = None
    _bodies: dict[Tick, bytes] = field(default_factory=dict)
    _frames: dict[tuple[Tick, int], bytes] = field(default_factory=dict)

    @property
    def key(self) -> ContractKey:
        return self.contract.key

    @property
    def index(self) -> bool:
        return not self.contract.tradable

    def frame(self, tick: Tick, tag: int) -> bytes:
        """The envelope's `mode` is the subscriber's own, whatever mode the price came in."""
        frame = self._frames.get((tick, tag))
        if frame is None:
            frame = self._wrap(self._body(tick), tag)
            self._frames[tick, tag] = frame
        return frame

    def _body(self, tick: Tick) -> bytes:
        body = self._bodies.get(tick)
        if body is None:
            body = msgspec.json.encode(self._figures(tick))
            self._bodies[tick] = body
        return body

    def _wrap(self, body: bytes, tag: int) -> bytes:
        symbol, exchange = self.key
        head = f'{{"type":"market_data","symbol":"{symbol}","exchange":"{exchange}","mode":{tag},"data":'
        return head.encode() + body + f',"broker":"{BROKER}"}}'.encode()

    def _figures(self, tick: Tick) -> dict[str, Any]:
        quote = self._quote = self._quote or self.market.quote(self.contract)
        data: dict[str, Any] = {
            "symbol": self.contract.symbol,
            "exchange": self.contract.exchange,
            "mode": INNER_MODE[tick.mode],
            "ltp": quote.ltp,
        }
        if tick.mode == LTP and tick.derived:
            return data | {"timestamp": self.now_ms}
        # the original gives milliseconds in ltp and quote frames and seconds in depth frames of tradable contracts
        seconds = tick.mode == DEPTH and not self.index
        data |= {"ltt": self.now_ms // 1000 if seconds else self.now_ms, "timestamp": self.now_ms}
        if tick.mode == LTP:
            return data
        if self.index:
            return data | {"volume": 0, "price_change": 0, "price_change_percent": 0}
        return data | self._day_figures(quote, tick)

    def _day_figures(self, quote: Quote, tick: Tick) -> dict[str, Any]:
        depth = self.market.depth(self.contract, quote)
        figures: dict[str, Any] = {
            "volume": quote.volume,
            "last_quantity": quote.ltq,
            "average_price": quote.average_price,
            "total_buy_quantity": depth.total_buy_units,
            "total_sell_quantity": depth.total_sell_units,
            "open": quote.open,
            "high": quote.high,
            "low": quote.low,
            "close": quote.prev_close,
        }
        if DEPTH in {tick.mode, tick.derived}:
            # the original reads the wrong bytes of the broker's packet: a multiple of 65536, unrelated to the interest
            garbage = (depth.total_buy_units % 8 + 1) * 65_536
            figures |= {"oi": garbage, "open_interest": garbage}
        if tick.mode == DEPTH:
            sides = {"buy": depth.bids, "sell": depth.asks}
            figures["depth"] = {side: [_level(level) for level in levels] for side, levels in sides.items()}
        return figures


def _level(level: DepthLevel) -> dict[str, Any]:
    return {"price": level.price, "quantity": level.units, "orders": level.orders}


def with_delay(frame: bytes, seconds: float) -> bytes:
    """The same frame with a time of its own that is so much earlier."""
    return _TIME_FIELD.sub(lambda found: b'"timestamp":%d' % (int(found[1]) - int(seconds * 1000)), frame, count=1)


def with_price(frame: bytes, literal: str) -> bytes:
    """The same frame with this JSON text in place of the price, valid or not."""
    return _LTP_FIELD.sub(b'"ltp":' + literal.encode(), frame, count=1)
