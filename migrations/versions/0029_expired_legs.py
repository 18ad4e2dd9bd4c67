"""When a leg ended because its contract expired

Revision: 0029, after 0028
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("strategy_executions") as executions:
        executions.add_column(sa.Column("expired_at", Instant(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("strategy_executions") as executions:
        executions.drop_column("expired_at")
