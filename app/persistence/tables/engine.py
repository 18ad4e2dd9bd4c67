"""What lets many processes act as one engine: commands from pages, the lease, trading states, market rules."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.persistence.database import Table
from app.persistence.types import Factor, Instant


class CommandRow(Table):
    """Something a person or script asks of the engine. The same key from the same user is the same command.

    `state`: ASKED, DONE or REFUSED; `answer` is the sentence that says what became of it.
    """

    __tablename__ = "commands"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    key: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"), index=True)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16))
    answer: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (UniqueConstraint("user_id", "key"), Index("ix_commands_state_id", "state", "id"))


class LeaseRow(Table):
    """Who may send orders. One row; `epoch` grows with each new holder and is checked in every claim.

    `expires_at` is on the clock of the database; None where a file lock says who leads. `build` and `schema` are the
    version of the holder and the newest migration it knew; None for holders that did not say. `lineage` is which
    database the newest holder wrote to (`persistence/lineage.py`, or for a file what its mark calls it).
    """

    __tablename__ = "lease"

    id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    owner: Mapped[str] = mapped_column(String(100))
    taken_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    build: Mapped[str | None] = mapped_column(String(32))
    schema: Mapped[str | None] = mapped_column(String(32))
    lineage: Mapped[str | None] = mapped_column(String(64))


class EngineStart(Table):
    """One time that an engine began to lead. `ended_at` None: it still leads, or it died."""

    __tablename__ = "engine_starts"

    id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(Instant, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class CalendarOverride(Table):
    """What an admin said of an exchange on a date. Minutes since midnight in India; both None: it is closed."""

    __tablename__ = "calendar_overrides"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    exchange: Mapped[str] = mapped_column(String(16))
    opens_minute: Mapped[int | None]
    closes_minute: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    actor: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("day", "exchange"),
        CheckConstraint("(opens_minute is null) = (closes_minute is null)", name="hours"),
    )


class Setback(Table):
    """One time that an engine found the database to know less than it was told, or could not rule that out.

    Entries are held until somebody acknowledges it and the engine has taken note, on `lifted_on`, a trading date.
    """

    __tablename__ = "setbacks"

    id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    found_at: Mapped[datetime] = mapped_column(Instant)
    sentence: Mapped[str] = mapped_column(Text)
    acknowledged_at: Mapped[datetime | None] = mapped_column(Instant)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    actor: Mapped[str | None] = mapped_column(String(64))
    lifted_on: Mapped[date | None] = mapped_column(Date)


class TradingStateRow(Table):
    """Whether entries are taken, in a scope. No row means ACTIVE; `scope_id` is 0 where the scope is ALL.

    `actor` is who set it, also where no user did (`user_id` None): the command line, the engine.
    """

    __tablename__ = "trading_states"

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(16))
    scope_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    actor: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)
    why: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("scope", "scope_id"),)


class LearntSize(Table):
    """The most units in one order of an underlying's contracts, learnt on that date from a refusal for size."""

    __tablename__ = "learnt_sizes"

    id: Mapped[int] = mapped_column(primary_key=True)
    trading_date: Mapped[date] = mapped_column(Date)
    exchange: Mapped[str] = mapped_column(String(16))
    underlying: Mapped[str] = mapped_column(String(32))
    units: Mapped[int]

    __table_args__ = (UniqueConstraint("trading_date", "exchange", "underlying"),)


class MarketRuleRow(Table):
    """A fact of the market that no gateway tells, with the date it holds from and where it was read."""

    __tablename__ = "market_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    underlying: Mapped[str | None] = mapped_column(String(32))
    value: Mapped[Decimal] = mapped_column(Factor)
    valid_from: Mapped[date] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(200))

    __table_args__ = (UniqueConstraint("kind", "underlying", "valid_from"),)
