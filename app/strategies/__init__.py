"""Strategies: list, builder, preview."""

from flask import Blueprint

strategies_bp = Blueprint("strategies", __name__, url_prefix="/strategies")

import app.strategies.routes  # noqa: E402 - the routes register themselves on the blueprint above
import app.strategies.templates  # noqa: E402 - the same
import app.strategies.ticket  # noqa: E402, F401 - the same
