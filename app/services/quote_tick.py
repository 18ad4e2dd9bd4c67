"""A REST quote in the shape of a tick, so that the price board knows one thing only."""

from app.domain.books import Quote
from app.domain.contracts import ContractKey
from app.ports.feed import Tick


def tick_of(key: ContractKey, quote: Quote) -> Tick:
    """It carries no size at the touch, so none is claimed (0 units)."""
    return Tick(
        key=key,
        ltp=float(quote.ltp),
        at=None,
        open=None if quote.open is None else float(quote.open),
        high=None if quote.high is None else float(quote.high),
        low=None if quote.low is None else float(quote.low),
        previous_close=None if quote.previous_close is None else float(quote.previous_close),
        volume=quote.volume,
        bids=() if quote.bid is None else ((float(quote.bid), 0),),
        asks=() if quote.ask is None else ((float(quote.ask), 0),),
    )
