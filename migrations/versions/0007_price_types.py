"""Price types of legs and orders, what traders ask of pending orders, and how fast and wide an account is sent to

Revision: 0007, after 0004
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant, PriceRupees

revision = "0007"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("strategy_legs") as legs:
        legs.add_column(_market())
        legs.add_column(sa.Column("limit_price", PriceRupees(), nullable=True))
        legs.add_column(sa.Column("trigger_price", PriceRupees(), nullable=True))
    with op.batch_alter_table("strategy_legs") as legs:
        legs.alter_column("price_type", server_default=None)  # it was there for the rows of before
    with op.batch_alter_table("strategies") as strategies:
        strategies.add_column(sa.Column("max_workers", sa.Integer(), nullable=True))
        strategies.create_check_constraint(op.f("ck_strategies_max_workers"), "max_workers between 1 and 10")
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.add_column(sa.Column("orders_per_second", sa.Integer(), nullable=True))
        accounts.create_check_constraint(
            op.f("ck_trading_accounts_orders_per_second"), "orders_per_second between 1 and 10"
        )
    with op.batch_alter_table("intents") as intents:
        intents.add_column(_market())
        for price in ("trigger_price", "asked_limit", "asked_trigger"):
            intents.add_column(sa.Column(price, PriceRupees(), nullable=True))
        intents.add_column(sa.Column("wish", sa.String(8), nullable=True))
        intents.add_column(sa.Column("modify_sent_at", Instant(timezone=True), nullable=True))
    with op.batch_alter_table("intents") as intents:
        intents.alter_column("price_type", server_default=None)
    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("trigger_price", PriceRupees(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("orders") as orders:
        orders.drop_column("trigger_price")
    with op.batch_alter_table("intents") as intents:
        for column in ("modify_sent_at", "wish", "asked_trigger", "asked_limit", "trigger_price", "price_type"):
            intents.drop_column(column)
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.drop_constraint(op.f("ck_trading_accounts_orders_per_second"), type_="check")
        accounts.drop_column("orders_per_second")
    with op.batch_alter_table("strategies") as strategies:
        strategies.drop_constraint(op.f("ck_strategies_max_workers"), type_="check")
        strategies.drop_column("max_workers")
    with op.batch_alter_table("strategy_legs") as legs:
        for column in ("trigger_price", "limit_price", "price_type"):
            legs.drop_column(column)


def _market() -> sa.Column[str]:
    return sa.Column("price_type", sa.String(8), nullable=False, server_default="MARKET")
