"""Brokerage of single accounts, dated

Revision: 0032, after 0031
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Factor, Instant, Rupees

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_tariffs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("flat", Rupees(), nullable=True),
        sa.Column("percent", Factor(), nullable=True),
        sa.Column("cap", Rupees(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.CheckConstraint("(flat is null) <> (percent is null)", name=op.f("ck_account_tariffs_one_way")),
        sa.CheckConstraint("cap is null or percent is not null", name=op.f("ck_account_tariffs_cap")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["trading_accounts.id"], name=op.f("fk_account_tariffs_account_id_trading_accounts")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_account_tariffs_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_tariffs")),
        sa.UniqueConstraint("account_id", "valid_from", name=op.f("uq_account_tariffs_account_id_valid_from")),
    )


def downgrade() -> None:
    op.drop_table("account_tariffs")
