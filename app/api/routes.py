"""`/api`: what the pages' own modules ask for; the scripts' API stands beside it."""

import re
from dataclasses import asdict

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from app.api.candles import as_json
from app.domain.errors import InvalidInput
from app.services.adoption_commands import Adopt
from app.services.overrides import Override
from app.web.account_choice import chosen_accounts
from app.web.candle_subject import minutes_in, subject_in
from app.web.day_view import day_view
from app.web.desk import desk
from app.web.extensions import api_rate_limit
from app.web.idempotency import form_key
from app.web.market_data import market_data as market_data_view
from app.web.places import average_in, chosen_rules_in, place_in, units_in
from app.web.roles import admins_only
from app.web.signed_in import user

api_bp = Blueprint("api", __name__, url_prefix="/api")


@api_bp.get("/session")
@api_rate_limit
def session() -> ResponseReturnValue:
    """Who is signed in: a page that was open all night asks before it acts."""
    who = user()
    return jsonify({"username": who.username, "role": who.role})


@api_bp.get("/pnl")
@api_rate_limit
def pnl() -> ResponseReturnValue:
    """Today of each account and group, rupees as text: gross, and in `cost` charges and what is left net; null where it
    is not known, and `missing` and `note` say for want of what. As the page of profit and loss; `accounts` as there,
    `group:1` or `account:3`.
    """
    chosen = chosen_accounts(desk(), user(), request.args.get("accounts", ""))
    view = day_view(desk(), user(), chosen.accounts)
    curve = [{"at": at, "total": total, "net": net} for at, total, net in view.curve]
    return jsonify({**asdict(view), "curve": curve})


@api_bp.get("/reconciliation")
@api_rate_limit
def reconciliation() -> ResponseReturnValue:
    """What each account's broker has and what our fills say; `broker` is an old figure where `agreement` is unread."""
    book, asked = desk().reconciliation.lines(user()), desk().adoptions.recent(user())
    accounts = [{"account": each.account, "read": each.reason is None, "age_s": each.age_s} for each in book.sources]
    rows = [asdict(row) for row in book.rows]
    return jsonify({"rows": rows, "accounts": accounts, "adoptions": [asdict(each) for each in asked]})


@api_bp.post("/reconciliation/adopt")  # it sends nothing, and what it makes can be exited: never slowed down
def adopt() -> ResponseReturnValue:
    """Make foreign units a run: the fields of the page's form. What comes of it stands in /api/reconciliation.

    With `strategy_id` and the `digest` of /api/reconciliation/rules as `rules` it is under those rules at once.
    """
    once_each()
    form = request.form
    wanted = Adopt(*place_in(form), units_in(form), average_in(form), chosen_rules_in(form))
    return jsonify({"command_id": desk().adoptions.ask(wanted, actor=user(), key=form_key())}), 202


@api_bp.post("/reconciliation/ignore")
@api_rate_limit
def ignore() -> ResponseReturnValue:
    """Say no more of exactly so many foreign units."""
    once_each()
    place, units = place_in(request.form), units_in(request.form)
    desk().reconciliation.ignore(user(), place, units)
    return jsonify({"ignored": units})


@api_bp.post("/reconciliation/unignore")
@api_rate_limit
def unignore() -> ResponseReturnValue:
    """Ignore nothing there any more."""
    once_each()
    desk().reconciliation.take_back(user(), place_in(request.form))
    return jsonify({"ignored": None})


@api_bp.get("/market-data")
@api_rate_limit
@admins_only
def market_data() -> ResponseReturnValue:
    """Who feeds prices, who stands ready, what is wanted, confirmed, refused and silent, and what was lost."""
    return jsonify(asdict(market_data_view(desk(), user())))


@api_bp.post("/market-data/choose")
@api_rate_limit
@admins_only
def choose_feed() -> ResponseReturnValue:
    """Ask for prices from `account_id`, until that is given back or the engine starts anew; `GET` says what holds."""
    once_each()
    return jsonify({"asked": desk().feed_choice.choose(user(), _id("account_id"))}), 202


@api_bp.post("/market-data/give-back")
@api_rate_limit
@admins_only
def give_back_feed() -> ResponseReturnValue:
    """Take prices from the first account in order again."""
    once_each()
    desk().feed_choice.give_back(user())
    return jsonify({"asked": None}), 202


@api_bp.get("/candles")
@api_rate_limit
def candles() -> ResponseReturnValue:
    """Candles of `minutes` (5 unless said) of one `leg` (`NSE_INDEX:NIFTY`), or of the premium of several with ratios.

    They are kept for a minute after they were asked for; the first answer may still be waiting for history.
    """
    subject = subject_in(request.args.getlist("leg"), desk().contract_list.listed)
    return jsonify(as_json(desk().candles.view(subject, minutes_in(request.args.get("minutes", "5")))))


@api_bp.post("/runs/<int:run_id>/send-again")  # an exit, like the kill switch: never slowed down
def send_again(run_id: int) -> ResponseReturnValue:
    """Send an exit of unknown outcome again: the fields of the page's form, `confirm` being yes."""
    once_each()
    if request.form.get("confirm") != "yes":
        raise InvalidInput("confirm", "confirm must be yes: the exit may be closed twice.")
    wanted, key = Override(_id("account_id"), _id("leg_id")), form_key()
    return jsonify({"command_id": desk().overrides.ask(run_id, wanted, actor=user(), key=key)}), 202


def once_each(*, but: str | None = None) -> None:
    """Raises InvalidInput naming a field of the form that was sent more than once; `but` may be."""
    repeated = next((name for name, values in request.form.lists() if len(values) > 1 and name != but), None)
    if repeated is not None:
        raise InvalidInput(repeated, f"{repeated} must be given once.")


def _id(name: str) -> int:
    text = request.form.get(name, "")
    if not re.fullmatch("[0-9]{1,9}", text):
        raise InvalidInput(name, f"{name} must be a whole number.")
    return int(text)
