"""Chain, runs and books."""

from flask import Blueprint

trading_bp = Blueprint("trading", __name__, url_prefix="/trading")

# They register their routes on the blueprint above.
from app.trading import (
    adoption,
    alarms,
    books,
    calendar,
    chain,
    chart,
    given_rules,
    kill,
    market_data,
    pending,
    pnl,
    risk,
    runs,
    setback,
    settlements,
    unknown,
)
