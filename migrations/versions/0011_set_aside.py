"""Exits of unknown outcome that a person has set aside

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("intents") as intents:
        intents.add_column(sa.Column("set_aside_at", Instant(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("intents") as intents:
        intents.drop_column("set_aside_at")
