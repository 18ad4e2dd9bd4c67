"""The peak of each account in a run, which the account's own trailing stop follows

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Rupees

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_peaks",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("peak", Rupees(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_account_peaks_run_id_runs")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["trading_accounts.id"], name=op.f("fk_account_peaks_account_id_trading_accounts")
        ),
        sa.PrimaryKeyConstraint("run_id", "account_id", name=op.f("pk_account_peaks")),
    )


def downgrade() -> None:
    op.drop_table("account_peaks")
