"""Foreign positions: adopted, as a run that no strategy planned and a fill that no order of ours had; or ignored

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant, PriceRupees

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.alter_column("strategy_id", existing_type=sa.Integer(), nullable=True)
        runs.alter_column("preview_id", existing_type=sa.Integer(), nullable=True)
    op.create_table(
        "adoptions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("command_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("exchange", sa.String(16), nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("product", sa.String(8), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("average", PriceRupees(), nullable=False),
        sa.Column("average_from", sa.String(8), nullable=False),
        sa.Column("order_ids", sa.JSON(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.CheckConstraint("units <> 0", name=op.f("ck_adoptions_units")),
        sa.CheckConstraint("average > 0", name=op.f("ck_adoptions_average")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["trading_accounts.id"], name=op.f("fk_adoptions_account_id_trading_accounts")
        ),
        sa.ForeignKeyConstraint(["command_id"], ["commands.id"], name=op.f("fk_adoptions_command_id_commands")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_adoptions_run_id_runs")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_adoptions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adoptions")),
        sa.UniqueConstraint("command_id", name=op.f("uq_adoptions_command_id")),
        sa.UniqueConstraint("run_id", name=op.f("uq_adoptions_run_id")),
    )
    op.create_index(op.f("ix_adoptions_account_id"), "adoptions", ["account_id"])
    op.create_table(
        "ignored_positions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("exchange", sa.String(16), nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("product", sa.String(16), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.CheckConstraint("units <> 0", name=op.f("ck_ignored_positions_units")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["trading_accounts.id"], name=op.f("fk_ignored_positions_account_id_trading_accounts")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_ignored_positions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ignored_positions")),
        sa.UniqueConstraint(
            "account_id",
            "exchange",
            "symbol",
            "product",
            name=op.f("uq_ignored_positions_account_id_exchange_symbol_product"),
        ),
    )
    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("adoption_id", sa.Integer(), nullable=True))
        orders.create_foreign_key(op.f("fk_orders_adoption_id_adoptions"), "adoptions", ["adoption_id"], ["id"])
        orders.create_index(op.f("ix_orders_adoption_id"), ["adoption_id"])
    with op.batch_alter_table("fills") as fills:
        fills.alter_column("intent_id", existing_type=sa.Integer(), nullable=True)
        fills.add_column(sa.Column("adoption_id", sa.Integer(), nullable=True))
        fills.create_foreign_key(op.f("fk_fills_adoption_id_adoptions"), "adoptions", ["adoption_id"], ["id"])
        fills.create_unique_constraint(op.f("uq_fills_adoption_id"), ["adoption_id"])
        fills.create_check_constraint(op.f("ck_fills_origin"), "(intent_id is null) <> (adoption_id is null)")


def downgrade() -> None:
    """What was adopted cannot be said in the tables of before: while there is any, this fails and changes nothing."""
    with op.batch_alter_table("fills") as fills:
        fills.drop_constraint(op.f("ck_fills_origin"), type_="check")
        fills.drop_constraint(op.f("uq_fills_adoption_id"), type_="unique")
        fills.drop_constraint(op.f("fk_fills_adoption_id_adoptions"), type_="foreignkey")
        fills.drop_column("adoption_id")
        fills.alter_column("intent_id", existing_type=sa.Integer(), nullable=False)
    with op.batch_alter_table("orders") as orders:
        orders.drop_index(op.f("ix_orders_adoption_id"))
        orders.drop_constraint(op.f("fk_orders_adoption_id_adoptions"), type_="foreignkey")
        orders.drop_column("adoption_id")
    op.drop_table("ignored_positions")
    op.drop_table("adoptions")
    with op.batch_alter_table("runs") as runs:
        runs.alter_column("preview_id", existing_type=sa.Integer(), nullable=False)
        runs.alter_column("strategy_id", existing_type=sa.Integer(), nullable=False)
