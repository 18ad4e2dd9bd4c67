"""Alarms

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("raised_at", Instant(timezone=True), nullable=False),
        sa.Column("cleared_at", Instant(timezone=True), nullable=True),
        sa.Column("open_key", sa.String(80), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["trading_accounts.id"], name=op.f("fk_alarms_account_id_trading_accounts")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_alarms_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
        sa.UniqueConstraint("open_key", name=op.f("uq_alarms_open_key")),
    )
    op.create_index(op.f("ix_alarms_run_id"), "alarms", ["run_id"])


def downgrade() -> None:
    op.drop_table("alarms")
