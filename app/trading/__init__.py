"""Chain, runs and books."""

from flask import Blueprint

trading_bp = Blueprint("trading", __name__, url_prefix="/trading")

from app.trading import adoption, alarms, books, calendar, chain, kill, market_data, pending, runs, setback, unknown  # noqa: E402, F401 - the routes register themselves on the blueprint above
