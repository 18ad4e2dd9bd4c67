"""The market rules that the table starts with: dated facts with their sources, to be edited by an admin later

Revision: 0002, after 0001
"""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Factor

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RULES = (
    ("freeze", "NIFTY", "1800", "2026-08-03", "NSE FAOP75521, quantity freeze from 3 Aug 2026"),
    ("freeze", "BANKNIFTY", "600", "2025-08-01", "NSE quantity freeze circular of the month"),
    ("freeze", "BANKNIFTY", "900", "2025-09-01", "NSE quantity freeze circular of the month"),
    ("freeze", "BANKNIFTY", "600", "2025-11-03", "NSE quantity freeze circular of the month"),
    ("freeze", "BANKNIFTY", "900", "2026-04-01", "NSE quantity freeze circular of the month"),
    ("freeze", "BANKNIFTY", "600", "2026-07-01", "NSE quantity freeze circular of the month"),
    ("freeze", "BANKNIFTY", "600", "2026-08-03", "NSE FAOP75521, quantity freeze from 3 Aug 2026"),
    ("freeze", "FINNIFTY", "1200", "2025-12-01", "NSE quantity freeze circular of the month"),
    ("freeze", "FINNIFTY", "1800", "2026-02-02", "NSE quantity freeze circular of the month"),
    ("freeze", "FINNIFTY", "1200", "2026-03-02", "NSE quantity freeze circular of the month"),
    ("freeze", "FINNIFTY", "1800", "2026-04-01", "NSE quantity freeze circular of the month"),
    ("freeze", "FINNIFTY", "1800", "2026-08-03", "NSE FAOP75521, quantity freeze from 3 Aug 2026"),
    ("freeze", "MIDCPNIFTY", "2800", "2026-08-03", "NSE FAOP75521, quantity freeze from 3 Aug 2026"),
    ("freeze", "SENSEX", "1000", "2026-08-03", "BSE quantity freeze as published by ICICI Direct, Aug 2026; confirm"),
    ("freeze", "BANKEX", "900", "2026-08-03", "BSE quantity freeze as published by ICICI Direct, Aug 2026; confirm"),
    ("band_option_low", None, "20", "2022-10-31", "NSE FAOP54242, limit price protection for index options"),
    ("band_option", None, "0.40", "2022-10-31", "NSE FAOP54242, limit price protection for index options"),
    ("band_future", None, "0.02", "2023-02-03", "Limit price protection for index futures: brokers state 2 % or 3 %, the narrower is kept; confirm"),
    ("protection_under_10", None, "0.05", "2025-01-01", "AlgoMirror's own default for protected limits"),
    ("protection_under_100", None, "0.03", "2025-01-01", "AlgoMirror's own default for protected limits"),
    ("protection_under_500", None, "0.02", "2025-01-01", "AlgoMirror's own default for protected limits"),
    ("protection_from_500", None, "0.01", "2025-01-01", "AlgoMirror's own default for protected limits"),
    ("protection_future", None, "0.0005", "2025-01-01", "AlgoMirror's own default for protected limits"),
)
"""kind, underlying (None: all), value, valid from, source. A frozen copy: what this revision put in never changes."""

TABLE = sa.table(
    "market_rules",
    sa.column("kind", sa.String),
    sa.column("underlying", sa.String),
    sa.column("value", Factor),
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


def downgrade() -> None:
    op.execute(TABLE.delete())
