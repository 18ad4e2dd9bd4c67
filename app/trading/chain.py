"""The option chain of an index and expiry."""

from datetime import date

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.domain.contracts import UNDERLYINGS
from app.domain.errors import InvalidInput
from app.trading import trading_bp
from app.web.desk import desk


@trading_bp.get("/chain")
@trading_bp.get("/chain/<underlying>")
def chain(underlying: str | None = None) -> ResponseReturnValue:
    """The nearest expiry where none is named, the first index where none is. Looking keeps its prices coming."""
    name = underlying or request.args.get("underlying") or UNDERLYINGS[0].name
    chains = desk().chains
    view = chains.view(name, _expiry(request.args.get("expiry")))
    if view.expiry is not None:
        chains.looked_at(view.underlying, view.expiry)
    return render_template("trading/chain.html", chain=view, any_account=bool(desk().accounts.active()))


def _expiry(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("expiry", "The expiry must be a date such as 2026-12-29.") from None
