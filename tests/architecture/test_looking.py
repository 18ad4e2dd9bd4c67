"""Looking at a page changes nothing, and no page breaks for want of anything to show."""

import re

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.web.desk import EXTENSION
from app.web.security import PUBLIC
from tests.architecture.routes import address_of, rules_of
from tests.architecture.sources import list_of

WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER)\b", re.IGNORECASE)


def test_looking_changes_nothing(app: Flask, admin: FlaskClient) -> None:
    written: list[str] = []

    def watch(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if WRITES.match(statement):
            written.append(statement)

    changed = []
    engine = app.extensions[EXTENSION].database.engine
    event.listen(engine, "before_cursor_execute", watch)
    for rule, _ in rules_of(app, {"GET"}):
        written.clear()
        admin.get(address_of(rule))
        changed += [f"GET {rule.rule} ({rule.endpoint}): {statement}" for statement in written]
    event.remove(engine, "before_cursor_execute", watch)
    assert not changed, f"GET is safe:{list_of(changed)}"


def test_no_page_breaks_on_an_empty_desk(app: Flask, admin: FlaskClient) -> None:
    broken = {
        f"GET {rule.rule}: {status}"
        for rule, _ in rules_of(app, {"GET"})
        if (status := admin.get(address_of(rule)).status_code) >= 500 and rule.endpoint not in PUBLIC
    }
    assert not broken, list_of(sorted(broken))
