"""What trading costs beside the price: brokerage, taxes and fees by the dated rates of the market rules. An estimate:
the broker's contract note is what counts.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from app.domain.contracts import Kind, Side
from app.domain.errors import Refused
from app.domain.market_rules import RuleBook, RuleKind
from app.domain.money import ZERO, rupees
from app.domain.tariffs import Tariff

_HUNDRED = Decimal(100)
_RUPEE = Decimal(1)

_EXCHANGE = {
    ("NFO", True): RuleKind.FEE_NFO_OPTION,
    ("BFO", True): RuleKind.FEE_BFO_OPTION,
    ("NFO", False): RuleKind.FEE_NFO_FUTURE,
    ("BFO", False): RuleKind.FEE_BFO_FUTURE,
}


@dataclass(frozen=True, slots=True)
class Trade:
    """Units that changed hands, or would, at a price. `order` tells trades of one order from those of another.

    `settled`: they were held when the contract expired, and no order closed them; `side` is that of a close.
    """

    exchange: str
    kind: Kind
    side: Side
    units: int
    price: Decimal
    order: Hashable
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Charges:
    """Rupees, each positive or 0: what one account pays on one day."""

    brokerage: Decimal = ZERO
    stt: Decimal = ZERO
    exchange: Decimal = ZERO
    sebi: Decimal = ZERO
    stamp: Decimal = ZERO
    gst: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.brokerage + self.stt + self.exchange + self.sebi + self.stamp + self.gst

    def plus(self, other: "Charges") -> "Charges":
        return Charges(
            self.brokerage + other.brokerage,
            self.stt + other.stt,
            self.exchange + other.exchange,
            self.sebi + other.sebi,
            self.stamp + other.stamp,
            self.gst + other.gst,
        )


def charges(trades: Iterable[Trade], book: RuleBook, on: date, tariff: Tariff | None = None) -> Charges:
    """What one account pays for its trades of one day. Raises MissingRule naming the rate that is not known, and
    Refused for an exchange that this desk does not trade on.

    Brokerage counts once for each order, by the account's own tariff, None for that of the market rules. Transaction
    tax is on sales, stamp duty on purchases, both rounded to the rupee over the whole day as a contract note does; GST
    is on brokerage and both fees. Of what was settled at its expiry a bought option pays tax on what it was worth, a
    sold one nothing; what a future pays is in no source known here, so Refused is raised. Fees of brokers for that are
    not reckoned.
    """
    every = tuple(trades)
    known = tuple(trade for trade in every if not trade.settled)
    exercised = sum((_exercised(trade, book, on) for trade in every if trade.settled), ZERO)
    if not known:
        return Charges(stt=exercised.quantize(_RUPEE, ROUND_HALF_UP))
    stt = exercised
    stamp = exchange = turnover = ZERO
    for trade in known:
        worth = trade.price * trade.units
        turnover += worth
        exchange += worth * _share(book, _exchange_rule(trade), on)
        if trade.side is Side.SELL:
            stt += worth * _share(book, RuleKind.STT_OPTION if trade.kind.is_option else RuleKind.STT_FUTURE, on)
        else:
            stamp += worth * _share(book, RuleKind.STAMP_OPTION if trade.kind.is_option else RuleKind.STAMP_FUTURE, on)
    brokerage = _brokerage(known, tariff or Tariff(book.rule(RuleKind.BROKERAGE, None, on).value))
    sebi = turnover * _share(book, RuleKind.SEBI_FEE, on)
    gst = (brokerage + exchange + sebi) * _share(book, RuleKind.GST, on)
    return Charges(
        rupees(brokerage),
        stt.quantize(_RUPEE, ROUND_HALF_UP),
        rupees(exchange),
        rupees(sebi),
        stamp.quantize(_RUPEE, ROUND_HALF_UP),
        rupees(gst),
    )


def of_days(days: Iterable[tuple[date, Sequence[Trade], Tariff | None]], book: RuleBook) -> Charges:
    """The sum over accounts and days, each with its own rates. Raises as `charges`."""
    total = Charges()
    for on, trades, tariff in days:
        total = total.plus(charges(trades, book, on, tariff))
    return total


def _exercised(trade: Trade, book: RuleBook, on: date) -> Decimal:
    if not trade.kind.is_option:
        raise Refused("What the settlement of a future costs is not known here: no source says it.")
    if trade.side is not Side.SELL or trade.price == 0:
        return ZERO
    return trade.price * trade.units * _share(book, RuleKind.STT_EXERCISE, on)


def _brokerage(trades: Iterable[Trade], tariff: Tariff) -> Decimal:
    """Each order by its whole turnover, rounded to the paisa."""
    turnover: dict[Hashable, Decimal] = {}
    for trade in trades:
        turnover[trade.order] = turnover.get(trade.order, ZERO) + trade.price * trade.units
    return sum((rupees(tariff.of(each)) for each in turnover.values()), ZERO)


def _share(book: RuleBook, kind: RuleKind, on: date) -> Decimal:
    return book.rule(kind, None, on).value / _HUNDRED


def _exchange_rule(trade: Trade) -> RuleKind:
    found = _EXCHANGE.get((trade.exchange, trade.kind.is_option))
    if found is None:
        raise Refused(f"There is no fee known for trades on {trade.exchange}.")
    return found
