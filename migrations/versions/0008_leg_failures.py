"""What follows when a leg fails, how much an exit gives away, and order sizes learnt from refusals

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

POLICIES = {"leg_failure": "unwind", "group_failure": "keep_going"}


def upgrade() -> None:
    for table in ("strategies", "runs"):
        with op.batch_alter_table(table) as rows:
            for name, usual in POLICIES.items():
                rows.add_column(sa.Column(name, sa.String(16), nullable=False, server_default=usual))
            rows.add_column(sa.Column("retries", sa.Integer(), nullable=False, server_default="0"))
        with op.batch_alter_table(table) as rows:  # the defaults were there for the rows of before
            for name in (*POLICIES, "retries"):
                rows.alter_column(name, server_default=None)
    with op.batch_alter_table("strategy_executions") as executions:
        executions.add_column(sa.Column("failed", sa.String(200), nullable=True))
    with op.batch_alter_table("intents") as intents:
        intents.add_column(sa.Column("price_steps", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("intents") as intents:
        intents.alter_column("price_steps", server_default=None)
    op.create_table(
        "learnt_sizes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("exchange", sa.String(16), nullable=False),
        sa.Column("underlying", sa.String(32), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learnt_sizes")),
        sa.UniqueConstraint(
            "trading_date", "exchange", "underlying", name=op.f("uq_learnt_sizes_trading_date_exchange_underlying")
        ),
    )


def downgrade() -> None:
    op.drop_table("learnt_sizes")
    with op.batch_alter_table("intents") as intents:
        intents.drop_column("price_steps")
    with op.batch_alter_table("strategy_executions") as executions:
        executions.drop_column("failed")
    for table in ("runs", "strategies"):
        with op.batch_alter_table(table) as rows:
            for name in ("retries", *reversed(POLICIES)):
                rows.drop_column(name)
