"""Trading accounts, one OpenAlgo gateway and its key each, and groups of them."""

from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, ForeignKey, String, Text, Time, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.persistence.database import Table
from app.persistence.types import Factor, Instant, Rupees


class TradingAccount(Table):
    """A gateway an owner trades through. `locked_key` is ciphertext and is never rendered or logged.

    `expected_mode` is `live` or `analyze`: a gateway found in the other mode is not sent anything. `feed_rank` orders
    accounts as sources of market data: 0 is the primary, then the backups. `state` is ACTIVE, PAUSED (no entries) or
    ARCHIVED (kept for the record; takes no part in anything). `broker` is as the gateway names it.
    `orders_per_second` is how many calls in any second its lane makes on one exchange; None: as the settings say.
    `max_leg_lots` is the most lots that a run takes of any leg in it; None: no such cap.
    `max_day_loss`, `max_day_profit`, `max_open_lots`, `max_day_orders` and `leaves_at_limit` are its
    domain.day_limits.DayLimits; None: no such limit.
    `mis_cut_off` is India's time of day at which its broker begins to close intraday positions by itself; None: as
    the market rules say.
    """

    __tablename__ = "trading_accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100), unique=True)
    broker: Mapped[str] = mapped_column(String(64))
    host_url: Mapped[str] = mapped_column(String(255))
    websocket_url: Mapped[str] = mapped_column(String(255))
    locked_key: Mapped[str] = mapped_column(Text)
    expected_mode: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), index=True)
    feed_rank: Mapped[int]
    multiplier: Mapped[Decimal] = mapped_column(Factor, default=Decimal(1))
    orders_per_second: Mapped[int | None]
    max_day_loss: Mapped[Decimal | None] = mapped_column(Rupees)
    max_leg_lots: Mapped[int | None]
    max_day_profit: Mapped[Decimal | None] = mapped_column(Rupees)
    max_open_lots: Mapped[int | None]
    max_day_orders: Mapped[int | None]
    leaves_at_limit: Mapped[bool] = mapped_column(default=False)
    mis_cut_off: Mapped[time | None] = mapped_column(Time)
    notes: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(Instant)
    archived_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        CheckConstraint("orders_per_second between 1 and 10", name="orders_per_second"),
        CheckConstraint("max_day_loss > 0", name="max_day_loss"),
        CheckConstraint("max_leg_lots >= 1", name="max_leg_lots"),
        CheckConstraint("max_day_profit > 0", name="max_day_profit"),
        CheckConstraint("max_open_lots > 0", name="max_open_lots"),
        CheckConstraint("max_day_orders > 0", name="max_day_orders"),
    )


class AccountTariff(Table):
    """What an account's broker takes for each order from a day on: `flat` rupees, or `percent` of its turnover and at
    most `cap` rupees (None: no cap).
    """

    __tablename__ = "account_tariffs"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"))
    valid_from: Mapped[date] = mapped_column(Date)
    flat: Mapped[Decimal | None] = mapped_column(Rupees)
    percent: Mapped[Decimal | None] = mapped_column(Factor)
    cap: Mapped[Decimal | None] = mapped_column(Rupees)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    actor: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("account_id", "valid_from"),
        CheckConstraint("(flat is null) <> (percent is null)", name="one_way"),
        CheckConstraint("cap is null or percent is not null", name="cap"),
    )


class AccountGroup(Table):
    """Accounts of one owner under a name, with limits for all of them together.

    `multiplier` scales its members where a strategy names it. `max_leg_lots` is the most lots that a run takes of any
    leg in each member. The rest are its domain.day_limits.DayLimits, None for no such limit. `archived_at` is when it
    was deleted: its locks name it, so its row stays.
    """

    __tablename__ = "account_groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100))
    multiplier: Mapped[Decimal] = mapped_column(Factor, default=Decimal(1))
    max_leg_lots: Mapped[int | None]
    max_day_loss: Mapped[Decimal | None] = mapped_column(Rupees)
    max_day_profit: Mapped[Decimal | None] = mapped_column(Rupees)
    max_open_lots: Mapped[int | None]
    max_day_orders: Mapped[int | None]
    leaves_at_limit: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    archived_at: Mapped[datetime | None] = mapped_column(Instant)

    members: Mapped[list["GroupMember"]] = relationship(cascade="all, delete-orphan", order_by="GroupMember.account_id")

    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("multiplier > 0", name="multiplier"),
        CheckConstraint("max_leg_lots >= 1", name="max_leg_lots"),
        CheckConstraint("max_day_loss > 0", name="max_day_loss"),
        CheckConstraint("max_day_profit > 0", name="max_day_profit"),
        CheckConstraint("max_open_lots > 0", name="max_open_lots"),
        CheckConstraint("max_day_orders > 0", name="max_day_orders"),
    )


class GroupMember(Table):
    """That an account is in a group. It may be in several."""

    __tablename__ = "account_group_members"

    group_id: Mapped[int] = mapped_column(ForeignKey("account_groups.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"), primary_key=True, index=True)
