"""What each run was worth in each minute of the market

Revision: 0026, after 0025
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant, Rupees

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_minutes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("total", Rupees(), nullable=True),
        sa.Column("net", Rupees(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_minutes_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_minutes")),
        sa.UniqueConstraint("run_id", "at", name=op.f("uq_run_minutes_run_id_at")),
    )


def downgrade() -> None:
    op.drop_table("run_minutes")
