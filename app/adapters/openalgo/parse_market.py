"""From a gateway's decoded answers to quotes, margins, freeze limits and trading hours."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from app.adapters.openalgo import numbers, words
from app.adapters.openalgo.rows import Row, mapping, rows, shown, unreadable
from app.domain.books import Quote
from app.domain.calendar import IST, Session
from app.domain.calendar_hours import Holiday
from app.domain.contracts import ContractKey
from app.domain.money import Units
from app.ports.gateway import GatewayRefused, TradingHours

Body = Mapping[str, object]


def quotes(body: Body) -> dict[ContractKey, Quote]:
    """Those contracts that have a price above 0. A row with an error, or of zeros, is left out."""
    found: dict[ContractKey, Quote] = {}
    for row in rows(body.get("results"), "quotes"):
        key, figures = row.contract(), row.raw("data")
        if key is None or not isinstance(figures, dict):
            continue
        quote = _quote(figures)
        if quote is not None:
            found[key] = quote
    return found


def _quote(figures: Mapping[str, object]) -> Quote | None:
    ltp = numbers.positive(figures.get("ltp"))
    if ltp is None:
        return None
    return Quote(
        ltp=ltp,
        bid=numbers.positive(figures.get("bid")),
        ask=numbers.positive(figures.get("ask")),
        open=numbers.positive(figures.get("open")),
        high=numbers.positive(figures.get("high")),
        low=numbers.positive(figures.get("low")),
        previous_close=numbers.positive(figures.get("prev_close")),
        volume=numbers.whole(figures.get("volume")),
        open_interest=numbers.whole(figures.get("oi")),
    )


def margin(body: Body) -> Decimal:
    """Rupees above 0. Only the total is read: its parts mean different things at different brokers."""
    total = mapping(body.get("data"), "margin").get("total_margin_required")
    found = numbers.positive(total)
    if found is None:
        raise GatewayRefused(f"The gateway gives no margin for these legs: the total it names is {shown(total)}.")
    return found


def freeze_limit(body: Body, underlying: str) -> Units | None:
    """The least limit among the contracts of that index; None when the gateway knows none (it says 1 then)."""
    limits = [
        limit
        for row in rows(body.get("data"), "contract search")
        if _is_of(row, underlying) and (limit := numbers.whole(row.raw("freeze_qty"))) is not None and limit > 1
    ]
    return Units(min(limits)) if limits else None


def _is_of(row: Row, underlying: str) -> bool:
    terms = words.contract_terms(row.text("symbol"))
    return terms is not None and terms.underlying == underlying


def trading_hours(body: Body, day: date) -> list[TradingHours]:
    """Hours of each exchange open on that date, as the gateway gives them.

    A gateway whose machine reckons in UTC gives them 5 h 30 min late: `app.domain.calendar.sane_hours` finds that out.
    """
    hours = [_hours(row) for row in rows(body.get("data"), "trading hours")]
    for each in hours:
        if each.opens.astimezone(IST).date() != day:
            raise unreadable("trading hours", f"{each.exchange} opens at {each.opens:%Y-%m-%d %H:%M} UTC, not on {day}")
    return hours


def holidays(body: Body) -> list[Holiday]:
    """Rows as given. Raises NotOpenAlgo for a date that is none, or exchanges that are no list."""
    return [_holiday(row) for row in rows(body.get("data"), "holidays")]


def _holiday(row: Row) -> Holiday:
    try:
        day = date.fromisoformat(row.text("date"))
    except ValueError:
        raise unreadable("holidays", f"{shown(row.raw('date'))} is no date") from None
    closed = row.raw("closed_exchanges")
    if closed is not None and not isinstance(closed, list):
        raise unreadable("holidays", f"the closed exchanges of {day} are {shown(closed)}")
    opened = row.raw("open_exchanges")
    special = [] if opened is None else [_hours(each) for each in rows(opened, "holidays")]
    return Holiday(
        day=day,
        name=row.text("description"),
        closed=frozenset(str(each) for each in closed or []),
        special={each.exchange: Session(each.opens, each.closes) for each in special},
    )


def _hours(row: Row) -> TradingHours:
    exchange = row.text("exchange")
    opens, closes = (_instant(row.raw(name), exchange) for name in ("start_time", "end_time"))
    if not exchange or opens >= closes:
        raise unreadable("trading hours", f"{exchange or 'a nameless exchange'} opens at {opens}, closes at {closes}")
    return TradingHours(exchange, opens, closes)


def _instant(raw: object, exchange: str) -> datetime:
    """Aware UTC of epoch milliseconds."""
    milliseconds = numbers.whole(raw)
    if milliseconds is None or not 0 < milliseconds < 10**13:
        raise unreadable("trading hours", f"{shown(raw)} of {exchange} is no time in milliseconds")
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
