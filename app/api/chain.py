"""An option chain for scripts: decimals as text, moments with their zone, null for what nobody knows."""

from dataclasses import asdict
from datetime import date
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from app.api.routes import api_bp
from app.domain.errors import InvalidInput
from app.services.chain_view import ChainSide, ChainView
from app.web.desk import desk
from app.web.extensions import api_rate_limit

_OF_THE_PAGE = {"underlyings", "rows", "expiries", "expiry", "closes", "future", "layout"}
"""What is told in another way, or is of use to a page alone."""


@api_bp.get("/chain/<underlying>")
@api_rate_limit
def chain(underlying: str) -> ResponseReturnValue:
    """The chain of `expiry` (ISO date), of the nearest where none is named. Asking keeps its prices coming."""
    chains, text = desk().chains, request.args.get("expiry")
    try:
        wanted = date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput("expiry", "The expiry must be a date such as 2026-12-29.") from None
    view = chains.view(underlying, wanted)
    if view.expiry is not None:
        chains.looked_at(view.underlying, view.expiry)
    return jsonify(_chain(view))


def _chain(view: ChainView) -> dict[str, Any]:
    found = {name: value for name, value in asdict(view).items() if name not in _OF_THE_PAGE}
    future = view.future
    return found | {
        "expiry": None if view.expiry is None else view.expiry.isoformat(),
        "expiries": [day.isoformat() for day in view.expiries],
        "closes": None if view.closes is None else view.closes.isoformat(),
        "future": None if future is None else asdict(future) | {"expiry": future.expiry.isoformat()},
        "rows": [
            {"strike": row.strike, "is_atm": row.is_atm, "ce": _side(row.ce), "pe": _side(row.pe)} for row in view.rows
        ],
    }


def _side(side: ChainSide | None) -> dict[str, Any] | None:
    if side is None:
        return None
    found = asdict(side)
    figures = found.pop("figures") or dict.fromkeys(("iv", "delta", "gamma", "theta", "vega"))
    return {**found.pop("key"), **found, **figures}
