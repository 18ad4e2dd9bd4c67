"""Setbacks: which database the lease is kept in, and the times that it was found to be an older one

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lease", sa.Column("lineage", sa.String(64), nullable=True))
    op.create_table(
        "setbacks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("found_at", Instant(timezone=True), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("acknowledged_at", Instant(timezone=True), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.String(64), nullable=True),
        sa.Column("lifted_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_setbacks_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setbacks")),
    )


def downgrade() -> None:
    op.drop_table("setbacks")
    with op.batch_alter_table("lease") as lease:
        lease.drop_column("lineage")
