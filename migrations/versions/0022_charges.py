"""Charges as dated market rules: brokerage, taxes and fees as known in November 2026

Revision: 0022, after 0021
"""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Factor

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

RULES = (
    ("brokerage", "20", "2025-01-01", "The usual flat fee for an order; type your broker's"),
    ("stt_option", "0.1", "2024-10-01", "Finance (No. 2) Act 2024"),
    ("stt_option", "0.15", "2026-04-01", "Finance Act 2026, as published by ClearTax"),
    ("stt_future", "0.02", "2024-10-01", "Finance (No. 2) Act 2024"),
    ("stt_future", "0.05", "2026-04-01", "Finance Act 2026, as published by ClearTax"),
    ("fee_nfo_option", "0.03553", "2024-10-01", "NSE with IPFT, as brokers show it in 2026; confirm"),
    ("fee_bfo_option", "0.0325", "2024-10-01", "BSE for index options, as brokers show it; confirm"),
    ("sebi_fee", "0.0001", "2021-06-01", "Ten rupees a crore"),
    ("stamp_option", "0.003", "2020-07-01", "Indian Stamp Act, options"),
    ("gst", "18", "2020-01-01", "GST on services"),
)
"""kind, value (percent; brokerage in rupees), valid from, source. A frozen copy: what this put in never changes."""

TABLE = sa.table(
    "market_rules",
    sa.column("kind", sa.String),
    sa.column("underlying", sa.String),
    sa.column("value", Factor()),
    sa.column("valid_from", sa.Date),
    sa.column("source", sa.String),
)


def upgrade() -> None:
    op.bulk_insert(
        TABLE,
        [
            {
                "kind": kind,
                "underlying": None,
                "value": Decimal(value),
                "valid_from": date.fromisoformat(valid_from),
                "source": source,
            }
            for kind, value, valid_from, source in RULES
        ],
    )


def downgrade() -> None:
    kinds = ", ".join(f"'{kind}'" for kind in dict.fromkeys(kind for kind, *_ in RULES))
    op.execute(f"delete from market_rules where kind in ({kinds})")  # noqa: S608 - names of this file
