"""One frame off the wire becomes one thing of ours: a tick, an order update, an acknowledgement, an error."""

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from app.adapters.openalgo import answers, depth, numbers, parse, words
from app.adapters.openalgo.depth import has_touch
from app.adapters.openalgo.rows import Row
from app.domain.books import OrderUpdate
from app.domain.contracts import ContractKey
from app.domain.money import Units
from app.ports.feed import Drop, Levels, Tick, fault_of
from app.ports.gateway import NotOpenAlgo

_MOST_KEYS = 20_000
_LONGEST_KIND = 40
_HIGHEST_PRICE = 1e9
_MOST_UNITS = 1e15
_LATEST_MS = 1e13


@dataclass(frozen=True, slots=True)
class Unusable:
    """A frame that says nothing we can use, and why."""

    reason: str
    kind: Drop = Drop.UNREADABLE


@dataclass(frozen=True, slots=True)
class Ignored:
    """A frame of a type that nobody here asked for."""

    type: str


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The gateway accepts the key and names its broker."""

    broker: str


@dataclass(frozen=True, slots=True)
class Pong:
    """The gateway's clock, epoch milliseconds."""

    server_ms: int


@dataclass(frozen=True, slots=True)
class BrokerLink:
    """Whether the gateway still has a connection to its broker. `there` True is weak evidence, False is not."""

    there: bool


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """The gateway says no. It does not say to which request."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The answer to one subscribe request: contracts confirmed, contracts refused with the words, and its number."""

    confirmed: frozenset[ContractKey]
    refused: tuple[tuple[ContractKey, str], ...]
    request: int | None


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """Contracts that are pushed no more."""

    keys: frozenset[ContractKey]


Frame = (
    Tick | OrderUpdate | Pong | Subscribed | Unsubscribed | Authenticated | BrokerLink | ErrorFrame | Ignored | Unusable
)


class _Figures(msgspec.Struct, gc=False):
    """The fields of market data that are used, in the order of the wire. Kept as they came until somebody reads them.

    Open interest is not among them: some plug-ins send garbage in it.
    """

    ltp: float | None = None
    ltt: int | float | None = None
    timestamp: int | float | None = None
    raw_volume: int | float | None = msgspec.field(name="volume", default=None)
    raw_open: float | None = msgspec.field(name="open", default=None)
    raw_high: float | None = msgspec.field(name="high", default=None)
    raw_low: float | None = msgspec.field(name="low", default=None)
    close: float | None = None
    prev_close: float | None = None
    depth: msgspec.Raw = depth.NOTHING

    @property
    def open(self) -> float | None:
        return _price(self.raw_open)

    @property
    def high(self) -> float | None:
        return _price(self.raw_high)

    @property
    def low(self) -> float | None:
        return _price(self.raw_low)

    @property
    def previous_close(self) -> float | None:
        return _price(self.close) or _price(self.prev_close)

    @property
    def volume(self) -> int | None:
        raw = self.raw_volume
        return None if raw is None or not 0 <= raw < _MOST_UNITS else int(raw)

    @property
    def bids(self) -> Levels:
        return depth.bids(self.depth)

    @property
    def asks(self) -> Levels:
        return depth.asks(self.depth)


class _MarketData(msgspec.Struct, gc=False):
    type: str | None = None
    symbol: str | None = None
    exchange: str | None = None
    data: _Figures | None = None


_DECODER = msgspec.json.Decoder(_MarketData)
_NOTHING = _Figures()
_LOOSE = {
    ours: theirs
    for ours, theirs in zip(_Figures.__struct_fields__, _Figures.__struct_encode_fields__, strict=True)
    if ours != "depth"
}


class _FrameTick(Tick):
    """A tick over the figures of its frame."""

    __slots__ = ()

    def __init__(self, key: ContractKey, ltp: float, figures: _Figures) -> None:
        self.key = key
        self.ltp = ltp
        self.figures = figures
        stamp, close = figures.timestamp, figures.close
        # The usual case first, here and below: this is done with every frame.
        if stamp is not None and 1e12 < stamp < _LATEST_MS:
            self.stamp = stamp / 1000
            self.dated = True
        else:
            self.stamp = _seconds(figures.ltt if stamp is None else stamp)
            self.dated = stamp is not None
        self.has_close = (close is not None and 0 < close < _HIGHEST_PRICE) or _price(figures.prev_close) is not None
        self.has_touch = has_touch(figures.depth)


class FrameReader:
    """Reads the frames of one socket. For one thread. Keeps the contract keys it has met, so that each is made once."""

    def __init__(self, wanted: Container[ContractKey] | None = None) -> None:
        """Prices of contracts that are not `wanted` are of no use; None wants all."""
        self._wanted = wanted
        self._keys: dict[tuple[str | None, str | None], ContractKey] = {}

    def read(self, raw: bytes) -> Frame:
        """Never raises, whatever `raw` is."""
        try:
            frame = _DECODER.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._read_loosely(raw)
        if frame.type != "market_data":
            return self._read_loosely(raw)
        figures = frame.data
        key = self._keys.get((frame.exchange, frame.symbol))
        if key is not None and figures is not None:
            ltp = figures.ltp
            if ltp is not None and 0 < ltp < _HIGHEST_PRICE:  # nearly every frame
                return _FrameTick(key, ltp, figures)
        return self._tick(frame.symbol, frame.exchange, figures or _NOTHING)

    def _read_loosely(self, raw: bytes) -> Frame:
        """Everything but the common frame, and that one too when its numbers come as text or NaN."""
        body = answers.decode(raw)
        if body is None:
            return Unusable("not a JSON object", Drop.NOT_JSON)
        try:
            return self._by_type(body)
        except NotOpenAlgo as error:
            return Unusable(str(error))

    def _by_type(self, body: Mapping[str, object]) -> Frame:
        kind = body.get("type")
        if kind == "market_data":
            symbol, exchange = body.get("symbol"), body.get("exchange")
            named = isinstance(symbol, str) and isinstance(exchange, str)
            return self._loose_tick(str(symbol), str(exchange), body.get("data")) if named else _NAMELESS
        if kind == "order_update":
            return _order_update(body)
        if kind == "pong":
            return _pong(body)
        if kind == "broker_info":
            return BrokerLink(body.get("adapter_status") != "disconnected")
        if kind in ("subscribe", "unsubscribe", "auth"):  # it may be a list, which no set can look up
            return _acknowledgement(str(kind), body)
        if body.get("status") == "error" or kind == "error":
            return ErrorFrame(str(body.get("code") or "ERROR"), str(body.get("message") or "no reason given"))
        return Ignored(str(kind)[:_LONGEST_KIND])

    def _tick(self, symbol: str | None, exchange: str | None, figures: _Figures) -> Tick | Unusable:
        ltp = figures.ltp
        if ltp is None or not 0 < ltp < _HIGHEST_PRICE:
            return Unusable(f"{symbol}: {ltp} is no price", Drop.MISSING if ltp is None else fault_of(ltp))
        key = self._keys.get((exchange, symbol)) or self._new_key(exchange, symbol)
        return key if isinstance(key, Unusable) else _FrameTick(key, ltp, figures)

    def _loose_tick(self, symbol: str, exchange: str, raw: object) -> Tick | Unusable:
        figures = _figures(raw)
        if figures.ltp is None and isinstance(raw, dict) and "ltp" in raw:
            return Unusable(f"{symbol}: its price is no number", Drop.NOT_A_NUMBER)
        return self._tick(symbol, exchange, figures)

    def _new_key(self, exchange: str | None, symbol: str | None) -> ContractKey | Unusable:
        key = words.contract_key(exchange, symbol)
        if key is None:
            return _NAMELESS
        if self._wanted is not None and key not in self._wanted:
            return _UNASKED
        if len(self._keys) >= _MOST_KEYS:
            self._keys.clear()
        self._keys[exchange, symbol] = key
        return key


_NAMELESS = Unusable("market data of no contract", Drop.NAMELESS)
_UNASKED = Unusable("market data of a contract that nobody asked for", Drop.UNASKED)


def _price(raw: float | None) -> float | None:
    return raw if raw is not None and 0 < raw < _HIGHEST_PRICE else None


def _seconds(stamp: float | None) -> float | None:
    """Since 1970, of an epoch in milliseconds, or in seconds where a plug-in sends those. None when it is neither."""
    if stamp is None or not 0 < stamp < _LATEST_MS:
        return None
    seconds = stamp / 1000 if stamp > 1e11 else stamp
    return seconds if 1e9 < seconds < 1e10 else None


def _figures(raw: object) -> _Figures:
    """Figures whose numbers may be text, fractions or nothing."""
    given = raw if isinstance(raw, dict) else {}
    loose = {ours: _float(given.get(theirs)) for ours, theirs in _LOOSE.items()}
    levels = given.get("depth")
    return _Figures(**loose, depth=msgspec.Raw(json.dumps(levels, default=str).encode()))


def _float(raw: object) -> float | None:
    value = numbers.number(raw)
    return None if value is None else float(value)


def _order_update(body: Mapping[str, object]) -> OrderUpdate:
    row = Row(dict(body), "order update", 1)
    return OrderUpdate(
        order_id=row.order_id(),
        contract=row.booked_contract(),
        side=row.side(),
        units=row.units("quantity", least=0),
        status=words.order_status(row.raw("order_status")),
        filled=Units(row.units("filled_quantity", least=0)),
        average=numbers.positive(row.raw("average_price")),
        reject_reason=parse.reject_reason(row.raw("rejection_reason")),
        mode=row.text("mode"),
        product=row.text("product"),
        price_type=row.text("pricetype").upper(),
        price=numbers.positive(row.raw("price")) or Decimal(0),
        trigger_price=numbers.positive(row.raw("trigger_price")) or Decimal(0),
    )


def _pong(body: Mapping[str, object]) -> Pong | Unusable:
    server_ms = numbers.whole(body.get("server_timestamp"))
    return Unusable("a pong without a time") if server_ms is None else Pong(server_ms)


def _acknowledgement(kind: str, body: Mapping[str, object]) -> Frame:
    if kind == "auth":
        return Authenticated(str(body.get("broker") or "")) if body.get("status") == "success" else _auth_error(body)
    if kind == "unsubscribe":
        return Unsubscribed(frozenset(key for key, _, _ in _answered(body.get("successful"))))
    rows = _answered(body.get("subscriptions"))
    return Subscribed(
        confirmed=frozenset(key for key, ok, _ in rows if ok),
        refused=tuple((key, said) for key, ok, said in rows if not ok),
        request=numbers.whole(body.get("request_id")),
    )


def _auth_error(body: Mapping[str, object]) -> ErrorFrame:
    return ErrorFrame(str(body.get("code") or "AUTHENTICATION_ERROR"), str(body.get("message") or "no reason given"))


def _answered(raw: object) -> list[tuple[ContractKey, bool, str]]:
    """Each contract of an acknowledgement, whether it was granted, and the words when it was not."""
    found = []
    for row in raw if isinstance(raw, list) else []:
        key = words.contract_key(row.get("exchange"), row.get("symbol")) if isinstance(row, dict) else None
        if key is not None:
            found.append((key, row.get("status") == "success", str(row.get("message") or "no reason given")))
    return found
