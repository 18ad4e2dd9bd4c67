"""The lease has an end, and says which build and which tables its holder knows

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("lease") as lease:
        lease.add_column(sa.Column("expires_at", Instant(timezone=True), nullable=True))
        lease.add_column(sa.Column("build", sa.String(32), nullable=True))
        lease.add_column(sa.Column("schema", sa.String(32), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("lease") as lease:
        for column in ("schema", "build", "expires_at"):
            lease.drop_column(column)
