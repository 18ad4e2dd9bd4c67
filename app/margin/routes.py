"""Margin dashboard and calculator. Looking changes nothing, and nothing is sent from here."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.margin import margin_bp
from app.margin.calculator_page import calculator_page
from app.margin.dashboard_page import dashboard_page
from app.web.desk import desk
from app.web.extensions import heavy_rate_limit
from app.web.signed_in import user


@margin_bp.get("/")
def dashboard() -> ResponseReturnValue:
    return render_template("margin/dashboard.html", **dashboard_page(desk(), user(), request.args.get("accounts", "")))


@margin_bp.get("/calculator")
@heavy_rate_limit
def calculator() -> ResponseReturnValue:
    """How many lots on which account, and why. An address with its fields asks; without any it is the empty form."""
    page = calculator_page(desk(), user(), request.args)
    failed = bool(page["form"].errors or page["form"].error)  # type: ignore[attr-defined]
    return render_template("margin/calculator.html", **page), 422 if failed else 200
