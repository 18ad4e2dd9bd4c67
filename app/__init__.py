"""AlgoMirror: a self-hosted desk for trading Indian index options in many accounts at once."""

from flask import Flask

from config import Settings, from_environment


def create_app(settings: str | Settings = "development") -> Flask:
    """The web application, with every service behind it built and none started.

    `settings` is one of the profiles `development`, `testing`, `production`, or a Settings object. Starts no thread and
    opens no connection; `wsgi.py` starts the engine.
    """
    from app.bootstrap import build  # noqa: PLC0415 - the one place that sees everything is not paid for by importers of a room

    resolved = from_environment(settings) if isinstance(settings, str) else settings
    app = Flask(__name__)
    build(app, resolved)
    return app
