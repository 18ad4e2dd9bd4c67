"""Limits of an account's day, the locks they leave, and what each day came to

Revision: 0023, after 0022
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant, Rupees

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_LIMITS = ("max_day_profit", "max_open_lots", "max_day_orders")


def upgrade() -> None:
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.add_column(sa.Column("max_day_profit", Rupees(), nullable=True))
        accounts.add_column(sa.Column("max_open_lots", sa.Integer(), nullable=True))
        accounts.add_column(sa.Column("max_day_orders", sa.Integer(), nullable=True))
        accounts.add_column(sa.Column("leaves_at_limit", sa.Boolean(), nullable=False, server_default=sa.false()))
        for name in _LIMITS:
            accounts.create_check_constraint(op.f(f"ck_trading_accounts_{name}"), f"{name} > 0")
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.alter_column("leaves_at_limit", server_default=None)
    op.create_table(
        "run_days",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("total", Rupees(), nullable=False),
        sa.Column("realised", Rupees(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_days_run_id_runs")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["trading_accounts.id"], name=op.f("fk_run_days_account_id_trading_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_days")),
        sa.UniqueConstraint(
            "run_id", "account_id", "trading_date", name=op.f("uq_run_days_run_id_account_id_trading_date")
        ),
    )
    op.create_index(op.f("ix_run_days_account_id"), "run_days", ["account_id"])
    op.create_index("ix_run_days_trading_date", "run_days", ["trading_date"])
    op.create_table(
        "pnl_minutes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("total", Rupees(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["trading_accounts.id"], name=op.f("fk_pnl_minutes_account_id_trading_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pnl_minutes")),
        sa.UniqueConstraint("account_id", "at", name=op.f("uq_pnl_minutes_account_id_at")),
    )
    op.create_index("ix_pnl_minutes_trading_date", "pnl_minutes", ["trading_date"])
    op.create_table(
        "day_locks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("rule", sa.String(16), nullable=False),
        sa.Column("threshold", Rupees(), nullable=False),
        sa.Column("value", Rupees(), nullable=False),
        sa.Column("leaves", sa.Boolean(), nullable=False),
        sa.Column("prices", sa.JSON(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("lifted_by", sa.String(100), nullable=True),
        sa.CheckConstraint("threshold > 0", name=op.f("ck_day_locks_threshold")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["trading_accounts.id"], name=op.f("fk_day_locks_account_id_trading_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_locks")),
        sa.UniqueConstraint(
            "account_id", "trading_date", "rule", name=op.f("uq_day_locks_account_id_trading_date_rule")
        ),
    )
    op.create_index(op.f("ix_day_locks_ended_at"), "day_locks", ["ended_at"])


def downgrade() -> None:
    op.drop_table("day_locks")
    op.drop_table("pnl_minutes")
    op.drop_table("run_days")
    with op.batch_alter_table("trading_accounts") as accounts:
        for name in _LIMITS:
            accounts.drop_constraint(op.f(f"ck_trading_accounts_{name}"), type_="check")
        accounts.drop_column("leaves_at_limit")
        for name in reversed(_LIMITS):
            accounts.drop_column(name)
