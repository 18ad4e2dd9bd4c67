"""Rules by which legs are left: what a strategy says of them, and whose stops have moved to cost

Revision: 0019, after 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("strategies", sa.Column("exits", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("exits", sa.Text(), nullable=True))
    with op.batch_alter_table("strategy_executions") as executions:
        executions.add_column(sa.Column("at_cost", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("strategy_executions") as executions:
        executions.alter_column("at_cost", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("strategy_executions") as executions:
        executions.drop_column("at_cost")
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("exits")
    with op.batch_alter_table("strategies") as strategies:
        strategies.drop_column("exits")
