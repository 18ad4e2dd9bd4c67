"""The whole application as `create_app` builds it, on a migrated database with one user; started by nobody."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from app import create_app
from app.web.desk import EXTENSION
from config import testing_settings
from tests.architecture.sources import ROOT

USERNAME, PASSWORD = "first", "correct horse battery staple"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The whole application on a migrated database with one user."""
    database = tmp_path_factory.mktemp("routes") / "desk.sqlite3"
    application = create_app(testing_settings().with_(database_url=f"sqlite:///{database}"))
    application.config["WTF_CSRF_ENABLED"] = False  # the tests of forms have their own; here a login is enough
    with application.app_context():
        upgrade(directory=str(ROOT / "migrations"))
        people = application.extensions[EXTENSION].people
        people.register_first(people.setup_token(), USERNAME, PASSWORD)
    return application


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    client = app.test_client()
    answer = client.post("/auth/login", data={"username": USERNAME, "password": PASSWORD})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return client
