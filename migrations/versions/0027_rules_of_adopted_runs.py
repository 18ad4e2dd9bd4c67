"""Adopted runs: the strategy whose rules they were put under, and since when

Revision: 0027, after 0026
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("rules_of", sa.Integer(), nullable=True))
        runs.add_column(sa.Column("rules_at", Instant(), nullable=True))
        runs.create_foreign_key(op.f("fk_runs_rules_of_strategies"), "strategies", ["rules_of"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.drop_constraint(op.f("fk_runs_rules_of_strategies"), type_="foreignkey")
        runs.drop_column("rules_at")
        runs.drop_column("rules_of")
