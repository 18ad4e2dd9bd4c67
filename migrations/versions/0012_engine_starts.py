"""Starts of the engine

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "engine_starts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant(timezone=True), nullable=False),
        sa.Column("ended_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engine_starts")),
    )
    op.create_index(op.f("ix_engine_starts_started_at"), "engine_starts", ["started_at"])


def downgrade() -> None:
    op.drop_table("engine_starts")
