"""Groups of accounts, the strategies that name them, and locks that a group's limit makes

Revision: 0025, after 0024
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Factor, Instant, Rupees

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_ABOVE_ZERO = ("multiplier", "max_day_loss", "max_day_profit", "max_open_lots", "max_day_orders")
_OWN = sa.text("group_id IS NULL")


def upgrade() -> None:
    op.create_table(
        "account_groups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("multiplier", Factor(), nullable=False),
        sa.Column("max_leg_lots", sa.Integer(), nullable=True),
        sa.Column("max_day_loss", Rupees(), nullable=True),
        sa.Column("max_day_profit", Rupees(), nullable=True),
        sa.Column("max_open_lots", sa.Integer(), nullable=True),
        sa.Column("max_day_orders", sa.Integer(), nullable=True),
        sa.Column("leaves_at_limit", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        *(sa.CheckConstraint(f"{name} > 0", name=op.f(f"ck_account_groups_{name}")) for name in _ABOVE_ZERO),
        sa.CheckConstraint("max_leg_lots >= 1", name=op.f("ck_account_groups_max_leg_lots")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_account_groups_owner_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_account_groups_name")),
    )
    _pairs("account_group_members", "group_id", "account_groups", "account_id", "trading_accounts")
    _pairs("strategy_groups", "strategy_id", "strategies", "group_id", "account_groups")
    with op.batch_alter_table("day_locks") as locks:
        locks.add_column(sa.Column("group_id", sa.Integer(), nullable=True))
        locks.create_foreign_key(op.f("fk_day_locks_group_id_account_groups"), "account_groups", ["group_id"], ["id"])
        locks.drop_constraint(op.f("uq_day_locks_account_id_trading_date_rule"), type_="unique")
        locks.create_unique_constraint(
            op.f("uq_day_locks_account_id_trading_date_rule_group_id"),
            ["account_id", "trading_date", "rule", "group_id"],
        )
    op.create_index(
        "uq_day_locks_own",
        "day_locks",
        ["account_id", "trading_date", "rule"],
        unique=True,
        sqlite_where=_OWN,
        postgresql_where=_OWN,
    )


def _pairs(name: str, first: str, of_first: str, second: str, of_second: str) -> None:
    op.create_table(
        name,
        sa.Column(first, sa.Integer(), nullable=False),
        sa.Column(second, sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint([first], [f"{of_first}.id"], name=op.f(f"fk_{name}_{first}_{of_first}")),
        sa.ForeignKeyConstraint([second], [f"{of_second}.id"], name=op.f(f"fk_{name}_{second}_{of_second}")),
        sa.PrimaryKeyConstraint(first, second, name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_{second}"), name, [second])


def downgrade() -> None:
    """Locks that a group made go with the groups."""
    op.execute("DELETE FROM day_locks WHERE group_id IS NOT NULL")
    op.drop_index("uq_day_locks_own", "day_locks")
    with op.batch_alter_table("day_locks") as locks:
        locks.drop_constraint(op.f("uq_day_locks_account_id_trading_date_rule_group_id"), type_="unique")
        locks.drop_constraint(op.f("fk_day_locks_group_id_account_groups"), type_="foreignkey")
        locks.drop_column("group_id")
        locks.create_unique_constraint(
            op.f("uq_day_locks_account_id_trading_date_rule"), ["account_id", "trading_date", "rule"]
        )
    op.drop_table("strategy_groups")
    op.drop_table("account_group_members")
    op.drop_table("account_groups")
