"""The entry of gunicorn and `flask`: builds the application and starts the engine where this process may lead."""

import atexit
import os

from app import create_app
from app.bootstrap import runtime_of

app = create_app(os.environ.get("DESK_PROFILE", "development"))


def _serving() -> bool:
    """True under gunicorn or `flask run`; False for `flask db` and `flask desk`, which must start nothing."""
    return os.environ.get("FLASK_RUN_FROM_CLI") != "true" or os.environ.get("DESK_SERVE") == "1"


if _serving():
    runtime = runtime_of(app)
    runtime.start()
    atexit.register(runtime.stop)
