"""From a gateway's decoded answers to books, funds and holdings. A field that decides must be there; no row is dropped.

The argument is always the answer's whole JSON object, already known to say `success`.
"""

from collections.abc import Mapping
from decimal import Decimal

from app.adapters.openalgo import numbers, words
from app.adapters.openalgo.rows import Row, mapping, rows, unreadable
from app.domain.books import BrokerOrder, BrokerPosition, BrokerTrade, Funds, Holding
from app.domain.money import Units
from app.domain.plan import Mode
from app.ports.gateway import LoggedOut, NotOpenAlgo

Body = Mapping[str, object]


def broker(body: Body) -> str:
    """The broker's name in the answer to a ping."""
    name = mapping(body.get("data"), "ping").get("broker")
    if not isinstance(name, str) or not name.strip():
        raise NotOpenAlgo("The gateway does not name its broker. Check that the address is an OpenAlgo gateway's.")
    return name.strip()


def mode(body: Body) -> Mode:
    """Live or analyzer, from the answer about the switch. Its two fields must agree."""
    switch = mapping(body.get("data"), "mode")
    for found, analyze in ((Mode.LIVE, False), (Mode.PAPER, True)):
        if switch.get("mode") == found.value and switch.get("analyze_mode") is analyze:
            return found
    raise unreadable("mode", f"it says mode {switch.get('mode')!r}, analyze_mode {switch.get('analyze_mode')!r}")


def funds(body: Body) -> Funds:
    """Raises LoggedOut for the empty object that adapters give when the broker refuses their token."""
    figures = mapping(body.get("data"), "funds")
    if not figures:
        raise LoggedOut(
            "The gateway gives no funds at all: its broker session has ended. Log in to OpenAlgo there, then try again."
        )
    available = numbers.number(figures.get("availablecash"))
    if available is None:
        raise unreadable("funds", f"availablecash is {figures.get('availablecash')!r}")
    return Funds(
        available=available,
        collateral=numbers.number(figures.get("collateral")),
        used=numbers.number(figures.get("utiliseddebits")),
        realised=numbers.number(figures.get("m2mrealized")),
        unrealised=numbers.number(figures.get("m2munrealized")),
    )


def order_book(body: Body) -> list[BrokerOrder]:
    book = mapping(body.get("data"), "order book")
    return [_order(row) for row in rows(book.get("orders"), "order book")]


def _order(row: Row) -> BrokerOrder:
    price_type = row.text("pricetype").upper()
    filled = numbers.whole(row.raw("filled_quantity"))
    return BrokerOrder(
        order_id=row.order_id(),
        contract=row.booked_contract(),
        side=row.side(),
        units=row.units("quantity", least=0),
        product=row.text("product"),
        price_type=price_type,
        price=row.price_unless("price", unused=price_type not in {"LIMIT", "SL"}),
        trigger_price=row.price_unless("trigger_price", unused=price_type not in {"SL", "SL-M"}),
        status=words.order_status(row.raw("order_status", "status")),
        placed_at=row.text("timestamp"),
        filled=None if filled is None or filled < 0 else Units(filled),
        average=numbers.positive(row.raw("average_price")),
        reject_reason=reject_reason(row.raw("rejection_reason", "reason")),
    )


def reject_reason(raw: object) -> str | None:
    """The broker's reason, None where there is none or it is blank."""
    return raw.strip() or None if isinstance(raw, str) else None


def trade_book(body: Body) -> list[BrokerTrade]:
    return [_trade(row) for row in rows(body.get("data"), "trade book")]


def _trade(row: Row) -> BrokerTrade:
    return BrokerTrade(
        order_id=row.order_id(),
        contract=row.booked_contract(),
        side=row.side(),
        units=row.units("quantity", least=1),
        price=row.price("average_price", "price"),
        product=row.text("product"),
        traded_at=row.text("timestamp"),
    )


def position_book(body: Body) -> list[BrokerPosition]:
    return [_position(row) for row in rows(body.get("data"), "position book")]


def _position(row: Row) -> BrokerPosition:
    net = row.units("quantity")
    average = numbers.positive(row.raw("average_price"))
    return BrokerPosition(
        contract=row.booked_contract(),
        product=row.text("product"),
        net=net,
        average=average,
        ltp=numbers.positive(row.raw("ltp", "last_price")),
        pnl=_credible(numbers.number(row.raw("pnl")), net=net, average=average),
    )


def _credible(pnl: Decimal | None, *, net: int, average: Decimal | None) -> Decimal | None:
    """A broker's P&L of an open position whose average it does not know is no P&L."""
    return None if net and average is None else pnl


def holdings(body: Body) -> list[Holding]:
    book = mapping(body.get("data"), "holdings")
    return [_holding(row) for row in rows(book.get("holdings"), "holdings")]


def _holding(row: Row) -> Holding:
    return Holding(
        contract=row.contract(),
        units=row.units("quantity"),
        product=row.text("product"),
        average=numbers.positive(row.raw("average_price")),
        pnl=numbers.number(row.raw("pnl")),
    )
