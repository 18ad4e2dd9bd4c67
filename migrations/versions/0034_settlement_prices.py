"""What expired contracts were settled at, as typed

Revision: 0034, after 0033
"""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Factor, Instant, PriceRupees

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

TABLE = sa.table(
    "market_rules",
    sa.column("kind", sa.String),
    sa.column("underlying", sa.String),
    sa.column("value", Factor()),
    sa.column("valid_from", sa.Date),
    sa.column("source", sa.String),
)


def upgrade() -> None:
    op.create_table(
        "settlement_prices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("exchange", sa.String(16), nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("underlying", sa.String(32), nullable=False),
        sa.Column("expiry", sa.String(10), nullable=False),
        sa.Column("price", PriceRupees(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.CheckConstraint("price >= 0", name=op.f("ck_settlement_prices_price")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_settlement_prices_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_prices")),
        sa.UniqueConstraint("exchange", "symbol", "expiry", name=op.f("uq_settlement_prices_exchange_symbol_expiry")),
    )
    op.bulk_insert(
        TABLE,
        [
            {
                "kind": "stt_exercise",
                "underlying": None,
                "value": Decimal("0.15"),
                "valid_from": date(2026, 4, 1),
                "source": "ClearTax, rates from 1 Apr 2026; of the intrinsic value, paid by who holds a bought option",
            }
        ],
    )


def downgrade() -> None:
    op.execute("delete from market_rules where kind = 'stt_exercise'")
    op.drop_table("settlement_prices")
