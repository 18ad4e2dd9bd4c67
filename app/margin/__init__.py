"""Margin: what each account has and uses, how many lots that carries, and the tables that sizes follow from."""

from flask import Blueprint

margin_bp = Blueprint("margin", __name__, url_prefix="/margin")

from app.margin import routes, rules, tables  # noqa: E402, F401 - the routes register themselves on the blueprint above
