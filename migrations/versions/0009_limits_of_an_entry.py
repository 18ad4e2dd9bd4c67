"""What an entry is held against: the margin its account needs, the loss of a day; and what was sent lately, by index

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Rupees

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("strategy_executions") as executions:
        executions.add_column(sa.Column("margin_needed", Rupees(), nullable=True))
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.add_column(sa.Column("max_day_loss", Rupees(), nullable=True))
        accounts.create_check_constraint(op.f("ck_trading_accounts_max_day_loss"), "max_day_loss > 0")
    with op.batch_alter_table("intents") as intents:
        intents.create_index("ix_intents_account_id_sent_at", ["account_id", "sent_at"])


def downgrade() -> None:
    with op.batch_alter_table("intents") as intents:
        intents.drop_index("ix_intents_account_id_sent_at")
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.drop_constraint(op.f("ck_trading_accounts_max_day_loss"), type_="check")
        accounts.drop_column("max_day_loss")
    with op.batch_alter_table("strategy_executions") as executions:
        executions.drop_column("margin_needed")
