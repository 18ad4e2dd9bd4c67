"""The books merged over accounts; what cannot be read is said, never shown as empty."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from app.domain.books import BrokerOrder, BrokerPosition, BrokerTrade, Holding, OrderStatus
from app.domain.calendar import IST, trading_date
from app.domain.contracts import Contract, ContractKey
from app.domain.errors import Unavailable
from app.domain.orders import OPEN, IntentState
from app.domain.positions import unrealised
from app.domain.wording import contract_name
from app.persistence.database import Database
from app.persistence.tables import Intent
from app.ports.clock import Clock, MarketClock
from app.services.accounts import AccountRow, Accounts, Actor
from app.services.book_ledger import OurOrders, OurPosition, our_orders, our_positions
from app.services.book_lines import (
    FundsLine,
    FundsSummary,
    HoldingLine,
    HoldingSummary,
    Merged,
    OrderLine,
    OrderSummary,
    PositionLine,
    PositionSummary,
    Source,
    TradeLine,
    TradeSummary,
)
from app.services.book_reader import FUNDS, HOLDINGS, ORDERS, POSITIONS, TRADES, AccountBook, BookReader
from app.services.shown_prices import Prices

R = TypeVar("R")

_NEVER_FILLED = frozenset({IntentState.READY, IntentState.DENIED, IntentState.NOT_SENT, IntentState.REJECTED})


class BookPages:
    """Thread-safe. Each call reads the gateways of the accounts that the user may see, side by side."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        reader: BookReader,
        prices: Prices,
        clock: Clock,
        market_clock: MarketClock,
        *,
        contract_of: Callable[[ContractKey], Contract | None],
    ) -> None:
        """`contract_of` gives None for a contract that today's list does not have."""
        self._database = database
        self._accounts = accounts
        self._reader = reader
        self._prices = prices
        self._clock = clock
        self._market_clock = market_clock
        self._contract_of = contract_of

    def orders(self, viewer: Actor) -> Merged[OrderLine, OrderSummary]:
        """Broker's rows and our intents together: an order of ours that no book shows is there with its own state."""
        accounts = self._accounts.shown_to(viewer)
        books = self._reader.read(ORDERS, accounts)
        ours = self._our_orders(accounts)
        by_order = ours.by_order()
        rows: list[OrderLine] = []
        shown: set[int] = set()
        for book in books:
            for order in reversed(book.value or []):
                intent = by_order.get((book.account.id, order.order_id))
                rows.append(self._order(book.account, order, intent, ours))
                shown.update({intent.id} if intent else ())
        names = {account.id: account.name for account in accounts}
        unseen = [self._intent(names[one.account_id], one, ours) for one in ours.intents if one.id not in shown]
        rows = [*unseen, *rows]
        return Merged(tuple(rows), _order_summary(rows), _sources(books))

    def trades(self, viewer: Actor) -> Merged[TradeLine, TradeSummary]:
        accounts = self._accounts.shown_to(viewer)
        books = self._reader.read(TRADES, accounts)
        ours = self._our_orders(accounts)
        by_order = ours.by_order()
        rows = [
            self._trade(book.account, trade, by_order.get((book.account.id, trade.order_id)), ours)
            for book in books
            for trade in reversed(book.value or [])
        ]
        summary = TradeSummary(len(rows), sum((row.value for row in rows), Decimal(0))) if rows else None
        return Merged(tuple(rows), summary, _sources(books))

    def positions(self, viewer: Actor) -> Merged[PositionLine, PositionSummary]:
        """Open ones first. A position that our fills do not explain is foreign."""
        accounts = self._accounts.shown_to(viewer)
        books = self._reader.read(POSITIONS, accounts)
        with self._database.reading() as session:
            ours = our_positions(session, [account.id for account in accounts], self._midnight())
        rows = [
            self._position(book, position, ours.get((book.account.id, position.contract, position.product)))
            if position.contract
            else self._position(book, position, None)
            for book in books
            for position in book.value or []
        ]
        rows.sort(key=lambda row: row.net == 0)
        unread = any(book.reason for book in books)
        return Merged(tuple(rows), _position_summary(rows, unread=unread), _sources(books))

    def holdings(self, viewer: Actor) -> Merged[HoldingLine, HoldingSummary]:
        books = self._reader.read(HOLDINGS, self._accounts.shown_to(viewer))
        rows = [self._holding(book.account, held) for book in books for held in book.value or []]
        summary = None
        if rows:
            summary = HoldingSummary(len(rows), _whole([row.value for row in rows]), _whole([row.pnl for row in rows]))
        return Merged(tuple(rows), summary, _sources(books))

    def funds(self, viewer: Actor, only: Collection[int] | None = None) -> Merged[FundsLine, FundsSummary]:
        """One row for each account, read or not; `only` some of them where that is given."""
        accounts = [each for each in self._accounts.shown_to(viewer) if only is None or each.id in only]
        books = self._reader.read(FUNDS, accounts)
        rows = []
        for book in books:
            funds = book.value
            rows.append(
                FundsLine(
                    account_id=book.account.id,
                    account=book.account.name,
                    available=funds.available if funds else None,
                    collateral=funds.collateral if funds else None,
                    used=funds.used if funds else None,
                    used_pct=_used_pct(funds.used, funds.available) if funds else None,
                    realised=funds.realised if funds else None,
                    unrealised=funds.unrealised if funds else None,
                    at=book.at,
                    reason=book.reason,
                )
            )
        return Merged(tuple(rows), _funds_summary(rows), _sources(books))

    def _our_orders(self, accounts: Sequence[AccountRow]) -> OurOrders:
        try:
            today = trading_date(self._market_clock.now())
        except Unavailable:  # those made since midnight, or open still, are shown all the same
            today = None
        with self._database.reading() as session:
            return our_orders(session, [account.id for account in accounts], today, self._midnight())

    def _midnight(self) -> datetime:
        """When today began in India, on real time."""
        now = self._clock.now().astimezone(IST)
        return now - timedelta(hours=now.hour, minutes=now.minute, seconds=now.second, microseconds=now.microsecond)

    def _order(self, account: AccountRow, order: BrokerOrder, intent: Intent | None, ours: OurOrders) -> OrderLine:
        units, worth = ours.filled.get(intent.id, (0, Decimal(0))) if intent else (0, Decimal(0))
        return OrderLine(
            account=account.name,
            at=order.placed_at,
            contract=self._name(order.contract),
            side=order.side.value,
            product=order.product,
            price_type=order.price_type,
            units=order.units,
            lot_size=self._lot_size(order.contract),
            filled_units=units or _filled(order),
            price=order.price or None,
            trigger_price=order.trigger_price or None,
            average=worth / units if units else order.average,
            state=order.status.value,
            message=order.reject_reason or (intent.reason if intent else None),
            purpose=intent.purpose if intent else None,
            run_id=intent.run_id if intent else ours.adopted.get((account.id, order.order_id)),
            foreign=intent is None,
            broker_id=order.order_id,
        )

    def _intent(self, account: str, intent: Intent, ours: OurOrders) -> OrderLine:
        units, worth = ours.filled.get(intent.id, (0, Decimal(0)))
        never = IntentState(intent.state) in _NEVER_FILLED
        key = ContractKey(intent.exchange, intent.symbol)
        return OrderLine(
            account=account,
            at=intent.sent_at or intent.created_at,
            contract=self._name(key),
            side=intent.side,
            product=intent.product,
            price_type="LIMIT",
            units=intent.units,
            lot_size=ours.lot_sizes.get(intent.execution_id),
            filled_units=units if units or never else None,
            price=intent.limit_price,
            trigger_price=None,
            average=worth / units if units else None,
            state=intent.state,
            message=intent.reason,
            purpose=intent.purpose,
            run_id=intent.run_id,
            foreign=False,
            broker_id=intent.order_id,
        )

    def _trade(self, account: AccountRow, trade: BrokerTrade, intent: Intent | None, ours: OurOrders) -> TradeLine:
        return TradeLine(
            account=account.name,
            at=trade.traded_at,
            contract=self._name(trade.contract),
            side=trade.side.value,
            product=trade.product,
            units=trade.units,
            lot_size=self._lot_size(trade.contract),
            price=trade.price,
            value=trade.price * trade.units,
            run_id=intent.run_id if intent else ours.adopted.get((account.id, trade.order_id)),
            foreign=intent is None,
            broker_id=trade.order_id,
        )

    def _position(
        self, book: AccountBook[list[BrokerPosition]], position: BrokerPosition, ours: OurPosition | None
    ) -> PositionLine:
        ltp, age_s = self._price(position, book.age_s)
        mine = ours is not None and (ours.moving or ours.state.units == position.net)
        realised, open_gain, mtm = _broker_money(position)
        if ours is not None and mine:
            realised = ours.state.realised
            # A flat position needs no price; any other without one has no known worth.
            open_gain = unrealised(ours.state, ltp or Decimal(0)) if ltp or not ours.state.units else None
            mtm = None if open_gain is None else realised + open_gain
        return PositionLine(
            account=book.account.name,
            contract=self._name(position.contract),
            product=position.product,
            net=position.net,
            lot_size=ours.lot_size if ours else self._lot_size(position.contract),
            average=ours.state.average if ours is not None and mine else position.average,
            ltp=ltp,
            age_s=age_s,
            realised=realised,
            unrealised=open_gain,
            mtm=mtm,
            run_id=ours.run_id if ours else None,
            foreign=not mine,
        )

    def _price(self, position: BrokerPosition, book_age_s: float | None) -> tuple[Decimal | None, float | None]:
        """The board's price with its age, else the book's with the book's."""
        key = position.contract
        latest = self._prices.latest(key) if key else None
        if key is not None and latest is not None:
            return latest.ltp, self._prices.age_s(key)
        return (position.ltp, book_age_s) if position.ltp is not None else (None, None)

    def _holding(self, account: AccountRow, held: Holding) -> HoldingLine:
        cost = held.average * held.units if held.average is not None else None
        value = cost + held.pnl if cost is not None and held.pnl is not None else None
        return HoldingLine(
            account=account.name,
            contract=self._name(held.contract),
            units=held.units,
            average=held.average,
            ltp=value / held.units if value is not None and held.units else None,
            value=value,
            pnl=held.pnl,
        )

    def _name(self, key: ContractKey | None) -> str:
        if key is None:
            return "unnamed contract"
        found = self._contract_of(key)
        return contract_name(found) if found else key.symbol

    def _lot_size(self, key: ContractKey | None) -> int | None:
        found = self._contract_of(key) if key else None
        return found.lot_size if found else None


def _filled(order: BrokerOrder) -> int | None:
    """What the book says was filled; where it does not say, only a finished order tells."""
    if order.filled is not None:
        return order.filled
    if order.status is OrderStatus.COMPLETE:
        return order.units
    return 0 if order.status is OrderStatus.REJECTED else None


def _broker_money(position: BrokerPosition) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """A broker's own figure does not say how much of it is realised, except of a flat position."""
    if position.net == 0:
        return position.pnl, Decimal(0), position.pnl
    return None, None, position.pnl


def _sources(books: Sequence[AccountBook[R]]) -> tuple[Source, ...]:
    return tuple(
        Source(book.account.name, "unreadable" if book.reason else "read", book.age_s, book.at, book.reason)
        for book in books
    )


def _whole(figures: Sequence[Decimal | None]) -> Decimal | None:
    """The sum, None as soon as one is not known: part of a sum is no sum."""
    known = [figure for figure in figures if figure is not None]
    return sum(known, Decimal(0)) if len(known) == len(figures) else None


def _order_summary(rows: Sequence[OrderLine]) -> OrderSummary | None:
    if not rows:
        return None
    unknown = IntentState.UNKNOWN.value
    open_words = {state.value for state in OPEN} - {unknown} | {OrderStatus.OPEN, OrderStatus.TRIGGER_PENDING}
    rejected = {OrderStatus.REJECTED, IntentState.REJECTED.value}
    return OrderSummary(
        orders=len(rows),
        open=sum(1 for row in rows if row.state in open_words),
        unknown=sum(1 for row in rows if row.state == unknown),
        rejected=sum(1 for row in rows if row.state in rejected),
    )


def _position_summary(rows: Sequence[PositionLine], *, unread: bool) -> PositionSummary | None:
    """An account that could not be read makes every sum unknown."""
    if not rows:
        return None
    held = sum(1 for row in rows if row.net)
    if unread:
        return PositionSummary(held, None, None, None)
    return PositionSummary(
        held,
        _whole([row.realised for row in rows]),
        _whole([row.unrealised for row in rows]),
        _whole([row.mtm for row in rows]),
    )


def _used_pct(used: Decimal | None, available: Decimal) -> int | None:
    if used is None or used + available <= 0:
        return None
    return max(0, min(100, round(used * 100 / (used + available))))


def _funds_summary(rows: Sequence[FundsLine]) -> FundsSummary | None:
    if not rows:
        return None
    return FundsSummary(
        _whole([row.available for row in rows]),
        _whole([row.collateral for row in rows]),
        _whole([row.used for row in rows]),
        _whole([row.realised for row in rows]),
        _whole([row.unrealised for row in rows]),
    )
