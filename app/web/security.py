"""The gate in front of every page, and the headers on every answer."""

import re
import secrets
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug import Response

from app.domain.errors import InvalidInput, Unavailable
from app.web.desk import desk

PUBLIC = frozenset({"static", "auth.login", "auth.setup", "health.alive", "health.ready"})
"""Endpoints that need no login. Everything else does, also what is added tomorrow."""

_WITHOUT_USERS = frozenset({"static", "auth.setup", "health.alive", "health.ready"})
_LARGEST_ID = 2**31 - 1
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITE = frozenset({"same-origin", "none"})
_PLAIN_FORM = "application/x-www-form-urlencoded"
_FORM_KINDS = frozenset({"", _PLAIN_FORM, "multipart/form-data"})
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_BUILT_WITH_HASH = re.compile(r"/static/build/.+-[0-9A-Za-z]{8,}\.[a-z0-9]+")


def csp_nonce() -> str:
    """The nonce of this answer, for a script or style element that must stand in the page."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    nonce: str = g.csp_nonce
    return nonce


def request_id() -> str:
    """What this request is called in the log and on an error page."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(6)
    name: str = g.request_id
    return name


def safe_next(target: str | None) -> str | None:
    """`target` when it is a path of this site, else None: an address elsewhere is never followed."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return None
    if any(ord(letter) < 0x20 for letter in target):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target


def install_security(app: Flask) -> None:
    """Must be the first to register with the application, so that nothing runs before the gate."""
    app.before_request(_refuse_other_sites)
    app.before_request(_refuse_to_write)
    app.before_request(_gate)
    app.before_request(_refuse_other_bodies)
    app.before_request(_refuse_absurd_ids)
    app.after_request(_headers)
    app.jinja_env.globals["csp_nonce"] = csp_nonce


def _refuse_other_sites() -> None:
    """Browsers say where an unsafe request comes from; another site's is refused before its token is looked at."""
    if request.method in _SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    # Whoever ends TLS in front of us changes the scheme, never the host.
    if site not in _OWN_SITE or (origin is not None and origin.partition("://")[2] != request.host):
        abort(403)


def _refuse_to_write() -> None:
    """A damaged database is read as far as it can be; what is written to it could damage more."""
    damage = None if request.method in _SAFE_METHODS else desk().damage()
    if damage is not None:
        raise Unavailable(damage)


def _refuse_other_bodies() -> None:
    """What changes something is sent by a form of ours: nothing else is read, so nothing is half understood."""
    if request.method in _SAFE_METHODS or request.endpoint is None:
        return
    if request.mimetype not in _FORM_KINDS:
        abort(415)
    if request.mimetype == _PLAIN_FORM:
        _refuse_what_is_not_utf8(request.get_data())


def _refuse_what_is_not_utf8(body: bytes) -> None:
    """Read leniently, such bytes would be stored as a text that nobody typed."""
    for part in body.split(b"&"):
        try:
            unquote_to_bytes(part).decode()
        except UnicodeDecodeError as wrong:
            name = unquote_to_bytes(part.partition(b"=")[0]).decode(errors="replace")[:40]
            raise InvalidInput(name, f"{name} is not UTF-8 text. Reload the page and type it again.") from wrong


def _gate() -> ResponseReturnValue | None:
    """Closed by default. An address that does not exist goes on to its 404, which tells nothing."""
    endpoint = request.endpoint
    if endpoint is None:
        return None
    if endpoint not in _WITHOUT_USERS and not desk().people.anybody():
        return _elsewhere(url_for("auth.setup"))
    if endpoint in PUBLIC or current_user.is_authenticated:
        return None
    if request.path.startswith("/api/"):
        abort(401)
    back = request.full_path.rstrip("?") if request.method == "GET" and not _is_fragment() else None
    return _elsewhere(url_for("auth.login", next=back))


def _refuse_absurd_ids() -> None:
    """No row has an id that no column can hold; a database would answer such a question with an error."""
    if any(isinstance(value, int) and value > _LARGEST_ID for value in (request.view_args or {}).values()):
        abort(404)


def _elsewhere(address: str) -> Response:
    """To a page of its own. A fragment cannot show one: it makes the browser go there."""
    if _is_fragment():
        return Response(status=401, headers={"HX-Redirect": address})
    return redirect(address, 303)


def _is_fragment() -> bool:
    return request.headers.get("HX-Request") == "true"


def _headers(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = _policy()
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    headers["X-Request-Id"] = request_id()
    if desk().settings.secure_cookies:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    headers["Cache-Control"] = _cache_rule(response)
    return response


def _cache_rule(response: Response) -> str:
    """Files with their content's hash in the name never change; everything else may hold somebody's money."""
    if request.endpoint == "static" and response.status_code in {200, 206, 304}:
        return "public, max-age=31536000, immutable" if _BUILT_WITH_HASH.fullmatch(request.path) else "no-cache"
    return "no-store"


def _policy() -> str:
    nonce = f"'nonce-{csp_nonce()}'"
    host = request.host if _HOST.fullmatch(request.host) else ""
    socket = f" {'wss' if request.is_secure else 'ws'}://{host}" if host else ""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {nonce}",
            f"style-src 'self' {nonce}",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src 'self'{socket}",
            "form-action 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        )
    )
