"""AlgoMirror: a self-hosted desk for trading Indian index options in many accounts at once."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings


def create_app(settings: "str | Settings" = "development") -> "Flask":
    """The web application, with every service behind it built and none started.

    `settings` is one of the profiles `development`, `testing`, `production`, or a Settings object. Starts no thread and
    opens no connection; `wsgi.py` starts the engine.
    """
    # The one place that sees everything is not paid for by importers of a room, nor by gunicorn's master.
    from flask import Flask  # noqa: PLC0415

    from app.bootstrap import build  # noqa: PLC0415
    from config import from_environment  # noqa: PLC0415

    resolved = from_environment(settings) if isinstance(settings, str) else settings
    app = Flask(__name__)
    build(app, resolved)
    return app
