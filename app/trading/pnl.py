"""The page of profit and loss: today's curve, each account's day, and what the days before brought."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.trading import trading_bp
from app.trading.pnl_page import pnl_page
from app.web.desk import desk
from app.web.signed_in import user


@trading_bp.get("/pnl")
def pnl() -> ResponseReturnValue:
    return render_template("trading/pnl.html", pnl=pnl_page(desk(), user(), request.args.get("accounts", "")))
