"""Foreign positions that people made ours, or chose to live with."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.persistence.database import Table
from app.persistence.types import Instant, PriceRupees


class Adoption(Table):
    """Units that no order of ours brought and that a person made a run. One command makes at most one.

    `units` are signed. `average_from` is `broker`, `typed` or `price`. `order_ids` are the foreign orders that brought
    the units about, as far as the broker's books showed them. `at` is real time.
    """

    __tablename__ = "adoptions"

    id: Mapped[int] = mapped_column(primary_key=True)
    command_id: Mapped[int] = mapped_column(ForeignKey("commands.id"), unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"), index=True)
    exchange: Mapped[str] = mapped_column(String(16))
    symbol: Mapped[str] = mapped_column(String(64))
    product: Mapped[str] = mapped_column(String(8))
    units: Mapped[int]
    average: Mapped[Decimal] = mapped_column(PriceRupees)
    average_from: Mapped[str] = mapped_column(String(8))
    order_ids: Mapped[list[str]] = mapped_column(JSON)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        CheckConstraint("units <> 0", name="units"),
        CheckConstraint("average > 0", name="average"),
    )


class IgnoredPosition(Table):
    """That a person knows of exactly so many foreign units (signed) and wants to hear no more of them.

    It says nothing of any other number of units. `at` is real time.
    """

    __tablename__ = "ignored_positions"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_accounts.id"))
    exchange: Mapped[str] = mapped_column(String(16))
    symbol: Mapped[str] = mapped_column(String(64))
    product: Mapped[str] = mapped_column(String(16))
    units: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    actor: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("account_id", "exchange", "symbol", "product"),
        CheckConstraint("units <> 0", name="units"),
    )
