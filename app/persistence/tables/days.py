"""What a trading day came to, and what it may not go beyond."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.persistence.database import Table
from app.persistence.types import Instant, PriceRupees, Rupees


class RunDay(Table):
    """What a run was worth in one account when it was last known on a trading date, gross rupees since it began.

    Written each minute while it lives, so the last one of a day is the baseline of the next.
    """

    __tablename__ = "run_days"

    id: Mapped[int] = mapped_column(primary_key=True)
    trading_date: Mapped[date] = mapped_column(Date)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"), index=True)
    total: Mapped[Decimal] = mapped_column(Rupees)
    realised: Mapped[Decimal] = mapped_column(Rupees)
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("run_id", "account_id", "trading_date"),
        Index("ix_run_days_trading_date", "trading_date"),
    )


class PnlMinute(Table):
    """The day's profit of one account at the end of a minute of the market, rupees since the day's baseline.

    `total` is gross, None for a minute in which it was not known; `net` is less the day's charges so far, None then
    too, while a rate is missing, and in minutes of before it was written down.
    """

    __tablename__ = "pnl_minutes"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"))
    trading_date: Mapped[date] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(Instant)
    total: Mapped[Decimal | None] = mapped_column(Rupees)
    net: Mapped[Decimal | None] = mapped_column(Rupees)

    __table_args__ = (
        UniqueConstraint("account_id", "at"),
        Index("ix_pnl_minutes_trading_date", "trading_date"),
    )


class RunMinute(Table):
    """What a run was worth at the end of a minute of the market, rupees since it began, over all its accounts.

    `total` is gross, None for a minute in which it was not known; `net` is less the charges so far, None then too, and
    while a rate is missing.
    """

    __tablename__ = "run_minutes"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    total: Mapped[Decimal | None] = mapped_column(Rupees)
    net: Mapped[Decimal | None] = mapped_column(Rupees)

    __table_args__ = (UniqueConstraint("run_id", "at"),)


class SettlementPrice(Table):
    """What one unit of an expired contract was settled at by its exchange, as a person typed it: no gateway tells.

    One for each contract, whose expiry is in its symbol too. `at` is real time. What it was before stands in the
    activity log.
    """

    __tablename__ = "settlement_prices"

    id: Mapped[int] = mapped_column(primary_key=True)
    exchange: Mapped[str] = mapped_column(String(16))
    symbol: Mapped[str] = mapped_column(String(64))
    underlying: Mapped[str] = mapped_column(String(32))
    expiry: Mapped[str] = mapped_column(String(10))
    price: Mapped[Decimal] = mapped_column(PriceRupees)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    actor: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (UniqueConstraint("exchange", "symbol", "expiry"), CheckConstraint("price >= 0", name="price"))


class DayLock(Table):
    """That an account reached a limit of its day: nothing new is begun in it until that day is over or it is lifted.

    Once for each rule and day. `leaves`: everything of ours in the account is left as well. `prices` are those it was
    judged by, with their ages. `ended_at` is when the next day began, or a person (`lifted_by`) lifted it. A group that
    reached a limit of its own makes one for each of its accounts, with its `group_id`; they are lifted together.
    """

    __tablename__ = "day_locks"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("account_groups.id"))
    trading_date: Mapped[date] = mapped_column(Date)
    rule: Mapped[str] = mapped_column(String(16))
    threshold: Mapped[Decimal] = mapped_column(Rupees)
    value: Mapped[Decimal] = mapped_column(Rupees)
    leaves: Mapped[bool]
    prices: Mapped[dict[str, object]] = mapped_column(JSON)
    sentence: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant, index=True)
    lifted_by: Mapped[str | None] = mapped_column(String(100))

    __table_args__ = (
        UniqueConstraint("account_id", "trading_date", "rule", "group_id"),
        Index(  # to a database no two unknowns are the same, so the constraint above says nothing of an account's own
            "uq_day_locks_own",
            "account_id",
            "trading_date",
            "rule",
            unique=True,
            sqlite_where=text("group_id IS NULL"),
            postgresql_where=text("group_id IS NULL"),
        ),
        CheckConstraint("threshold > 0", name="threshold"),
    )
