"""Every address is closed unless a person put it on the list, and none that changes something answers a GET."""

import re

from flask import Flask
from flask.testing import FlaskClient

from app.web.security import PUBLIC
from tests.architecture.routes import address_of, rules_of
from tests.architecture.sources import list_of

REVIEWED_AS_PUBLIC = {"static", "auth.login", "auth.setup", "health.alive", "health.ready"}


def test_the_public_list_is_the_reviewed_one(app: Flask) -> None:
    assert set(PUBLIC) == REVIEWED_AS_PUBLIC
    assert set(PUBLIC) <= set(app.view_functions)


def test_every_other_address_is_closed(app: Flask, stranger: FlaskClient) -> None:
    open_doors = []
    for rule, method in rules_of(app):
        if rule.endpoint in PUBLIC:
            continue
        answer = stranger.open(address_of(rule), method=method)
        to_login = answer.status_code == 303 and answer.location.startswith("/auth/login")
        if not to_login and answer.status_code != 401:
            open_doors.append(f"{method} {rule.rule} ({rule.endpoint}): {answer.status_code}")
    assert not open_doors, f"these answer without a login:{list_of(open_doors)}"


def test_what_changes_something_is_not_a_get_in_disguise(app: Flask) -> None:
    """Verbs in an address that GET answers are how orders came to be placed by a link."""
    verbs = re.compile(r"(^|/)(start|stop|exit|send|delete|archive|pause|resume|cancel|logout|close)(/|$)")
    disguised = [f"GET {rule.rule}" for rule, _ in rules_of(app, {"GET"}) if verbs.search(rule.rule)]
    assert not disguised, list_of(disguised)


def test_the_sample_addresses_reach_their_endpoints(app: Flask) -> None:
    """A sample that matches no rule would be answered 404 and prove nothing."""
    adapter = app.url_map.bind("localhost")
    for rule, method in rules_of(app):
        assert adapter.match(address_of(rule), method=method)[0] == rule.endpoint, rule.rule
