"""What processes tell each other: the last tier of the cache, and who looks at what

Nothing in these tables has to survive a crash, so PostgreSQL writes no log of them.

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    prefixes = ["UNLOGGED"] if op.get_bind().dialect.name == "postgresql" else []
    op.create_table(
        "cache_entries",
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_cache_entries")),
        prefixes=prefixes,
    )
    op.create_table(
        "onlookers",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_onlookers")),
        prefixes=prefixes,
    )


def downgrade() -> None:
    op.drop_table("onlookers")
    op.drop_table("cache_entries")
