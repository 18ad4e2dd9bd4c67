"""The strip of alarms that every page has: fetched again and again, so that one raised meanwhile is seen."""

from flask import render_template
from flask.typing import ResponseReturnValue

from app.trading import trading_bp
from app.web.context import alarm_views
from app.web.desk import desk
from app.web.signed_in import user


@trading_bp.get("/alarms")
def alarms() -> ResponseReturnValue:
    return render_template("trading/fragments/alarms.html", alarms=alarm_views(desk(), user()))
