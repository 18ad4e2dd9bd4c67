"""Short ways to say an order, a margin leg and a venue in the simulator's tests."""

from datetime import date, time
from decimal import Decimal

from simulator.account import SimAccount
from simulator.contracts import Contract
from simulator.holdings import MarginLeg
from simulator.orders import Accepted, Action, OrderRequest, OrderView, PriceType, Product
from simulator.venue import Venue

CALL = "NIFTY01DEC2625000CE"
PUT = "NIFTY01DEC2625000PE"
FAR_CALL = "NIFTY01DEC2625300CE"
FUTURE = "NIFTY29DEC26FUT"
LOT = 65
MONDAY = date(2026, 11, 23)


def open_venue(*, accounts: int = 1, at: time = time(10, 0), seed: int = 7, cash: int = 5_000_000) -> Venue:
    """A venue on Monday 23 November 2026, in the middle of the morning unless told otherwise."""
    return Venue(seed=seed, accounts=accounts, at=at, cash=(cash,))


def first(venue: Venue) -> SimAccount:
    """Account 1."""
    return venue.accounts[0]


def ask(
    symbol: str = CALL,
    action: Action = "BUY",
    units: int = LOT,
    pricetype: PriceType = "MARKET",
    product: Product = "NRML",
    *,
    price: str = "0",
    trigger: str = "0",
    exchange: str = "NFO",
) -> OrderRequest:
    """An order request; by default one lot of CALL bought at market."""
    return OrderRequest(symbol, exchange, action, units, pricetype, product, Decimal(price), Decimal(trigger))


def placed(account: SimAccount, request: OrderRequest) -> OrderView:
    """Place an order that must be accepted; its row in the book."""
    reply = account.place(request)
    assert isinstance(reply, Accepted), reply
    return row(account, reply.orderid)


def row(account: SimAccount, orderid: str) -> OrderView:
    """An order's row, which must be in the book."""
    found = account.order(orderid)
    assert found is not None
    return found


def listed(venue: Venue, symbol: str, exchange: str = "NFO") -> Contract:
    """A contract that must be listed."""
    found = venue.contract(symbol, exchange)
    assert found is not None
    return found


def leg(symbol: str, action: Action, units: int = LOT, product: Product = "NRML") -> MarginLeg:
    """One leg of a margin question, at market."""
    return MarginLeg(symbol, "NFO", action, units, product, Decimal(0))


def on_tick(price: float, tick: str = "0.05") -> str:
    """A price as text, rounded down to the tick."""
    step = Decimal(tick)
    return str(Decimal(f"{price:.2f}") // step * step)
