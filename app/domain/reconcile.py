"""Settling what was sent by what the broker's books show: whose order a row is, and what it amounts to."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.books import BrokerOrder, BrokerTrade, OrderStatus
from app.domain.contracts import ContractKey, Product, Side
from app.domain.money import Units
from app.domain.orders import IntentState
from app.domain.outcomes import Verdict

QUIET_ANSWERED_S = 20.0
"""After an answer, how long an order may still appear: the gateway's own call has ended."""

QUIET_OPEN_S = 150.0
"""Without an answer: the gateway may be in its 120 s call, and the book may lag behind that."""


@dataclass(frozen=True, slots=True)
class QuietWindows:
    """Seconds after a send in which its order may still appear. Only gateways whose calls are known to end sooner may
    have shorter ones.
    """

    answered_s: float = QUIET_ANSWERED_S
    open_s: float = QUIET_OPEN_S

    def after(self, verdict: Verdict) -> float:
        return self.answered_s if verdict is Verdict.UNKNOWN_ANSWERED else self.open_s


QUIET = QuietWindows()

CLEAN_READS = 2
"""How many clean reads in a row have to show nothing before an order is taken to be absent."""


@dataclass(frozen=True, slots=True)
class UnknownIntent:
    """An order that was sent and may or may not stand. `since_send_s` is on the real, monotonic clock.

    `limit` is the price it was sent with, `trigger` the one it waits for; 0 where its price type has none.
    `verdict` UNKNOWN_ANSWERED has the short one of the `windows`, all else the long.
    """

    contract: ContractKey
    side: Side
    units: Units
    product: Product
    limit: Decimal
    verdict: Verdict
    since_send_s: float
    trigger: Decimal = Decimal(0)
    windows: QuietWindows = QUIET

    @property
    def is_quiet_over(self) -> bool:
        return self.since_send_s >= self.windows.after(self.verdict)


@dataclass(frozen=True, slots=True)
class BooksRead:
    """One successful read of an account's books, and how well it is borne out.

    `clean_reads` counts, this one included, consecutive reads of all three books that began after the quiet window
    and succeeded. `positions_agree`: the broker's net in that contract is what claimed orders and baseline explain.
    """

    orders: Sequence[BrokerOrder]
    trades: Sequence[BrokerTrade]
    clean_reads: int
    positions_agree: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """That order is the intent's."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be said yet. Read again. `is_odd`: past the time in which it should have become clear."""

    reason: str
    is_odd: bool = False


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Those orders cannot be told apart, or not from a stranger's. Count all as live and ask a human."""

    order_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Absent:
    """No such order stands at the broker: the intent was not sent."""


Finding = Claim | Wait | Ambiguous | Absent


def match_intent(
    intent: UnknownIntent, books: BooksRead, *, baseline: frozenset[str], claimed: frozenset[str]
) -> Finding:
    """What the books say of one intent. `baseline`: order ids known before the send; `claimed`: by other intents."""
    return match_slices((intent,), books, baseline=baseline, claimed=claimed)[0]


def match_slices(
    intents: Sequence[UnknownIntent], books: BooksRead, *, baseline: frozenset[str], claimed: frozenset[str]
) -> tuple[Finding, ...]:
    """One finding for each of some identical, interchangeable intents of one execution.

    Pass all that are unresolved, those whose call is still under way as well: with n sent and m found, m have landed.
    Should an answer name an order claimed for a sibling, the two may be exchanged. Raises ValueError for intents that
    differ in more than time and verdict.
    """
    if not intents:
        return ()
    first = intents[0]
    if any(_terms(intent) != _terms(first) for intent in intents):
        raise ValueError("Only identical slices can be matched together.")
    known = baseline | claimed
    mine, perhaps = _candidates(first, books, known)
    if len(mine) > len(intents):
        return (Ambiguous(mine),) * len(intents)
    left = tuple(_unfound(intent, books, known, perhaps) for intent in intents[len(mine) :])
    return (*(Claim(order_id) for order_id in mine), *left)


def lost_ids(known: frozenset[str], orders: Sequence[BrokerOrder]) -> frozenset[str]:
    """Order ids that a book of the same trading date should show and does not. A book that lost one is not clean."""
    return known - {order.order_id for order in orders}


def _terms(intent: UnknownIntent) -> tuple[object, ...]:
    return (intent.contract, intent.side, intent.units, intent.product, intent.limit, intent.trigger)


def _candidates(
    intent: UnknownIntent, books: BooksRead, known: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of new orders that are ours if anything is, and of those that cannot be ruled out."""
    mine: list[str] = []
    perhaps: list[str] = []
    for order in books.orders:
        if order.order_id in known or order.side is not intent.side or order.units != intent.units:
            continue
        if order.contract is None:  # the gateway could not name it
            perhaps.append(order.order_id)
        elif order.contract == intent.contract and _product_fits(order.product, intent.product):
            (mine if _price_fits(order, intent) else perhaps).append(order.order_id)
    perhaps.extend(_only_traded(intent, books, known))
    return tuple(dict.fromkeys(mine)), tuple(dict.fromkeys(perhaps))


def _only_traded(intent: UnknownIntent, books: BooksRead, known: frozenset[str]) -> list[str]:
    """Ids with trades but no order row yet: the order book lags."""
    listed = {order.order_id for order in books.orders}
    traded: dict[str, int] = {}
    for trade in books.trades:
        same = trade.side is intent.side and trade.contract in {intent.contract, None}
        if same and trade.order_id not in known | listed and _product_fits(trade.product, intent.product):
            traded[trade.order_id] = traded.get(trade.order_id, 0) + trade.units
    return [order_id for order_id, units in traded.items() if units <= intent.units]


def _product_fits(theirs: str, ours: Product) -> bool:
    # A broker's own word, or none, tells nothing.
    return theirs == ours.value or theirs not in set(Product)


def _price_fits(order: BrokerOrder, intent: UnknownIntent) -> bool:
    """The limit we sent; or none shown; or, once something filled, an average no worse than it, as some books show."""
    if intent.trigger and order.trigger_price > 0 and order.trigger_price != intent.trigger:
        return False
    if order.price <= 0 or order.price == intent.limit:
        return True
    if not intent.limit:  # a stop at market, to which its broker may have given a limit
        return order.trigger_price == intent.trigger
    has_filled = order.status is OrderStatus.COMPLETE or bool(order.filled)
    return has_filled and (intent.limit - order.price) * intent.side.sign > 0


def _unfound(intent: UnknownIntent, books: BooksRead, known: frozenset[str], perhaps: tuple[str, ...]) -> Finding:
    if not intent.is_quiet_over:
        return Wait("An order may still appear.")
    if perhaps:
        return Ambiguous(perhaps)
    lost = lost_ids(known, books.orders)
    if lost:
        return Wait(f"The order book lost known orders: {', '.join(sorted(lost))}.")
    if not books.positions_agree:
        return Wait("The position moved without an order to explain it.", is_odd=True)
    if books.clean_reads < CLEAN_READS:
        return Wait("One more clean read of the books is needed.")
    return Absent()


@dataclass(frozen=True, slots=True)
class TradeFill:
    """One trade row as a fill. Live rows have no id: `ordinal` counts equal rows of an order, from 1.

    (order_id, units, price, traded_at, ordinal) is the same in every read of the book, in whatever order it lists.
    """

    order_id: str
    side: Side
    units: Units
    price: Decimal
    traded_at: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What an order's row and trades amount to. `fills` are all its trades so far.

    `missing` is how many units the row says were filled whose trades are not there yet: read again until it is 0.
    `doubt` is a sentence for a human when row and trades contradict each other, else None.
    """

    state: IntentState
    fills: tuple[TradeFill, ...]
    missing: Units
    doubt: str | None = None


def fills_of(order_id: str, trades: Sequence[BrokerTrade]) -> tuple[TradeFill, ...]:
    """The order's fills from the trade book alone. Rows without units or price are not fills yet and are left out."""
    seen: dict[tuple[int, Decimal, str], int] = {}
    fills: list[TradeFill] = []
    for trade in trades:
        if trade.order_id != order_id or trade.units <= 0 or trade.price <= 0:
            continue
        row = (trade.units, trade.price, trade.traded_at)
        seen[row] = seen.get(row, 0) + 1
        fills.append(TradeFill(order_id, trade.side, trade.units, trade.price, trade.traded_at, seen[row]))
    return tuple(fills)


def settle(order: BrokerOrder, trades: Sequence[BrokerTrade], *, confirmed: bool = True) -> Settled:
    """The state an order's row and trades prove, never more.

    FILLED needs every unit in trades, or in the row's own filled quantity. CANCELLED keeps its fills. A row can carry
    the previous row's word: pass `confirmed` False the first time REJECTED or CANCELLED is read with no push to bear
    it out, and the order stays WORKING.
    """
    fills = fills_of(order.order_id, trades)
    traded = sum(fill.units for fill in fills)
    said = max(order.filled or 0, order.units if order.status is OrderStatus.COMPLETE else 0)
    missing = Units(max(said - traded, 0))
    state = _state(order, traded, missing) if order.units > 0 else IntentState.WORKING
    if not confirmed and state in {IntentState.REJECTED, IntentState.CANCELLED}:
        state = IntentState.WORKING
    return Settled(state, fills, missing, _doubt(order, traded))


def _state(order: BrokerOrder, traded: int, missing: int) -> IntentState:
    if max(traded, order.filled or 0) >= order.units:
        return IntentState.FILLED
    if order.status is OrderStatus.CANCELLED and not missing:
        return IntentState.CANCELLED
    if order.status is OrderStatus.REJECTED and not traded and not order.filled:
        return IntentState.REJECTED
    return IntentState.WORKING


def _doubt(order: BrokerOrder, traded: int) -> str | None:
    if order.units <= 0:
        return f"Order {order.order_id} is listed with {order.units} units."
    if traded > order.units:
        return f"Trades of order {order.order_id} add up to {traded} of its {order.units} units."
    if order.status is OrderStatus.REJECTED and (traded or order.filled):
        return f"Order {order.order_id} is called rejected and has fills."
    return None
