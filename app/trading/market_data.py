"""The page of market data: who feeds prices, who stands ready, and an admin's choice."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Conflict
from app.trading import trading_bp
from app.trading.runs import id_in, only
from app.web.desk import desk
from app.web.market_data import market_data as view_of
from app.web.roles import admins_only
from app.web.signed_in import user


@trading_bp.get("/market-data")
@admins_only
def market_data() -> ResponseReturnValue:
    return render_template("trading/market_data.html", market=view_of(desk(), user()))


@trading_bp.post("/market-data/choose")
@admins_only
def choose_feed() -> ResponseReturnValue:
    """Prices from another account, from now on. However often it is sent, it is one choice."""
    account_id = id_in(only({"account_id"}), "account_id", "account_id must name an account.")
    try:
        name = desk().feed_choice.choose(user(), account_id)
    except Conflict as refused:
        flash(str(refused), "warn")
    else:
        flash(f"Asked of the engine: prices from {name}, as soon as its feed is warm.", "ok")
    return redirect(url_for("trading.market_data"), 303)


@trading_bp.post("/market-data/give-back")
@admins_only
def give_back_feed() -> ResponseReturnValue:
    """Prices from the first account in order again."""
    only(set())
    try:
        desk().feed_choice.give_back(user())
    except Conflict as refused:
        flash(str(refused), "warn")
    else:
        flash("Asked of the engine: prices from the first account in order, as soon as its feed is warm.", "ok")
    return redirect(url_for("trading.market_data"), 303)
