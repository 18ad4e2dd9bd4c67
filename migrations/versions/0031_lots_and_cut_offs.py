"""Lots and the intraday cut-off as dated market rules; an account without a cut-off of its own goes by them

Revision: 0031, after 0030
"""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Factor

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_NSE = "NSE FAOP70616, series from Jan 2026; a review of Oct 2026 may change series of Jan 2027 on: confirm"
_BSE = "BSE lot as published by brokers, Nov 2026; confirm"
_CUT_OFF = "Brokers say 15:15 to 15:25, OpenAlgo's sandbox 15:15; confirm, and type your broker's with the account"
RULES = (
    ("lot", "NIFTY", "65", "2026-01-01", _NSE),
    ("lot", "BANKNIFTY", "30", "2026-01-01", _NSE),
    ("lot", "FINNIFTY", "60", "2026-01-01", _NSE),
    ("lot", "MIDCPNIFTY", "120", "2026-01-01", _NSE),
    ("lot", "SENSEX", "20", "2026-01-01", _BSE),
    ("lot", "BANKEX", "30", "2026-01-01", _BSE),
    ("cut_off", None, "915", "2025-01-01", _CUT_OFF),
)
"""kind, underlying (None: all), value (units; minutes of the day), valid from, source. A frozen copy."""

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
                "underlying": underlying,
                "value": Decimal(value),
                "valid_from": date.fromisoformat(valid_from),
                "source": source,
            }
            for kind, underlying, value, valid_from, source in RULES
        ],
    )
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.alter_column("mis_cut_off", existing_type=sa.Time(), nullable=True)


def downgrade() -> None:
    op.execute("update trading_accounts set mis_cut_off = '15:15:00.000000' where mis_cut_off is null")
    with op.batch_alter_table("trading_accounts") as accounts:
        accounts.alter_column("mis_cut_off", existing_type=sa.Time(), nullable=False)
    op.execute("delete from market_rules where kind in ('lot', 'cut_off')")
