"""When a strategy may be entered, when it starts by itself, and what became of each of those starts

Revision: 0024, after 0023
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("strategies", sa.Column("times", sa.Text(), nullable=True))
    op.add_column("strategies", sa.Column("armed_at", Instant(), nullable=True))
    op.create_table(
        "scheduled_starts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("strategy_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["strategy_id"], ["strategies.id"], name=op.f("fk_scheduled_starts_strategy_id_strategies")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_scheduled_starts_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_starts")),
        sa.UniqueConstraint("strategy_id", "day", name=op.f("uq_scheduled_starts_strategy_id_day")),
    )


def downgrade() -> None:
    op.drop_table("scheduled_starts")
    with op.batch_alter_table("strategies") as strategies:
        strategies.drop_column("armed_at")
        strategies.drop_column("times")
