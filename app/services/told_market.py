"""What a process that leads tells the others: the words of it, and where they stand."""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

import msgspec

from app.domain.contracts import ContractKey
from app.services.account_health import AccountHealth
from app.services.candle_store import CandleView
from app.services.chain_view import ChainView
from app.services.onlookers import WantedCandles
from app.services.price_board import BoardDepth, BoardPrice

KEPT_S = 300.0
"""How long the others may show what a leader told last: its age stands beside it."""

MOST_TOLD = 400
"""Candles of one subject: what a page has room for."""

PRICES = "prices"
HEALTH = "account-health"


class ToldPrice(msgspec.Struct, frozen=True, array_like=True):
    """A price of the leader's board. Its ages, in seconds, are those of the moment it was told."""

    exchange: str
    symbol: str
    age_s: float
    ltp: Decimal
    bid: Decimal | None
    ask: Decimal | None
    volume: int | None
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    previous_close: Decimal | None
    source: str
    exchange_at: datetime | None
    received_at: datetime
    touch_age_s: float | None

    def on_board(self, told_at: float) -> BoardPrice:
        """As of a board in this process; `told_at` is on its monotonic clock."""
        touch_age_s = self.touch_age_s
        return BoardPrice(
            ltp=self.ltp,
            bid=self.bid,
            ask=self.ask,
            volume=self.volume,
            open=self.open,
            high=self.high,
            low=self.low,
            previous_close=self.previous_close,
            source=self.source,
            exchange_at=self.exchange_at,
            received=told_at - self.age_s,
            received_at=self.received_at,
            touch_received=None if touch_age_s is None else told_at - touch_age_s,
        )


class ToldDepth(msgspec.Struct, frozen=True, array_like=True):
    """Levels as in BoardDepth; None where nobody bid or offered anything yet."""

    age_s: float
    bids: tuple[tuple[Decimal, int], ...]
    asks: tuple[tuple[Decimal, int], ...]

    def on_board(self, told_at: float) -> BoardDepth:
        return BoardDepth(self.bids, self.asks, told_at - self.age_s)


def told_price(key: ContractKey, price: BoardPrice, now: float) -> ToldPrice:
    touch = price.touch_received
    return ToldPrice(
        exchange=key.exchange,
        symbol=key.symbol,
        age_s=round(now - price.received, 3),
        ltp=price.ltp,
        bid=price.bid,
        ask=price.ask,
        volume=price.volume,
        open=price.open,
        high=price.high,
        low=price.low,
        previous_close=price.previous_close,
        source=price.source,
        exchange_at=price.exchange_at,
        received_at=price.received_at,
        touch_age_s=None if touch is None else round(now - touch, 3),
    )


def chain_place(underlying: str, expiry: date | None = None) -> str:
    """Without an expiry: of the chain that is shown where none is named."""
    return f"chain:{underlying}" if expiry is None else f"chain:{underlying}:{expiry.isoformat()}"


def depth_place(key: ContractKey) -> str:
    return f"depth:{key.exchange}:{key.symbol}"


def candle_place(wanted: WantedCandles) -> str:
    legs = " ".join(f"{key.exchange}:{key.symbol}:{ratio!r}" for key, ratio in wanted.legs)
    named = hashlib.sha256(legs.encode()).hexdigest()[:24]
    return f"candles:{wanted.size}:{'closes' if wanted.of_closes else 'prices'}:{named}"


def prices_text(prices: Iterable[ToldPrice]) -> bytes:
    return msgspec.json.encode(list(prices))


HEALTH_OF = msgspec.json.Decoder(dict[int, AccountHealth])
PRICES_OF = msgspec.json.Decoder(list[ToldPrice])
CANDLES_OF = msgspec.json.Decoder(CandleView)
CHAIN_OF = msgspec.json.Decoder(ChainView)
DEPTH_OF = msgspec.json.Decoder(ToldDepth)
