"""Serves every template with sample contexts under the strict policy; `python -m tests.browser.gallery` to look at it.

Undefined names are errors here, so a template that reads something docs/view-models.md does not promise fails.
"""

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, Response, abort, flash, render_template, request
from flask_socketio import SocketIO
from jinja2 import StrictUndefined

from app.domain import wording
from app.domain.wording import damaged
from tests.browser.gallery_pages import PAGES, Page
from tests.browser.samples_desk import NOW, PLACES, dashboard, desk
from tests.browser.samples_kill import ALARM, ALARMS, HALTS, SETBACK
from tests.browser.samples_run import RUN_TROUBLE
from tests.browser.samples_ticket import DEPTH, FOUND

WORDS = (
    "fixed",
    "signed_price",
    "signed_short",
    "inr",
    "inr_short",
    "signed",
    "price",
    "lots",
    "expiry",
    "ist",
    "ist_date",
    "age",
)
ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "app/static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)

LOADS_AGAIN = re.compile(r'<meta http-equiv="refresh" content="\d+">')

# Endpoint, address and methods as docs/view-models.md lists them.
ENDPOINTS = (
    ("auth.setup", "/auth/setup", "GET POST"),
    ("auth.login", "/auth/login", "GET POST"),
    ("auth.logout", "/auth/logout", "POST"),
    ("main.dashboard", "/", "GET"),
    ("main.dashboard_live", "/live", "GET"),
    ("main.activity", "/activity", "GET"),
    ("main.places", "/places", "GET"),
    ("main.style", "/style", "GET"),
    ("accounts.index", "/accounts/", "GET"),
    ("accounts.groups", "/accounts/groups", "GET"),
    ("accounts.new_group", "/accounts/groups/new", "GET POST"),
    ("accounts.edit_group", "/accounts/groups/<int:group_id>/edit", "GET POST"),
    ("accounts.delete_group", "/accounts/groups/<int:group_id>/delete", "POST"),
    ("accounts.new", "/accounts/new", "GET POST"),
    ("accounts.show", "/accounts/<int:account_id>", "GET"),
    ("accounts.edit", "/accounts/<int:account_id>/edit", "GET POST"),
    ("accounts.brokerage", "/accounts/<int:account_id>/brokerage", "GET POST"),
    ("accounts.remove_brokerage", "/accounts/<int:account_id>/brokerage/<int:tariff_id>/remove", "POST"),
    *(
        (f"accounts.{verb}", f"/accounts/<int:account_id>/{verb}", "POST")
        for verb in ("test", "pause", "resume", "archive", "make_primary", "move")
    ),
    ("accounts.add_simulator", "/accounts/simulator", "POST"),
    ("trading.chain", "/trading/chain", "GET"),
    ("trading.calendar", "/trading/calendar", "GET"),
    ("trading.add_override", "/trading/calendar", "POST"),
    *(
        (f"trading.{verb}_override", f"/trading/calendar/<int:override_id>/{verb}", "POST")
        for verb in ("change", "remove")
    ),
    ("trading.chain_live", "/trading/chain/<underlying>/live", "GET"),
    ("trading.chart", "/trading/chart", "GET"),
    ("trading.chart_live", "/trading/chart/live", "GET"),
    ("trading.chain_depth", "/trading/chain/depth", "GET"),
    ("trading.alarms", "/trading/alarms", "GET"),
    ("trading.kill", "/trading/kill", "GET"),
    ("trading.kill_live", "/trading/kill/live", "GET"),
    ("trading.press_kill", "/trading/kill", "POST"),
    ("trading.release_kill", "/trading/kill/release", "POST"),
    ("trading.pnl", "/trading/pnl", "GET"),
    ("trading.settlements", "/trading/settlements", "GET"),
    ("trading.type_settlement", "/trading/settlements", "POST"),
    ("trading.risk", "/trading/risk", "GET"),
    ("trading.reduce", "/trading/risk/reduce", "POST"),
    ("trading.lift_lock", "/trading/risk/locks/<int:lock_id>/lift", "POST"),
    ("trading.runs", "/trading/runs", "GET"),
    ("trading.start_run", "/trading/runs", "POST"),
    ("trading.run", "/trading/runs/<int:run_id>", "GET"),
    ("trading.divergence", "/trading/runs/<int:run_id>/divergence", "GET"),
    ("trading.run_live", "/trading/runs/<int:run_id>/live", "GET"),
    ("trading.exit_run", "/trading/runs/<int:run_id>/exit", "POST"),
    ("trading.send_again", "/trading/runs/<int:run_id>/send-again", "POST"),
    ("trading.change_pending", "/trading/runs/<int:run_id>/pending", "POST"),
    *(
        (f"trading.{book}", f"/trading/{book}", "GET")
        for book in ("orders", "trades", "positions", "holdings", "funds", "reconciliation")
    ),
    ("margin.dashboard", "/margin/", "GET"),
    ("margin.calculator", "/margin/calculator", "GET"),
    ("margin.grades", "/margin/grades", "GET"),
    ("margin.set_grade", "/margin/grades", "POST"),
    ("margin.requirements", "/margin/requirements", "GET"),
    ("margin.set_requirement", "/margin/requirements", "POST"),
    ("margin.remove_requirement", "/margin/requirements/remove", "POST"),
    ("margin.rules", "/margin/rules", "GET"),
    ("margin.add_rule", "/margin/rules", "POST"),
    ("margin.remove_rule", "/margin/rules/<int:rule_id>/remove", "POST"),
    ("trading.market_data", "/trading/market-data", "GET"),
    ("trading.choose_feed", "/trading/market-data/choose", "POST"),
    ("trading.give_back_feed", "/trading/market-data/give-back", "POST"),
    ("trading.acknowledge_setback", "/trading/reconciliation/acknowledge", "POST"),
    ("trading.position_rules", "/trading/reconciliation/rules", "GET"),
    ("trading.run_rules", "/trading/runs/<int:run_id>/rules", "GET POST"),
    ("trading.adopt_position", "/trading/reconciliation/adopt", "POST"),
    ("trading.ignore_position", "/trading/reconciliation/ignore", "POST"),
    ("trading.unignore_position", "/trading/reconciliation/unignore", "POST"),
    ("strategies.index", "/strategies/", "GET"),
    ("strategies.new", "/strategies/new", "GET POST"),
    ("strategies.payoff", "/strategies/payoff", "POST"),
    ("strategies.payoff_margin", "/strategies/payoff/margin", "POST"),
    ("strategies.edit", "/strategies/<int:strategy_id>/edit", "GET POST"),
    ("strategies.ticket", "/strategies/ticket", "GET"),
    ("strategies.ticket_contracts", "/strategies/ticket/contracts", "GET"),
    ("strategies.ticket_price", "/strategies/ticket/price", "GET"),
    ("strategies.write_ticket", "/strategies/ticket", "POST"),
    ("strategies.templates", "/strategies/templates", "GET"),
    ("strategies.keep_template", "/strategies/<int:strategy_id>/template", "POST"),
    ("strategies.rename_template", "/strategies/templates/<int:template_id>/rename", "POST"),
    ("strategies.delete_template", "/strategies/templates/<int:template_id>/delete", "POST"),
    ("strategies.duplicate", "/strategies/<int:strategy_id>/duplicate", "POST"),
    ("strategies.chart", "/strategies/<int:strategy_id>/chart", "GET"),
    ("strategies.archive", "/strategies/<int:strategy_id>/archive", "POST"),
    ("strategies.arm", "/strategies/<int:strategy_id>/arm", "POST"),
    ("strategies.make_preview", "/strategies/<int:strategy_id>/preview", "POST"),
    ("strategies.preview", "/strategies/previews/<int:preview_id>", "GET"),
)


def manifest() -> dict[str, str]:
    entries: dict[str, str] = json.loads((STATIC / "build/manifest.json").read_text())
    return entries


def show(page: Page) -> str:
    """One sample as a page. Flashes are queued first, as a request before it would have done."""
    for category, message in page.flashes:
        flash(message, category)
    user = SimpleNamespace(is_authenticated=not page.visitor, username="asha", is_admin=True)
    return render_template(
        page.template,
        desk=desk(
            page.mode,
            trouble=page.trouble,
            halts=HALTS if page.halted else (),
            alarms=ALARMS if page.alarmed else (),
            setback=SETBACK if page.set_back else None,
            damage=damaged("Tree 7 page 4711 cell 3: invalid page number") if page.damaged else None,
        ),
        current_user=user,
        **page.context,
    )


def nothing(**_: Any) -> Response:
    """What the product would answer is not the gallery's business."""
    return Response(status=204)


# The fragments that pages fetch again while they are open.
FRAGMENTS: dict[str, Callable[..., Any]] = {
    "trading.chain_depth": lambda: render_template("trading/fragments/chain_depth.html", **DEPTH),
    "strategies.ticket_price": lambda: render_template("strategies/fragments/ticket_price.html", contract=FOUND[0]),
    "trading.kill_live": lambda: render_template("trading/fragments/kill_live.html", **ALARM),
    "main.places": lambda: render_template("main/fragments/places.html", places=PLACES),
    "main.dashboard_live": lambda: render_template("main/fragments/dashboard_live.html", **dashboard(11)),
    "trading.run_live": lambda run_id: render_template("trading/fragments/run_live.html", **RUN_TROUBLE),  # noqa: ARG005
}


def create_gallery() -> Flask:
    app = Flask(
        "gallery", template_folder=str(ROOT / "app/templates"), static_folder=str(STATIC), static_url_path="/static"
    )
    app.secret_key = "gallery"
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600  # built files carry their content's hash in their name
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters.update({name: getattr(wording, name) for name in WORDS})
    app.jinja_env.filters["days_left"] = lambda day: wording.days_left(day, NOW.date())
    keys = itertools.count(1)
    app.jinja_env.globals.update(
        asset=lambda name: f"/static/build/{manifest()[name]}",
        csrf_token=lambda: "sample-token",
        idempotency_key=lambda: f"sample-key-{next(keys)}",
    )
    for endpoint, address, methods in ENDPOINTS:
        view = FRAGMENTS.get(endpoint, nothing)
        app.add_url_rule(address, endpoint, view, methods=methods.split())
    pages = {page.key: page for page in PAGES}

    @app.get("/gallery/<key>")
    def gallery_page(key: str) -> str:
        """With `?still` a page that would load itself again stays as it is, however long somebody looks at it."""
        text = show(pages[key]) if key in pages else abort(404)
        return LOADS_AGAIN.sub("", text) if "still" in request.args else text

    @app.get("/gallery/")
    def gallery_index() -> str:
        return "".join(f'<p><a href="/gallery/{key}">{key}</a></p>' for key in pages)

    @app.after_request
    def strict(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    # The push connection the pages open; tests emit through app.extensions["socketio"].
    SocketIO(app, async_mode="threading")
    return app


if __name__ == "__main__":
    gallery = create_gallery()
    gallery.extensions["socketio"].run(gallery, host="127.0.0.1", port=8099, allow_unsafe_werkzeug=True)
