"""Trading states: active, reduce-only or halted, for everything or for a part of it

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trading_states",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_trading_states_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trading_states")),
        sa.UniqueConstraint("scope", "scope_id", name=op.f("uq_trading_states_scope_scope_id")),
    )


def downgrade() -> None:
    op.drop_table("trading_states")
