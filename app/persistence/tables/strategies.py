"""Strategies as written down, and the previews that freeze them."""

from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, ForeignKey, String, Text, Time, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.persistence.database import Table
from app.persistence.types import Factor, Instant, PriceRupees, Rupees


class Strategy(Table):
    """A recipe: legs by rule, accounts with multipliers, rules of the run.

    `max_workers` is the most orders under way at once in each account; None: as the settings say. `leg_failure`,
    `retries` and `group_failure` are a domain.failure_policy.FailurePolicy. `square_off` is India's time of day.
    `floors` is a domain.trailing.Floors as JSON, `exits` a domain.exit_rules.ExitRules; None for none. `size_rule` is a
    domain.sizing.SizeRule, None for by lots. `notes` are its owner's, in lines, and decide nothing. `is_ticket`: an
    order of one contract, written once and not kept among the strategies.
    """

    __tablename__ = "strategies"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    structures: Mapped[int]
    max_loss: Mapped[Decimal | None] = mapped_column(Rupees)
    max_profit: Mapped[Decimal | None] = mapped_column(Rupees)
    square_off: Mapped[time | None] = mapped_column(Time)
    floors: Mapped[str | None] = mapped_column(Text)
    exits: Mapped[str | None] = mapped_column(Text)
    times: Mapped[str | None] = mapped_column(Text)
    armed_at: Mapped[datetime | None] = mapped_column(Instant)
    size_rule: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[str] = mapped_column(Text, default="")
    max_workers: Mapped[int | None]
    leg_failure: Mapped[str] = mapped_column(String(16), default="unwind")
    retries: Mapped[int] = mapped_column(default=0)
    group_failure: Mapped[str] = mapped_column(String(16), default="keep_going")
    archived: Mapped[bool] = mapped_column(default=False)
    is_ticket: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)

    legs: Mapped[list["StrategyLeg"]] = relationship(
        order_by="StrategyLeg.number", cascade="all, delete-orphan", lazy="selectin"
    )
    accounts: Mapped[list["StrategyAccount"]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    groups: Mapped[list["StrategyGroup"]] = relationship(cascade="all, delete-orphan", lazy="selectin")

    __table_args__ = (
        UniqueConstraint("owner_id", "name"),
        CheckConstraint("structures >= 1", name="structures"),
        CheckConstraint("max_workers between 1 and 10", name="max_workers"),
    )


class StrategyLeg(Table):
    """One leg by rule. `expiry` is a word (`current_week`) or an ISO date; `strike_value` is None for ATM and FUT.

    `limit_price` and `trigger_price` are as typed, None where the price type does not use them.
    """

    __tablename__ = "strategy_legs"

    id: Mapped[int] = mapped_column(primary_key=True)
    strategy_id: Mapped[int] = mapped_column(ForeignKey("strategies.id"), index=True)
    number: Mapped[int]
    underlying: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(3))
    expiry: Mapped[str] = mapped_column(String(16))
    strike_method: Mapped[str | None] = mapped_column(String(16))
    strike_value: Mapped[Decimal | None] = mapped_column(PriceRupees)
    side: Mapped[str] = mapped_column(String(4))
    ratio: Mapped[int]
    product: Mapped[str] = mapped_column(String(8))
    price_type: Mapped[str] = mapped_column(String(8), default="MARKET")
    limit_price: Mapped[Decimal | None] = mapped_column(PriceRupees)
    trigger_price: Mapped[Decimal | None] = mapped_column(PriceRupees)

    __table_args__ = (
        UniqueConstraint("strategy_id", "number"),
        CheckConstraint("ratio >= 1", name="ratio"),
    )


class StrategyAccount(Table):
    """That an account takes part in a strategy, and how many times its structures."""

    __tablename__ = "strategy_accounts"

    strategy_id: Mapped[int] = mapped_column(ForeignKey("strategies.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"), primary_key=True)
    multiplier: Mapped[Decimal] = mapped_column(Factor)


class StrategyGroup(Table):
    """That whoever is in a group takes part in a strategy, at the time of each preview."""

    __tablename__ = "strategy_groups"

    strategy_id: Mapped[int] = mapped_column(ForeignKey("strategies.id"), primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("account_groups.id"), primary_key=True, index=True)


class StrategyTemplate(Table):
    """A recipe that its owner kept to make strategies of. `recipe` is what services.recipe_text writes."""

    __tablename__ = "strategy_templates"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100))
    recipe: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (UniqueConstraint("owner_id", "name"),)


class ScheduledStart(Table):
    """That a strategy was to start by itself on a trading date, once, and what became of it.

    `state`: STARTING (a process has taken it), STARTED (`run_id`), SKIPPED (`reason` says why nothing was sent).
    """

    __tablename__ = "scheduled_starts"

    id: Mapped[int] = mapped_column(primary_key=True)
    strategy_id: Mapped[int] = mapped_column(ForeignKey("strategies.id"))
    day: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (UniqueConstraint("strategy_id", "day"),)


class Preview(Table):
    """A frozen plan, alive for 60 s. `digest` is the SHA-256 of `plan`, the canonical JSON of domain.plan.Plan."""

    __tablename__ = "previews"

    id: Mapped[int] = mapped_column(primary_key=True)
    strategy_id: Mapped[int] = mapped_column(ForeignKey("strategies.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    digest: Mapped[str] = mapped_column(String(64))
    plan: Mapped[str] = mapped_column(Text)
