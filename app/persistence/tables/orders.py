"""The order ledger: intents before they are sent, the broker's orders as its books show them, and fills."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.persistence.database import Table
from app.persistence.types import Instant, PriceRupees


class Intent(Table):
    """An order we decided, one row per slice, committed before anything is sent.

    Unique on (execution, purpose, generation, slice): four triggers in one millisecond make one exit. `baseline` holds
    the broker's order ids known when it was claimed, so that a new id can be recognised later; None until claimed. It
    is long and looked at for lost orders alone, so it is loaded when asked for.
    `baseline_carry` is the signed net position that the trades of the day did not explain at that moment; None when the
    books had not been read. `limit_price` is what was sent, or shown at preview, and `worst_price` how far an entry may
    be re-priced; both are None for an exit that is not priced yet. `cancel_asked_at` is when we asked the broker to
    cancel it; None: never.
    `price_type` is what the trader chose: MARKET is sent as a protected limit, LIMIT, SL and SL-M as typed, with the
    trigger as `limit_price` for SL-M. `wish` is what the trader wants of it since: CANCEL, or MARKET for its rest.
    `asked_limit` and `asked_trigger` are the prices of a change until the broker's book shows them, `modify_sent_at`
    when that change was sent; None: not yet. `price_steps` is how many steps an exit gives away, because those before
    it stood unfilled or were refused for their price. `set_aside_at` is when a person chose not to wait any longer for
    what became of this exit, so that it keeps no new one of its own execution from going; None: never.
    """

    __tablename__ = "intents"

    id: Mapped[int] = mapped_column(primary_key=True)
    execution_id: Mapped[int] = mapped_column(ForeignKey("strategy_executions.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"))
    purpose: Mapped[str] = mapped_column(String(8))
    generation: Mapped[int]
    slice: Mapped[int]
    exchange: Mapped[str] = mapped_column(String(16))
    symbol: Mapped[str] = mapped_column(String(64))
    product: Mapped[str] = mapped_column(String(8))
    side: Mapped[str] = mapped_column(String(4))
    units: Mapped[int]
    limit_price: Mapped[Decimal | None] = mapped_column(PriceRupees)
    worst_price: Mapped[Decimal | None] = mapped_column(PriceRupees)
    state: Mapped[str] = mapped_column(String(16))
    epoch: Mapped[int | None]
    baseline: Mapped[list[str] | None] = mapped_column(JSON, deferred=True)
    baseline_carry: Mapped[int | None]
    weak_baseline: Mapped[bool] = mapped_column(default=False)
    order_id: Mapped[str | None] = mapped_column(String(64))
    trading_date: Mapped[date | None] = mapped_column(Date)
    verdict: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    cancel_asked_at: Mapped[datetime | None] = mapped_column(Instant)
    price_type: Mapped[str] = mapped_column(String(8), default="MARKET")
    trigger_price: Mapped[Decimal | None] = mapped_column(PriceRupees)
    wish: Mapped[str | None] = mapped_column(String(8))
    asked_limit: Mapped[Decimal | None] = mapped_column(PriceRupees)
    asked_trigger: Mapped[Decimal | None] = mapped_column(PriceRupees)
    modify_sent_at: Mapped[datetime | None] = mapped_column(Instant)
    price_steps: Mapped[int] = mapped_column(default=0)
    set_aside_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("execution_id", "purpose", "generation", "slice"),
        UniqueConstraint("account_id", "trading_date", "order_id"),
        CheckConstraint("units > 0", name="units"),
        Index("ix_intents_account_id_state", "account_id", "state"),
        Index("ix_intents_account_id_sent_at", "account_id", "sent_at"),
    )


class Order(Table):
    """An order at the broker, as its book last showed it; ours or foreign. `filled` is summed from trades.

    `trigger_price` is 0 where the order has none, None for rows from before it was kept. `adoption_id` is set on a
    foreign order whose units somebody adopted: it stays foreign, and is nobody else's any more.
    """

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"))
    trading_date: Mapped[date] = mapped_column(Date)
    order_id: Mapped[str] = mapped_column(String(64))
    intent_id: Mapped[int | None] = mapped_column(ForeignKey("intents.id"), unique=True)
    adoption_id: Mapped[int | None] = mapped_column(ForeignKey("adoptions.id"), index=True)
    exchange: Mapped[str | None] = mapped_column(String(16))
    symbol: Mapped[str | None] = mapped_column(String(64))
    side: Mapped[str] = mapped_column(String(4))
    units: Mapped[int]
    product: Mapped[str] = mapped_column(String(16))
    price_type: Mapped[str] = mapped_column(String(16))
    price: Mapped[Decimal] = mapped_column(PriceRupees)
    trigger_price: Mapped[Decimal | None] = mapped_column(PriceRupees)
    status: Mapped[str] = mapped_column(String(20))
    filled: Mapped[int]
    average: Mapped[Decimal | None] = mapped_column(PriceRupees)
    reject_reason: Mapped[str | None] = mapped_column(Text)
    placed_at: Mapped[str] = mapped_column(String(32))
    seen_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (UniqueConstraint("account_id", "trading_date", "order_id"),)


PUSHED = "pushed"
"""Stands for the time of a fill that was pushed, until a row of the trade book takes its place."""

ADOPTED = "adopted"
"""Stands for the time of a fill that no order of ours had: the trade was made elsewhere, and adopted."""


class FillRow(Table):
    """Units of one of our intents that changed hands: one row of the trade book. Or units that were adopted, which no
    intent of ours has: one row for each adoption, at its average.

    Live rows have no id, so a row is known by its own words: `traded_at` as the broker writes it, units, price, and
    `ordinal`, which counts equal rows of one order from 1. What was pushed and is not in the trade book yet is one row
    of its intent with PUSHED for a time; it shrinks as the trades come in, and goes with the last.
    """

    __tablename__ = "fills"

    id: Mapped[int] = mapped_column(primary_key=True)
    intent_id: Mapped[int | None] = mapped_column(ForeignKey("intents.id"))
    adoption_id: Mapped[int | None] = mapped_column(ForeignKey("adoptions.id"), unique=True)
    execution_id: Mapped[int] = mapped_column(ForeignKey("strategy_executions.id"), index=True)
    order_id: Mapped[str] = mapped_column(String(64))
    traded_at: Mapped[str] = mapped_column(String(32))
    ordinal: Mapped[int]
    side: Mapped[str] = mapped_column(String(4))
    units: Mapped[int]
    price: Mapped[Decimal] = mapped_column(PriceRupees)
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("intent_id", "traded_at", "units", "price", "ordinal"),
        CheckConstraint("units > 0", name="units"),
        CheckConstraint("(intent_id is null) <> (adoption_id is null)", name="origin"),
    )


class Position(Table):
    """An account's net position in a contract and product as its gateway last reported it. `net` is signed."""

    __tablename__ = "positions"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"))
    exchange: Mapped[str] = mapped_column(String(16))
    symbol: Mapped[str] = mapped_column(String(64))
    product: Mapped[str] = mapped_column(String(16))
    net: Mapped[int]
    average: Mapped[Decimal | None] = mapped_column(PriceRupees)
    seen_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (UniqueConstraint("account_id", "exchange", "symbol", "product"),)
