"""The chart of a contract or a combination: candles, the Supertrend over them, and what is not known."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.domain.contracts import UNDERLYINGS
from app.domain.errors import InvalidInput
from app.trading import trading_bp
from app.trading.chart_page import asked_in, chart_view
from app.web.desk import desk


@trading_bp.get("/chart")
def chart() -> ResponseReturnValue:
    """Of the legs that the address names; without any there is a choice of indices."""
    asked = asked_in(desk(), request.args)
    view = None if asked is None else chart_view(desk(), asked)
    indices = [(each.name, f"{each.spot.exchange}:{each.spot.symbol}") for each in UNDERLYINGS]
    return render_template("trading/chart.html", chart=view, indices=indices)


@trading_bp.get("/chart/live")
def chart_live() -> ResponseReturnValue:
    """The newest candles alone; looking keeps them made."""
    asked = asked_in(desk(), request.args)
    if asked is None:
        raise InvalidInput("leg", "leg must name a contract, such as NSE_INDEX:NIFTY.")
    return render_template("trading/fragments/chart_live.html", chart=chart_view(desk(), asked))
