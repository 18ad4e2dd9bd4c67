"""Binds everything the blueprints share to one application."""

from flask import Flask

from app.web.cli import install_cli
from app.web.context import install_context
from app.web.desk import EXTENSION, Desk
from app.web.errors import install_errors
from app.web.extensions import MEMORY_LIMITS, csrf, limiter, login_manager, socketio
from app.web.formatting import install_formatting
from app.web.open_pages import OpenPages
from app.web.security import install_security
from app.web.signed_in import LONGEST_SESSION_S
from app.web.socket_door import SocketDoor
from config import Settings

LARGEST_FORM = 256 * 1024


def install_web(app: Flask, desk: Desk, pages: OpenPages) -> None:
    """Gate, headers, forms' tokens, sign-in, limits, sockets, errors, filters and commands. Starts nothing."""
    app.extensions[EXTENSION] = desk
    app.config.from_mapping(_flask_settings(desk.settings))
    install_security(app)
    csrf.init_app(app)
    login_manager.init_app(app)
    limiter.init_app(app)
    socketio.init_app(app)
    app.wsgi_app = SocketDoor(app, app.wsgi_app, pages)  # type: ignore[method-assign]  # how Flask is wrapped
    install_errors(app)
    install_formatting(app)
    install_context(app)
    install_cli(app)


def _flask_settings(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "TESTING": settings.name == "testing",
        # A browser takes a __Host- cookie only over TLS, with Path=/ and for no other host.
        "SESSION_COOKIE_NAME": "__Host-desk" if settings.secure_cookies else "desk",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.secure_cookies,
        "PERMANENT_SESSION_LIFETIME": LONGEST_SESSION_S,
        "MAX_CONTENT_LENGTH": LARGEST_FORM,
        "WTF_CSRF_TIME_LIMIT": None,  # pages stay open all day; the token ends with the session
        "RATELIMIT_ENABLED": settings.rate_limits,
        "RATELIMIT_STORAGE_URI": settings.redis_url or MEMORY_LIMITS,
        "RATELIMIT_SWALLOW_ERRORS": True,  # Redis going away must not stand between a trader and an exit
    }
