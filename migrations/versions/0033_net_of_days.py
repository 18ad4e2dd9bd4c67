"""What a day was worth net of charges, minute by minute

Revision: 0033, after 0032
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Rupees

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("pnl_minutes") as minutes:
        minutes.add_column(sa.Column("net", Rupees(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("pnl_minutes") as minutes:
        minutes.drop_column("net")
