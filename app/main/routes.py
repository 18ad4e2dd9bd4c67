"""The desk's own pages: dashboard, activity, the style page."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from app.main.activity import activity_page
from app.main.dashboard import dashboard_page
from app.main.places import places_page
from app.web.desk import desk
from app.web.signed_in import user

main_bp = Blueprint("main", __name__)


@main_bp.get("/")
def dashboard() -> ResponseReturnValue:
    """`?accounts=group:1` shows the accounts of a group alone, and the sums of them."""
    return render_template("main/dashboard.html", **_page())


@main_bp.get("/live")
def dashboard_live() -> ResponseReturnValue:
    """The dashboard without its frame, fetched again when something changed."""
    return render_template("main/fragments/dashboard_live.html", **_page())


def _page() -> dict[str, object]:
    return dashboard_page(desk(), user(), request.args.get("accounts", ""))


@main_bp.get("/activity")
def activity() -> ResponseReturnValue:
    return render_template("main/activity.html", **activity_page(desk(), user(), request.args))


@main_bp.get("/places")
def places() -> ResponseReturnValue:
    """Fragment: where this user can go, for the box that finds it by words."""
    return render_template("main/fragments/places.html", **places_page(desk(), user()))


@main_bp.get("/style")
def style() -> ResponseReturnValue:
    """Every component of the pages on one page, for whoever changes one."""
    return render_template("main/style.html")
