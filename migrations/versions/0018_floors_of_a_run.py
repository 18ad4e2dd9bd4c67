"""Floors under a run's profit: what its strategy says of them, and the peak that they follow from

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Rupees

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("strategies", sa.Column("floors", sa.Text(), nullable=True))
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("floors", sa.Text(), nullable=True))
        runs.add_column(sa.Column("peak", Rupees(), nullable=False, server_default="0"))
        runs.add_column(sa.Column("trail_distance", Rupees(), nullable=True))
    with op.batch_alter_table("runs") as runs:
        runs.alter_column("peak", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("trail_distance")
        runs.drop_column("peak")
        runs.drop_column("floors")
    with op.batch_alter_table("strategies") as strategies:
        strategies.drop_column("floors")
