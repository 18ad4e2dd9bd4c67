"""Notes of strategies

Revision: 0028, after 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("strategies") as strategies:
        strategies.add_column(sa.Column("notes", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("strategies") as strategies:
        strategies.alter_column("notes", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("strategies") as strategies:
        strategies.drop_column("notes")
