"""Runs: a strategy being traded from entry to exit, its executions, and what the rules did."""

from datetime import datetime, time
from decimal import Decimal

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, Time, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.persistence.database import Table
from app.persistence.types import Instant, PriceRupees, Rupees


class Run(Table):
    """One entry-to-exit life of a strategy. A preview makes at most one run: two clicks on Send make one row.

    A run that was adopted has neither strategy nor preview: nobody here planned it. `rules_of` is the strategy whose
    rules were put on it, as they were at `rules_at`, on the market's clock.

    `state`: REQUESTED (by a page, not yet claimed by the engine), ENTERING, OPEN, EXITING, CLOSED (every execution is
    flat and settled), REFUSED (nothing was sent; `reason` says why), ATTENTION (cannot go on without a person).
    `leg_failure`, `retries` and `group_failure` are the FailurePolicy that its preview showed. `square_off` is India's
    time of day at which its trader wants everything left; intraday positions are left before their cut-off anyway.
    `floors` is a domain.trailing.Floors as JSON; `peak` is the highest complete P&L so far, never below 0, and
    `trail_distance` the rupees that a share of the entry's net premium came to, None until the entry has settled.
    `exits` is a domain.exit_rules.ExitRules as JSON.
    """

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    strategy_id: Mapped[int | None] = mapped_column(ForeignKey("strategies.id"), index=True)
    preview_id: Mapped[int | None] = mapped_column(ForeignKey("previews.id"), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    mode: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), index=True)
    reason: Mapped[str | None] = mapped_column(Text)
    max_loss: Mapped[Decimal | None] = mapped_column(Rupees)
    max_profit: Mapped[Decimal | None] = mapped_column(Rupees)
    square_off: Mapped[time | None] = mapped_column(Time)
    floors: Mapped[str | None] = mapped_column(Text)
    exits: Mapped[str | None] = mapped_column(Text)
    peak: Mapped[Decimal] = mapped_column(Rupees, default=Decimal(0))
    trail_distance: Mapped[Decimal | None] = mapped_column(Rupees)
    leg_failure: Mapped[str] = mapped_column(String(16), default="unwind")
    retries: Mapped[int] = mapped_column(default=0)
    group_failure: Mapped[str] = mapped_column(String(16), default="keep_going")
    requested_at: Mapped[datetime] = mapped_column(Instant)
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    rules_of: Mapped[int | None] = mapped_column(ForeignKey("strategies.id"))
    rules_at: Mapped[datetime | None] = mapped_column(Instant)

    executions: Mapped[list["StrategyExecution"]] = relationship(order_by="StrategyExecution.id")


class StrategyExecution(Table):
    """One leg of a run in one account. Contract and product are fixed here, so an exit inherits them.

    `exit_wanted` latches when this execution is to be flat; it says who or what asked. `failed` latches when its entry
    cannot be had as planned, and says why. `at_cost` latches when another leg of its account has stopped out and its
    run moves stops to cost then. `expired_at` is the end of its contract's last day, in the market's time, once that is
    over and the leg with it: what was held then is settled by the exchange, and no fill of ours says at what price.
    `margin_needed` is rupees that the whole part of its account in the run needs before anything of it is begun; None
    when the broker gave no figure at the preview.
    """

    __tablename__ = "strategy_executions"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"), index=True)
    leg: Mapped[int]
    underlying: Mapped[str] = mapped_column(String(32))
    exchange: Mapped[str] = mapped_column(String(16))
    symbol: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(3))
    expiry: Mapped[str] = mapped_column(String(10))
    strike: Mapped[Decimal | None] = mapped_column(PriceRupees)
    side: Mapped[str] = mapped_column(String(4))
    product: Mapped[str] = mapped_column(String(8))
    lots: Mapped[int]
    units: Mapped[int]
    lot_size: Mapped[int]
    tick: Mapped[Decimal] = mapped_column(PriceRupees)
    freeze: Mapped[int]
    margin_needed: Mapped[Decimal | None] = mapped_column(Rupees)
    exit_wanted: Mapped[str | None] = mapped_column(String(200))
    failed: Mapped[str | None] = mapped_column(String(200))
    at_cost: Mapped[bool] = mapped_column(default=False)
    expired_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("run_id", "account_id", "leg"),
        CheckConstraint("units = lots * lot_size", name="units"),
    )


class AccountPeak(Table):
    """The highest complete P&L of one account in a run, never below 0; there is no row before its first rise.

    Only for accounts that a floor of their own takes out. `trail_distance` is that of a trailing stop by a share of the
    premium, fixed when the entry has settled.
    """

    __tablename__ = "account_peaks"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"), primary_key=True)
    peak: Mapped[Decimal] = mapped_column(Rupees)
    trail_distance: Mapped[Decimal | None] = mapped_column(Rupees)


class RunEvent(Table):
    """Something that happened in a run, told to the trader in a sentence. `kind` is stable, for icons and filters."""

    __tablename__ = "run_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("trading_accounts.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    kind: Mapped[str] = mapped_column(String(32))
    sentence: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_run_events_run_id_at", "run_id", "at"),)


class Alarm(Table):
    """Something about a run that a person has to know of at once, from `raised_at` until `cleared_at`, both real time.

    `leg` None: of the account as a whole. `open_key` names its place while it lasts, so that there is one alarm for
    it, and is None afterwards. `newest` is the newest intent that showed it, 0 where none did.
    """

    __tablename__ = "alarms"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"))
    leg: Mapped[int | None]
    sentence: Mapped[str] = mapped_column(Text)
    newest: Mapped[int] = mapped_column(default=0)
    raised_at: Mapped[datetime] = mapped_column(Instant)
    cleared_at: Mapped[datetime | None] = mapped_column(Instant)
    open_key: Mapped[str | None] = mapped_column(String(80), unique=True)


class RiskEvent(Table):
    """A rule that fired, once for its place: its threshold, the value that crossed it, and the prices it judged by.

    `place` is empty for the run as a whole, else the account and perhaps the leg that it is about. Threshold and value
    are rupees; None for a rule of the clock.
    """

    __tablename__ = "risk_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    rule: Mapped[str] = mapped_column(String(32))
    place: Mapped[str] = mapped_column(String(40), default="")
    account_id: Mapped[int | None] = mapped_column(ForeignKey("trading_accounts.id"))
    threshold: Mapped[Decimal | None] = mapped_column(Rupees)
    value: Mapped[Decimal | None] = mapped_column(Rupees)
    prices: Mapped[dict[str, object]] = mapped_column(JSON)
    action: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("run_id", "rule", "place"),)
