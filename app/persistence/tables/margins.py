"""What sizes are worked out from and admins edit: percentages of grades, margin requirements, and who changed them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.persistence.database import Table
from app.persistence.types import Factor, Instant, Rupees


class TradeGrade(Table):
    """What percentage of an account's free margin a trade of that grade may use."""

    __tablename__ = "trade_grades"

    grade: Mapped[str] = mapped_column(String(1), primary_key=True)
    percent: Mapped[Decimal] = mapped_column(Factor)

    __table_args__ = (CheckConstraint("percent > 0 and percent <= 100000000", name="percent"),)


class MarginRequirement(Table):
    """Rupees for one lot where no broker gives a margin; a domain.margin_table.Requirement."""

    __tablename__ = "margin_requirements"

    id: Mapped[int] = mapped_column(primary_key=True)
    underlying: Mapped[str] = mapped_column(String(32))
    need: Mapped[str] = mapped_column(String(16))
    day: Mapped[str] = mapped_column(String(16))
    amount: Mapped[Decimal] = mapped_column(Rupees)
    source: Mapped[str] = mapped_column(String(200))

    __table_args__ = (UniqueConstraint("underlying", "need", "day"), CheckConstraint("amount > 0", name="amount"))


class SettingChange(Table):
    """One change of a setting that sizes or charges follow from. Only ever added to. `was` None: it is new; `now` None:
    it was removed.
    """

    __tablename__ = "setting_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(100))
    was: Mapped[str | None] = mapped_column(String(200))
    now: Mapped[str | None] = mapped_column(String(200))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    actor: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (Index("ix_setting_changes_area_id", "area", "id"),)
