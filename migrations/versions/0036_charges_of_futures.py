"""Exchange fees and stamp duty of index futures

Revision: 0036, after 0035
"""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Factor

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

RULES = (
    (
        "fee_nfo_future",
        "0.00173",
        "2024-10-01",
        "NSE circular of 27 Sep 2024 as the press reported it, without IPFT; confirm",
    ),
    ("fee_bfo_future", "0", "2024-10-01", "BSE takes none for index futures, the press on 27 Sep 2024; confirm"),
    ("stamp_future", "0.002", "2020-07-01", "Indian Stamp Act, futures, as nseindia.com lists it"),
)
"""kind, value (percent), valid from, source. A frozen copy: what this put in never changes."""

TABLE = sa.table(
    "market_rules",
    sa.column("kind", sa.String),
    sa.column("underlying", sa.String),
    sa.column("value", Factor()),
    sa.column("valid_from", sa.Date),
    sa.column("source", sa.String),
)


def upgrade() -> None:
    there = set(op.get_bind().scalars(sa.select(TABLE.c.kind)))
    rows = [
        {
            "kind": kind,
            "underlying": None,
            "value": Decimal(value),
            "valid_from": date.fromisoformat(valid_from),
            "source": source,
        }
        for kind, value, valid_from, source in RULES
        if kind not in there  # an admin has typed it already
    ]
    if rows:
        op.bulk_insert(TABLE, rows)


def downgrade() -> None:
    for kind, _, _, source in RULES:
        op.execute(sa.delete(TABLE).where(TABLE.c.kind == kind, TABLE.c.source == source))
