"""How far below its own peak an account is left, where that is a share of its premium

Revision: 0035, after 0034
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Rupees

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("account_peaks") as peaks:
        peaks.add_column(sa.Column("trail_distance", Rupees(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("account_peaks") as peaks:
        peaks.drop_column("trail_distance")
