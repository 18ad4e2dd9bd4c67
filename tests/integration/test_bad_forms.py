"""Every form of the application under bad input: a clear refusal that names the field, and no row changed."""

import html
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from werkzeug.test import TestResponse

from tests.architecture.routes import rules_of
from tests.architecture.sources import list_of
from tests.attacks import ABSURD, BODIES, FOREIGN, IDS, UNREADABLE
from tests.desk_app import PASSWORD, TOKEN
from tests.whole_app import ADMIN, OWNER, Whole, whole_app
from tests.whole_forms import (
    ACCOUNT,
    ALONG,
    DAY,
    GROUP,
    KEY,
    KILL,
    NAMED,
    PAYOFF,
    PLACE,
    REQUIREMENT,
    REQUIREMENT_PLACE,
    RULE,
    SETTLEMENT,
    SLIDERS,
    STRATEGY,
    STRATEGY_OPTIONAL,
    TARIFF,
    TICKET,
    TYPED,
    UNITS,
)


@dataclass(frozen=True)
class Form:
    """A POST address: who may use it, what it takes, and which of its fields hold free text or may be left out."""

    path: str
    who: str | None
    fields: dict[str, str] = field(default_factory=dict)
    text: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


Variants = Callable[[Form], Iterator[tuple[str, str, dict[str, Any]]]]
"""What is wrong, with which field, and the fields as sent."""

PERSON = {"username": "mallory", "password": PASSWORD}
SEND = {"preview_id": "{preview_id}", "digest": "{digest}", "idempotency_key": KEY}
AGAIN = {"account_id": "{account_id}", "leg_id": "1", "confirm": "yes", "idempotency_key": KEY}
ADOPT = {**UNITS, "average": "101.25", "idempotency_key": KEY}
RULES = {"strategy_id": "{strategy_id}", "rules": "0" * 64}
LIFT = {"password": PASSWORD}
RELEASE = {"target": "strategy:{strategy_id}", "password": PASSWORD}

OF_ACCOUNT = frozenset({"name", "api_key", "notes"}), frozenset({"notes", "orders_per_second"})
FEED = {"account_id": "{account_id}"}
FORMS: dict[str, Form] = {
    "margin.set_grade": Form("/margin/grades", ADMIN, {"grade": "B", "percent": "64"}),
    "margin.set_requirement": Form("/margin/requirements", ADMIN, REQUIREMENT, text=frozenset({"source"})),
    "margin.remove_requirement": Form("/margin/requirements/remove", ADMIN, REQUIREMENT_PLACE),
    "margin.add_rule": Form(
        "/margin/rules", ADMIN, RULE, text=frozenset({"source"}), optional=frozenset({"underlying"})
    ),
    "trading.type_settlement": Form("/trading/settlements", ADMIN, SETTLEMENT),
    "api.type_settlement": Form("/api/settlements", ADMIN, SETTLEMENT),
    "margin.remove_rule": Form("/margin/rules/{rule_id}/remove", ADMIN),
    "trading.add_override": Form("/trading/calendar", ADMIN, DAY, text=frozenset({"reason"})),
    "trading.change_override": Form("/trading/calendar/{override_id}/change", ADMIN, DAY, text=frozenset({"reason"})),
    "trading.remove_override": Form("/trading/calendar/{override_id}/remove", ADMIN),
    "trading.acknowledge_setback": Form("/trading/reconciliation/acknowledge", ADMIN, {"setback_id": "1"}),
    "trading.adopt_position": Form("/trading/reconciliation/adopt", OWNER, ADOPT, optional=frozenset({"average"})),
    **{
        f"{at}.run_rules": Form(f"/{at}/runs/{{run_id}}/rules", OWNER, {**RULES, "idempotency_key": KEY})
        for at in ("trading", "api")
    },
    "trading.ignore_position": Form("/trading/reconciliation/ignore", OWNER, UNITS),
    "trading.unignore_position": Form("/trading/reconciliation/unignore", OWNER, PLACE),
    "api.adopt": Form("/api/reconciliation/adopt", OWNER, ADOPT, optional=frozenset({"average"})),
    "api.ignore": Form("/api/reconciliation/ignore", OWNER, UNITS),
    "api.unignore": Form("/api/reconciliation/unignore", OWNER, PLACE),
    **{f"{at}.choose_feed": Form(f"/{at}/market-data/choose", ADMIN, FEED) for at in ("trading", "api")},
    **{f"{at}.give_back_feed": Form(f"/{at}/market-data/give-back", ADMIN) for at in ("trading", "api")},
    "auth.setup": Form(
        "/auth/setup",
        None,
        {**PERSON, "setup_token": TOKEN, "password_again": PASSWORD},
        text=frozenset({"username", "password"}),
    ),
    "auth.login": Form("/auth/login", None, PERSON, text=frozenset({"username", "password"})),
    "auth.logout": Form("/auth/logout", OWNER),
    "accounts.new": Form("/accounts/new", ADMIN, ACCOUNT, *OF_ACCOUNT),
    "accounts.edit": Form("/accounts/{account_id}/edit", ADMIN, ACCOUNT, *OF_ACCOUNT),
    "accounts.brokerage": Form("/accounts/{account_id}/brokerage", ADMIN, TARIFF, optional=frozenset({"cap"})),
    "accounts.remove_brokerage": Form("/accounts/{account_id}/brokerage/{tariff_id}/remove", ADMIN),
    "accounts.new_group": Form("/accounts/groups/new", ADMIN, **GROUP),
    "accounts.edit_group": Form("/accounts/groups/{group_id}/edit", ADMIN, **GROUP),
    "accounts.delete_group": Form("/accounts/groups/{group_id}/delete", ADMIN),
    "accounts.test": Form("/accounts/{account_id}/test", ADMIN),
    "accounts.pause": Form("/accounts/{account_id}/pause", ADMIN),
    "accounts.resume": Form("/accounts/{account_id}/resume", ADMIN),
    "accounts.archive": Form("/accounts/{account_id}/archive", ADMIN),
    "accounts.make_primary": Form("/accounts/{account_id}/make_primary", ADMIN),
    "accounts.move": Form("/accounts/{account_id}/move", ADMIN, {"direction": "up", "place": "1"}),
    "accounts.add_simulator": Form("/accounts/simulator", ADMIN),
    "strategies.new": Form("/strategies/new", OWNER, STRATEGY, text=TYPED, optional=STRATEGY_OPTIONAL),
    "strategies.edit": Form("/strategies/{strategy_id}/edit", OWNER, STRATEGY, text=TYPED, optional=STRATEGY_OPTIONAL),
    "strategies.write_ticket": Form("/strategies/ticket", OWNER, TICKET),
    "strategies.payoff": Form("/strategies/payoff", OWNER, PAYOFF, SLIDERS, SLIDERS),
    "strategies.payoff_margin": Form("/strategies/payoff/margin", OWNER, PAYOFF, SLIDERS, SLIDERS),
    **{name: Form(path, OWNER, {"name": "Another name"}, text=frozenset({"name"})) for name, path in NAMED.items()},
    "strategies.delete_template": Form("/strategies/templates/{template_id}/delete", OWNER),
    "strategies.archive": Form("/strategies/{strategy_id}/archive", OWNER),
    "strategies.arm": Form("/strategies/{strategy_id}/arm", OWNER, {"armed": "yes"}),
    "strategies.make_preview": Form("/strategies/{strategy_id}/preview", OWNER),
    "trading.start_run": Form("/trading/runs", OWNER, SEND),
    "trading.exit_run": Form(
        "/trading/runs/{run_id}/exit",
        OWNER,
        {"scope": "cell", "leg_id": "1", "account_id": "{account_id}", "with_shorts": "yes", "idempotency_key": KEY},
        optional=frozenset({"with_shorts"}),
    ),
    "trading.change_pending": Form(
        "/trading/runs/{run_id}/pending",
        OWNER,
        {
            "account_id": "{account_id}",
            "leg_id": "1",
            "change": "price",
            "limit_price": "120.05",
            "trigger_price": "119",
            "idempotency_key": KEY,
        },
        optional=frozenset({"limit_price", "trigger_price"}),
    ),
    "trading.send_again": Form("/trading/runs/{run_id}/send-again", OWNER, AGAIN),
    "api.send_again": Form("/api/runs/{run_id}/send-again", OWNER, AGAIN),
    "trading.press_kill": Form("/trading/kill", OWNER, KILL, optional=ALONG),
    "trading.release_kill": Form("/trading/kill/release", OWNER, RELEASE, text=frozenset({"password"})),
    "trading.reduce": Form("/trading/risk/reduce", OWNER, {"target": "strategy:{strategy_id}"}),
    "trading.lift_lock": Form("/trading/risk/locks/{lock_id}/lift", OWNER, LIFT, text=frozenset({"password"})),
    "api.kill": Form("/api/trading/kill", OWNER, KILL, optional=ALONG),
}
"""Every form there is. An address that takes a POST and is not here fails the first test."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return whole_app(tmp_path_factory.mktemp("forms"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return whole_app(tmp_path_factory.mktemp("setup"), people=False)


class Attack:
    """A form, filled for its application, and the browser of whoever may send it."""

    def __init__(self, whole: Whole, form: Form) -> None:
        known = {**whole.ids, "digest": whole.digest, "override_day": whole.override_day}
        self.whole = whole
        self.form = replace(
            form,
            path=form.path.format(**known),
            fields={name.format(**known): text.format(**known) for name, text in form.fields.items()},
        )
        self.browser, self.token = whole.seat(form.who, form.path)

    def send(self, fields: dict[str, str | bytes | list[str]], path: str | None = None, **more: Any) -> TestResponse:
        """The fields as given, bytes as they are on the wire, with the page's token."""
        parts = [urlencode({"csrf_token": self.token})]
        for name, value in fields.items():
            texts = value if isinstance(value, list) else [value]
            parts += [
                f"{name}=" + (one.decode("latin-1") if isinstance(one, bytes) else quote_plus(one)) for one in texts
            ]
        body = "&".join(parts).encode("latin-1")
        kind = "application/x-www-form-urlencoded"
        return self.browser.client.post(path or self.form.path, data=body, content_type=kind, **more)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A desk on which nothing is halted: wrong passwords are not counted for what cannot be released."""
    return whole_app(tmp_path_factory.mktemp("running"))


ALONE = {"auth.setup": "empty", "trading.release_kill": "running"}
"""Forms that are attacked on a desk of their own."""


@pytest.fixture(params=sorted(FORMS))
def attack(request: pytest.FixtureRequest) -> Attack:
    name = ALONE.get(request.param, "whole")
    return Attack(request.getfixturevalue(name), FORMS[request.param])


def said(answer: TestResponse) -> str:
    """What the page says, without its markup."""
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.text))


def names_field(answer: TestResponse, name: str) -> bool:
    """Whether the sentence stands beside that field, or names it."""
    beside = f'id="{name}-error"' in answer.text or (name.startswith("legs-") and 'id="legs-' in answer.text)
    return beside or name in said(answer)


def refused(answer: TestResponse) -> bool:
    return 400 <= answer.status_code < 500 and "Traceback" not in answer.text and len(said(answer)) > 20


def test_every_form_is_attacked_here(whole: Whole) -> None:
    there = {rule.endpoint for rule, _ in rules_of(whole.app, {"POST"})}
    assert there == FORMS.keys(), "add a form to FORMS"


def variants(form: Form) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What is wrong, with which field, and the fields as sent."""
    for name, right in form.fields.items():
        if name not in form.optional:
            yield "missing", name, {other: text for other, text in form.fields.items() if other != name}
            yield "empty", name, {**form.fields, name: ""}
        if name != "accounts":  # a list: the same account twice is that account
            yield "twice", name, {**form.fields, name: [right, right]}
        wrong = UNREADABLE if name in form.text else UNREADABLE | ABSURD
        for what, text in wrong.items():
            yield what, name, {**form.fields, name: text}


def some(form: Form) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Of each field every fourth wrong, of the next field the next: each field is tried, and each wrong somewhere."""
    place: Counter[str] = Counter()
    names = list(form.fields)
    for variant in variants(form):
        name = variant[1]
        if (place[name] + names.index(name)) % 4 == 0:
            yield variant
        place[name] += 1


def test_some_are_of_every_field_and_of_every_wrong() -> None:
    for form in FORMS.values():
        assert {name for _, name, _ in some(form)} == set(form.fields)
    assert {what for form in FORMS.values() for what, _, _ in some(form)} == {
        what for form in FORMS.values() for what, _, _ in variants(form)
    }


@pytest.mark.parametrize("tried", [some, pytest.param(variants, marks=pytest.mark.proof)])
def test_a_wrong_field_is_named_and_changes_nothing(attack: Attack, tried: Variants) -> None:
    before = attack.whole.rows()
    wrong = []
    for what, name, fields in tried(attack.form):
        answer = attack.send(fields)
        if not refused(answer):
            wrong.append(f"{name} {what}: {answer.status_code}")
        elif not names_field(answer, name):
            wrong.append(f"{name} {what}: is not named")
        if attack.whole.rows() != before:
            wrong.append(f"{name} {what}: changed something")
            before = attack.whole.rows()
    assert not wrong, list_of(wrong)


def test_a_form_without_a_token_or_from_elsewhere_changes_nothing(attack: Attack) -> None:
    before = attack.whole.rows()
    post = attack.browser.client.post
    for token in ({}, {"csrf_token": ""}, {"csrf_token": "guess"}):
        answer = post(attack.form.path, data={**attack.form.fields, **token})
        assert (answer.status_code, "Nothing was changed" in answer.text) == (400, True)
    for headers in FOREIGN:
        assert attack.send({**attack.form.fields}, headers=headers).status_code == 403, headers
    assert attack.whole.rows() == before


def test_only_forms_are_read(attack: Attack) -> None:
    before = attack.whole.rows()
    for kind in BODIES:
        headers = {"X-CSRFToken": attack.token}
        answer = attack.browser.client.post(
            attack.form.path, data='{"scope": "all"}', content_type=kind, headers=headers
        )
        assert answer.status_code == 415, kind
        assert "form" in said(answer)
    assert attack.whole.rows() == before


def test_other_verbs_are_refused(attack: Attack) -> None:
    before = attack.whole.rows()
    for verb in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        answer = attack.browser.client.open(attack.form.path, method=verb, data={"csrf_token": attack.token})
        assert answer.status_code == 405, verb
        assert "POST" in answer.headers["Allow"]
    assert attack.whole.rows() == before


def test_an_id_that_is_nobodys_is_not_found(attack: Attack) -> None:
    number = re.search(r"/(\d+)(?=/|$)", attack.form.path)
    if number is None:
        return
    before = attack.whole.rows()
    for strange in IDS:
        path = attack.form.path[: number.start(1)] + strange + attack.form.path[number.end(1) :]
        answer = attack.send({**attack.form.fields}, path)
        assert answer.status_code == 404, strange[:30]
        assert refused(answer)
    assert attack.whole.rows() == before


@pytest.mark.parametrize("name", ["preview_id", "leg_id", "account_id"])
def test_an_id_in_a_field_that_is_nobodys_is_refused(whole: Whole, name: str) -> None:
    attack = Attack(whole, FORMS["trading.start_run" if name == "preview_id" else "trading.exit_run"])
    before = whole.rows()
    for strange in ("0", "-1", "987", str(2**31), str(2**63), "9" * 5000):
        answer = attack.send({**attack.form.fields, name: strange})
        assert answer.status_code in {404, 422}, strange[:30]
        assert refused(answer)
    assert whole.rows() == before


@pytest.mark.parametrize("path", ["/accounts/{}", "/trading/runs/{}", "/strategies/previews/{}", "/strategies/{}/edit"])
def test_a_page_of_a_strange_id_is_not_found(whole: Whole, path: str) -> None:
    browser = whole.signed_in(ADMIN)
    for strange in IDS:
        assert browser.get(path.format(strange)).status_code == 404, strange[:30]


@pytest.mark.parametrize(
    "path",
    [
        "/activity?page=" + "9" * 5000,
        "/activity?q=%FF%00",
        "/activity?day=0000-00-00",
        "/trading/chain?expiry=" + "9" * 5000,
        "/trading/chain?underlying=%FF%00",
        "/trading/chain/%FF%00",
        "/trading/chain/" + "x" * 5000,
        "/strategies/new?template=%FF%00",
        "/strategies/new?leg=CE:" + "9" * 5000 + ":SELL",
        "/strategies/new?expiry=9999-12-31&leg=CE:1:SELL",
        "/strategies/new?underlying=NIFTY&expiry=0001-01-01&leg=CE:1:SELL",
        "/auth/login?next=" + "/" * 5000,
        "/%FF%00",
        "/static/%00",
        "/static/..%2f..%2fconfig.py",
        "/static/" + "x" * 5000,
    ],
)
def test_an_address_that_makes_no_sense_breaks_nothing(whole: Whole, path: str) -> None:
    before = whole.rows()
    answer = whole.signed_in(OWNER).get(path)
    assert answer.status_code < 500
    assert "SECRET_KEY" not in answer.text
    after = whole.rows()
    assert {name: rows for name, rows in after.items() if name != "activity_log"} == {
        name: rows for name, rows in before.items() if name != "activity_log"
    }


TWICE_IS_TWICE = {
    "auth.login": "a wrong password is told and logged each time",
    "accounts.test": "asks the gateway anew, which is the point of it",
    "strategies.write_ticket": "a new look at the market; only Send trades, once for each preview",
    "strategies.make_preview": "a new look at the market; only Send trades, once for each preview",
    "auth.setup": "tried in test_auth: nobody registers after the first",
}


@pytest.mark.parametrize("endpoint", sorted(FORMS.keys() - TWICE_IS_TWICE.keys()))
def test_a_second_identical_submit_has_no_second_effect(
    endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = whole_app(tmp_path_factory.mktemp("twice"))
    attack = Attack(whole, FORMS[endpoint])
    attack.send({**attack.form.fields})
    once = _effects(whole)
    attack.send({**attack.form.fields})
    assert _effects(whole) == once


def _effects(whole: Whole) -> dict[str, object]:
    """Every row but the log, and apart from when a strategy was last saved."""
    rows: dict[str, Any] = {name: found for name, found in whole.rows().items() if name != "activity_log"}
    rows["strategies"] = [row[:-1] for row in rows["strategies"]]
    rows["strategy_legs"] = [row[1:] for row in rows["strategy_legs"]]
    return rows
