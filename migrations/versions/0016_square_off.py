"""Square-off by the clock: when a broker begins its own, when a trader wants it, and rules that fire in one account

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Rupees

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.add_column(sa.Column("mis_cut_off", sa.Time(), nullable=False, server_default="15:15:00.000000"))
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.alter_column("mis_cut_off", server_default=None)
    op.add_column("strategies", sa.Column("square_off", sa.Time(), nullable=True))
    op.add_column("runs", sa.Column("square_off", sa.Time(), nullable=True))
    with op.batch_alter_table("risk_events") as events:
        events.add_column(sa.Column("place", sa.String(40), nullable=False, server_default=""))
        events.add_column(sa.Column("account_id", sa.Integer(), nullable=True))
        events.alter_column("threshold", existing_type=Rupees(), nullable=True)
        events.alter_column("value", existing_type=Rupees(), nullable=True)
        events.drop_constraint(op.f("uq_risk_events_run_id_rule"), type_="unique")
        events.create_unique_constraint(op.f("uq_risk_events_run_id_rule_place"), ["run_id", "rule", "place"])
        events.create_foreign_key(
            op.f("fk_risk_events_account_id_trading_accounts"), "trading_accounts", ["account_id"], ["id"]
        )
    with op.batch_alter_table("risk_events") as events:
        events.alter_column("place", server_default=None)


def downgrade() -> None:
    op.execute("delete from risk_events where place <> '' or threshold is null or value is null")
    with op.batch_alter_table("risk_events") as events:
        events.drop_constraint(op.f("fk_risk_events_account_id_trading_accounts"), type_="foreignkey")
        events.drop_constraint(op.f("uq_risk_events_run_id_rule_place"), type_="unique")
        events.create_unique_constraint(op.f("uq_risk_events_run_id_rule"), ["run_id", "rule"])
        events.alter_column("value", existing_type=Rupees(), nullable=False)
        events.alter_column("threshold", existing_type=Rupees(), nullable=False)
        events.drop_column("account_id")
        events.drop_column("place")
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("square_off")
    with op.batch_alter_table("strategies") as strategies:
        strategies.drop_column("square_off")
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.drop_column("mis_cut_off")
