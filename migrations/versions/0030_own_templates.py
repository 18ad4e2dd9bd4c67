"""Templates that traders keep of their strategies

Revision: 0030, after 0029
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "strategy_templates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_strategy_templates_owner_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy_templates")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_strategy_templates_owner_id_name")),
    )


def downgrade() -> None:
    op.drop_table("strategy_templates")
