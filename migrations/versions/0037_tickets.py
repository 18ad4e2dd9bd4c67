"""Orders of one contract that are no kept strategy

Revision: 0037, after 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("strategies") as strategies:
        strategies.add_column(sa.Column("is_ticket", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("strategies") as strategies:
        strategies.alter_column("is_ticket", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("strategies") as strategies:
        strategies.drop_column("is_ticket")
