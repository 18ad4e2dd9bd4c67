"""Sizing by margin: percentages of grades, margin requirements, who changed them, and what a strategy and account cap

Revision: 0021, after 0020
"""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Factor, Instant, Rupees

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

GRADES = (("A", 95), ("B", 65), ("C", 36))
RULE_OF_THUMB = "Rule of thumb of Nov 2026: 11 to 13 % of the notional, 16 % for both; type your broker's figures"
# On its expiry day a short option needs 2 % of the notional more.
REQUIREMENTS = (
    ("NIFTY", "ce_or_pe_sell", "other_days", 210_000),
    ("NIFTY", "ce_or_pe_sell", "expiry_day", 242_500),
    ("NIFTY", "ce_and_pe_sell", "other_days", 260_000),
    ("NIFTY", "ce_and_pe_sell", "expiry_day", 325_000),
    ("SENSEX", "ce_or_pe_sell", "other_days", 210_000),
    ("SENSEX", "ce_or_pe_sell", "expiry_day", 243_000),
    ("SENSEX", "ce_and_pe_sell", "other_days", 260_000),
    ("SENSEX", "ce_and_pe_sell", "expiry_day", 326_000),
)
BUYER_BUFFER = ("buyer_buffer", "0.05", date(2025, 1, 1), "AlgoMirror's own default for what option buyers keep ready")

MARKET_RULES = sa.table(
    "market_rules",
    sa.column("kind", sa.String),
    sa.column("underlying", sa.String),
    sa.column("value", Factor()),
    sa.column("valid_from", sa.Date),
    sa.column("source", sa.String),
)


def upgrade() -> None:
    op.add_column("strategies", sa.Column("size_rule", sa.Text(), nullable=True))
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.add_column(sa.Column("max_leg_lots", sa.Integer(), nullable=True))
        accounts.create_check_constraint(op.f("ck_trading_accounts_max_leg_lots"), "max_leg_lots >= 1")
    grades = op.create_table(
        "trade_grades",
        sa.Column("grade", sa.String(1), nullable=False),
        sa.Column("percent", Factor(), nullable=False),
        sa.CheckConstraint("percent > 0 and percent <= 100000000", name=op.f("ck_trade_grades_percent")),
        sa.PrimaryKeyConstraint("grade", name=op.f("pk_trade_grades")),
    )
    op.bulk_insert(grades, [{"grade": grade, "percent": Decimal(percent)} for grade, percent in GRADES])
    requirements = op.create_table(
        "margin_requirements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("underlying", sa.String(32), nullable=False),
        sa.Column("need", sa.String(16), nullable=False),
        sa.Column("day", sa.String(16), nullable=False),
        sa.Column("amount", Rupees(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_margin_requirements_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_margin_requirements")),
        sa.UniqueConstraint("underlying", "need", "day", name=op.f("uq_margin_requirements_underlying_need_day")),
    )
    op.bulk_insert(
        requirements,
        [
            {"underlying": index, "need": need, "day": day, "amount": Decimal(rupees), "source": RULE_OF_THUMB}
            for index, need, day, rupees in REQUIREMENTS
        ],
    )
    op.create_table(
        "setting_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("area", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("was", sa.String(200), nullable=True),
        sa.Column("now", sa.String(200), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_setting_changes_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting_changes")),
    )
    op.create_index("ix_setting_changes_area_id", "setting_changes", ["area", "id"])
    kind, value, valid_from, source = BUYER_BUFFER
    op.bulk_insert(
        MARKET_RULES,
        [{"kind": kind, "underlying": None, "value": Decimal(value), "valid_from": valid_from, "source": source}],
    )


def downgrade() -> None:
    op.execute(f"delete from market_rules where kind = '{BUYER_BUFFER[0]}'")
    op.drop_table("setting_changes")
    op.drop_table("margin_requirements")
    op.drop_table("trade_grades")
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.drop_constraint(op.f("ck_trading_accounts_max_leg_lots"), type_="check")
        accounts.drop_column("max_leg_lots")
    with op.batch_alter_table("strategies") as strategies:
        strategies.drop_column("size_rule")

