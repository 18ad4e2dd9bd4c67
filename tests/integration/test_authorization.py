"""Who gets what from every address of the application: nobody sees or changes what is another's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.persistence.tables import User
from app.web.signed_in import SignedIn
from tests.architecture.routes import rules_of
from tests.architecture.sources import list_of
from tests.desk_app import Browser
from tests.whole_app import ADMIN, NAMES, OWNER, STRANGER, Whole, add_fill, whole_app

LOGIN = 303
"""To the login page; that is what it is, and not a redirect of something done, is asserted."""


class Who(NamedTuple):
    """The status that each gets: nobody signed in, a trader who owns nothing, the owner of the thing, an admin."""

    anonymous: int
    stranger: int
    owner: int
    admin: int


ALL = Who(200, 200, 200, 200)
SIGNED_IN = Who(LOGIN, 200, 200, 200)
DOES_FOR_ALL = Who(LOGIN, 303, 303, 303)
OWN_OR_ADMIN = Who(LOGIN, 404, 200, 200)
OWN_ONLY = Who(LOGIN, 404, 200, 404)
DOES_OWN_ONLY = Who(LOGIN, 404, 303, 404)
DOES_OWN_OR_ADMIN = Who(LOGIN, 404, 303, 303)
ADMIN_PAGE = Who(LOGIN, 403, 403, 200)
ADMIN_DOES = Who(LOGIN, 403, 403, 303)
ADMIN_TYPES = Who(LOGIN, 403, 403, 422)

REVIEWED: dict[str, Who] = {
    "GET static": ALL,
    "GET health.alive": ALL,
    "GET health.ready": Who(503, 503, 503, 503),  # nothing is started here
    "GET auth.login": Who(200, 303, 303, 303),
    "POST auth.login": Who(422, 422, 422, 422),
    "GET auth.setup": Who(303, 303, 303, 303),
    "POST auth.setup": Who(303, 303, 303, 303),
    "POST auth.logout": DOES_FOR_ALL,
    "GET api.session": Who(401, 200, 200, 200),
    "GET api.reconciliation": Who(401, 200, 200, 200),
    "POST api.adopt": Who(401, 404, 202, 202),
    "POST api.ignore": Who(401, 404, 503, 503),  # nothing listens at the account's gateway
    "POST api.unignore": Who(401, 404, 409, 409),  # nothing is ignored
    "POST trading.acknowledge_setback": ADMIN_TYPES,  # an empty form names none
    "POST trading.adopt_position": DOES_OWN_OR_ADMIN,
    "GET trading.position_rules": Who(LOGIN, 422, 422, 422),  # nothing is named
    "GET api.position_rules": Who(401, 422, 422, 422),
    "GET trading.run_rules": Who(LOGIN, 404, 409, 409),  # a strategy entered that run
    "POST trading.run_rules": DOES_OWN_OR_ADMIN,
    "GET api.run_rules": Who(401, 404, 409, 409),
    "POST api.run_rules": Who(401, 404, 409, 409),
    "POST trading.ignore_position": DOES_OWN_OR_ADMIN,
    "POST trading.unignore_position": DOES_OWN_OR_ADMIN,
    "GET api.trading_states": Who(401, 200, 200, 200),
    "GET api.kills": Who(401, 200, 200, 200),
    "POST api.kill": Who(401, 422, 422, 422),  # an empty form names no target
    "GET main.places": SIGNED_IN,
    "GET trading.alarms": SIGNED_IN,
    "GET trading.kill": SIGNED_IN,
    "GET trading.kill_live": SIGNED_IN,
    "POST trading.press_kill": Who(LOGIN, 422, 422, 422),
    "POST trading.release_kill": Who(LOGIN, 422, 422, 422),
    "GET trading.pnl": SIGNED_IN,
    "GET api.pnl": Who(401, 200, 200, 200),
    "GET trading.risk": SIGNED_IN,
    "POST trading.reduce": Who(LOGIN, 422, 422, 422),
    "POST trading.lift_lock": Who(LOGIN, 422, 422, 422),
    "GET main.dashboard": SIGNED_IN,
    "GET main.dashboard_live": SIGNED_IN,
    "GET main.activity": SIGNED_IN,
    "GET main.style": SIGNED_IN,
    "GET accounts.index": SIGNED_IN,
    "GET accounts.show": OWN_OR_ADMIN,
    "GET accounts.brokerage": ADMIN_PAGE,
    "POST accounts.brokerage": ADMIN_TYPES,
    "POST accounts.remove_brokerage": ADMIN_DOES,
    "GET accounts.groups": SIGNED_IN,
    "GET accounts.new_group": ADMIN_PAGE,
    "POST accounts.new_group": ADMIN_TYPES,
    "GET accounts.edit_group": ADMIN_PAGE,
    "POST accounts.edit_group": ADMIN_TYPES,
    "POST accounts.delete_group": ADMIN_DOES,
    "GET accounts.new": ADMIN_PAGE,
    "POST accounts.new": ADMIN_TYPES,
    "GET accounts.edit": ADMIN_PAGE,
    "POST accounts.edit": ADMIN_TYPES,
    "POST accounts.test": ADMIN_DOES,
    "POST accounts.pause": ADMIN_DOES,
    "POST accounts.resume": ADMIN_DOES,
    "POST accounts.archive": ADMIN_DOES,
    "POST accounts.make_primary": ADMIN_DOES,
    "POST accounts.move": ADMIN_DOES,
    "POST accounts.add_simulator": ADMIN_DOES,
    "GET strategies.index": SIGNED_IN,
    "GET strategies.new": SIGNED_IN,
    "POST strategies.new": Who(LOGIN, 422, 422, 422),
    "POST strategies.payoff": Who(LOGIN, 422, 422, 422),  # an empty form says not how many structures
    "POST strategies.payoff_margin": Who(LOGIN, 422, 422, 422),
    "GET strategies.edit": OWN_ONLY,
    "POST strategies.edit": Who(LOGIN, 404, 422, 404),
    "POST strategies.archive": DOES_OWN_ONLY,
    "GET strategies.ticket": SIGNED_IN,
    "GET strategies.ticket_contracts": SIGNED_IN,
    "GET strategies.ticket_price": Who(LOGIN, 422, 422, 422),  # nothing is named
    "POST strategies.write_ticket": Who(LOGIN, 422, 422, 422),
    "GET strategies.templates": SIGNED_IN,
    "POST strategies.keep_template": Who(LOGIN, 404, 422, 404),  # an empty form names no template
    "POST strategies.rename_template": Who(LOGIN, 404, 422, 404),
    "POST strategies.delete_template": DOES_OWN_ONLY,
    "POST strategies.duplicate": Who(LOGIN, 404, 422, 404),  # an empty form names no copy
    "GET strategies.chart": Who(LOGIN, 404, 303, 404),
    "POST strategies.arm": Who(LOGIN, 404, 422, 404),  # an empty form says neither yes nor no
    "POST strategies.make_preview": DOES_OWN_ONLY,
    "GET strategies.preview": OWN_ONLY,
    "GET trading.chain": SIGNED_IN,
    "GET trading.chain_live": Who(LOGIN, 503, 503, 503),  # no price, no rows
    "GET trading.chain_depth": Who(LOGIN, 422, 422, 422),  # nothing is named
    "GET trading.chart": SIGNED_IN,
    "GET trading.chart_live": Who(LOGIN, 422, 422, 422),  # no leg is named
    "GET api.chain": Who(401, 200, 200, 200),
    "GET trading.orders": SIGNED_IN,
    "GET trading.trades": SIGNED_IN,
    "GET trading.positions": SIGNED_IN,
    "GET trading.holdings": SIGNED_IN,
    "GET trading.funds": SIGNED_IN,
    "GET trading.reconciliation": SIGNED_IN,
    "GET trading.market_data": ADMIN_PAGE,
    "POST trading.choose_feed": ADMIN_DOES,
    "POST trading.give_back_feed": ADMIN_DOES,
    "GET api.market_data": Who(401, 403, 403, 200),
    "POST api.choose_feed": Who(401, 403, 403, 202),
    "POST api.give_back_feed": Who(401, 403, 403, 202),
    "GET trading.runs": SIGNED_IN,
    "POST trading.start_run": DOES_OWN_ONLY,
    "GET trading.run": OWN_OR_ADMIN,
    "GET trading.run_live": OWN_OR_ADMIN,
    "GET trading.divergence": OWN_OR_ADMIN,
    "POST trading.exit_run": DOES_OWN_OR_ADMIN,
    "POST trading.change_pending": DOES_OWN_OR_ADMIN,
    "POST trading.send_again": DOES_OWN_OR_ADMIN,
    "POST api.send_again": Who(401, 404, 202, 202),
    "GET margin.dashboard": SIGNED_IN,
    "GET margin.calculator": SIGNED_IN,
    "GET margin.grades": SIGNED_IN,
    "POST margin.set_grade": ADMIN_TYPES,
    "GET margin.requirements": SIGNED_IN,
    "POST margin.set_requirement": ADMIN_TYPES,
    "POST margin.remove_requirement": ADMIN_TYPES,
    "GET margin.rules": SIGNED_IN,
    "POST margin.add_rule": ADMIN_TYPES,
    "POST margin.remove_rule": ADMIN_DOES,
    "GET trading.settlements": SIGNED_IN,
    "GET api.settlements": Who(401, 200, 200, 200),
    "POST api.type_settlement": Who(401, 403, 403, 422),
    "POST trading.type_settlement": ADMIN_TYPES,
    "GET api.run_sizes": Who(401, 404, 200, 200),
    "GET api.run_pnl": Who(401, 404, 200, 200),
    "GET api.preview_sizes": Who(401, 404, 200, 404),
    "GET api.margin_calculator": Who(401, 422, 422, 422),  # nothing is asked of it
    "GET trading.calendar": SIGNED_IN,
    "POST trading.add_override": ADMIN_TYPES,
    "POST trading.change_override": ADMIN_TYPES,
    "POST trading.remove_override": ADMIN_DOES,
    "GET api.candles": Who(401, 422, 422, 422),  # no leg is named
}
"""Every address, as a person has reviewed it. One that is not here fails the test that follows."""

ARGUMENTS = {"underlying": "NIFTY", "filename": "build/manifest.json"}
LIKE_AN_OWNERS_PAGE = {"/accounts/{account_id}", "/trading/runs/{run_id}"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return whole_app(tmp_path_factory.mktemp("whole"))


def address(whole: Whole, rule: Rule) -> str:
    values = {**ARGUMENTS, **whole.ids}
    return re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda found: str(values[found[1]]), rule.rule)


def form_for(whole: Whole, endpoint: str) -> dict[str, str]:
    """What makes the request one that would be done for somebody who may."""
    key = {"idempotency_key": "attack-0001"}
    again = {"account_id": str(whole.ids["account_id"]), "leg_id": "1", "confirm": "yes"}
    account = {"account_id": str(whole.ids["account_id"])}
    place = {**account, "exchange": "NFO", "symbol": "NIFTY01DEC2625000CE", "product": "MIS"}
    units = {**place, "side": "short", "units": "65"}
    ruled = {"strategy_id": str(whole.ids["strategy_id"]), "rules": "0" * 64, "idempotency_key": "attack-0007"}
    forms = {
        "trading.adopt_position": {**units, "idempotency_key": "attack-0005"},
        "api.adopt": {**units, "idempotency_key": "attack-0006"},
        **dict.fromkeys(("trading.run_rules", "api.run_rules"), ruled),
        **dict.fromkeys(("trading.ignore_position", "api.ignore"), units),
        **dict.fromkeys(("trading.unignore_position", "api.unignore"), place),
        "trading.start_run": {"preview_id": str(whole.ids["preview_id"]), "digest": whole.digest, **key},
        "trading.exit_run": {"scope": "all", **key},
        "trading.change_pending": {
            "account_id": str(whole.ids["account_id"]),
            "leg_id": "1",
            "change": "cancel",
            "idempotency_key": "attack-0002",
        },
        "trading.send_again": {**again, "idempotency_key": "attack-0003"},
        "api.send_again": {**again, "idempotency_key": "attack-0004"},
        "trading.choose_feed": account,
        "api.choose_feed": account,
        "accounts.move": {"direction": "up", "place": "1"},
    }
    return forms.get(endpoint, {})


def asked(whole: Whole, browser: Browser, token: str, rule: Rule, method: str) -> TestResponse:
    path = address(whole, rule)
    if method == "GET":
        return browser.get(path)
    return browser.client.open(path, method=method, data={"csrf_token": token, **form_for(whole, rule.endpoint)})


def to_login(answer: TestResponse) -> bool:
    return answer.status_code == 401 or (answer.status_code == 303 and answer.location.startswith("/auth/login"))


def test_every_address_has_been_reviewed(whole: Whole) -> None:
    there = {f"{method} {rule.endpoint}" for rule, method in rules_of(whole.app)}
    assert there - REVIEWED.keys() == set(), "write down here who may do what at these addresses"
    assert REVIEWED.keys() - there == set(), "these addresses are gone"


def everything(whole: Whole) -> Iterator[tuple[Rule, str]]:
    """All addresses; what ends the session comes last."""
    return iter(sorted(rules_of(whole.app), key=lambda one: one[0].endpoint == "auth.logout"))


@pytest.mark.parametrize("who", ["anonymous", "stranger"])
def test_nothing_of_anothers_is_seen_or_changed(whole: Whole, who: str) -> None:
    browser = whole.stranger() if who == "anonymous" else whole.signed_in(STRANGER)
    token = browser.token("/auth/login" if who == "anonymous" else "/strategies/new")
    before = {name: rows for name, rows in whole.rows().items() if name != "activity_log"}
    wrong = []
    for rule, method in everything(whole):
        answer = asked(whole, browser, token, rule, method)
        wanted = getattr(REVIEWED[f"{method} {rule.endpoint}"], who)
        place = f"{method} {rule.rule}"
        if answer.status_code != wanted:
            wrong.append(f"{place}: {answer.status_code}, not {wanted}")
        elif who == "anonymous" and wanted == LOGIN and not to_login(answer):
            wrong.append(f"{place}: leads to {answer.location}")
        wrong += [f"{place} shows {what} {text!r}" for what, text in NAMES.items() if text in answer.text]
    assert not wrong, list_of(wrong)
    assert {name: rows for name, rows in whole.rows().items() if name != "activity_log"} == before


def test_a_thing_of_anothers_is_told_apart_from_none_by_nothing(whole: Whole) -> None:
    browser = whole.signed_in(STRANGER)
    pages = {
        "/accounts/{}": "account_id",
        "/strategies/{}/edit": "strategy_id",
        "/strategies/previews/{}": "preview_id",
        "/trading/runs/{}": "run_id",
    }
    for path, kind in pages.items():
        theirs, nobodys = browser.get(path.format(whole.ids[kind])), browser.get(path.format(987))
        assert theirs.status_code == nobodys.status_code == 404
        assert _without_ids(theirs.text) == _without_ids(nobodys.text), path


def _without_ids(page: str) -> str:
    """The page without what differs between any two answers: nonces, tokens, request ids, ages."""
    sentence = re.search(r"<main.*?</main>", page, re.DOTALL)
    assert sentence
    return re.sub(r"[0-9a-f]{12}", "", sentence[0])


@pytest.mark.parametrize("who", ["owner", "admin"])
def test_the_owner_and_admins_get_what_is_theirs(tmp_path: Path, who: str) -> None:
    whole = whole_app(tmp_path)
    browser = whole.signed_in({"owner": OWNER, "admin": ADMIN}[who])
    token = browser.token("/strategies/new")
    wrong = []
    for rule, method in sorted(everything(whole), key=lambda one: (one[1] != "GET", one[0].endpoint == "auth.logout")):
        wanted = getattr(REVIEWED[f"{method} {rule.endpoint}"], who)
        answer = asked(whole, browser, token, rule, method)
        if answer.status_code != wanted:
            wrong.append(f"{method} {rule.rule}: {answer.status_code}, not {wanted}")
    assert not wrong, list_of(wrong)


def test_counts_and_choices_are_of_ones_own(tmp_path: Path) -> None:
    whole = whole_app(tmp_path)
    add_fill(whole)
    people = {name: _actor(whole, name) for name in (OWNER, STRANGER, ADMIN)}
    assert {name: whole.desk.today.fills(actor) for name, actor in people.items()} == {OWNER: 1, STRANGER: 0, ADMIN: 1}
    actors, actions = whole.desk.activity.names(people[STRANGER])
    assert (actors, actions) == ([STRANGER], ["user.create"])
    assert OWNER in whole.desk.activity.names(people[ADMIN])[0]


def test_what_an_admin_did_to_ones_account_is_seen_by_its_owner(tmp_path: Path) -> None:
    whole = whole_app(tmp_path)
    whole.signed_in(ADMIN).post(f"/accounts/{whole.ids['account_id']}/pause")
    assert "no entries, exits go on" in whole.signed_in(OWNER).get("/activity").text
    assert "no entries, exits go on" not in whole.signed_in(STRANGER).get("/activity").text


def _actor(whole: Whole, name: str) -> SignedIn:
    with whole.database.reading() as session:
        found = session.scalars(select(User).where(User.username == name)).one()
    return SignedIn(found.id, found.username, found.role, "")


def test_pages_of_the_owner_show_what_the_others_must_not_see(whole: Whole) -> None:
    """Or the test that strangers do not see it would prove nothing."""
    pages = (
        "/", "/activity", "/accounts/", "/accounts/groups", "/strategies/", "/trading/runs",
        f"/trading/runs/{whole.ids['run_id']}",
    )  # fmt: skip
    for name in (OWNER, ADMIN):
        browser = whole.signed_in(name)
        seen = "".join(browser.get(path).text for path in pages)
        missing = [what for what, text in NAMES.items() if text not in seen and what != "order"]
        assert not missing, name
