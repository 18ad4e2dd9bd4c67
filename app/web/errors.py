"""What a refused or failed request is answered: a page for people, a problem document for scripts. Codes live here."""

from dataclasses import dataclass

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from app.domain.errors import Conflict, Denied, DeskError, InvalidInput, Misconfigured, NotFound, Refused, Unavailable
from app.services.people import TooManyTries
from app.web.context import BLANK
from app.web.security import request_id
from app.web.signed_in import Nobody

CODES: tuple[tuple[type[DeskError], int], ...] = (
    (InvalidInput, 422),
    (NotFound, 404),
    (Conflict, 409),
    (Denied, 409),
    (TooManyTries, 429),
    (Refused, 409),
    (Unavailable, 503),
    (DeskError, 500),
)
"""The first that fits decides."""

_RELOAD = "Go back, reload the page and look at it again before you repeat what you did."


@dataclass(frozen=True, slots=True)
class Words:
    """How one HTTP code is put to a trader."""

    title: str
    sentence: str
    next_step: str


_WORDS = {
    400: Words("That could not be read", "The request was not in a form this page understands.", _RELOAD),
    401: Words("Sign in first", "This needs somebody who is signed in.", "Sign in and open the page again."),
    403: Words(
        "Not allowed",
        "You may not do this, or the request came from another site.",
        "Ask an admin of this desk if you should be able to.",
    ),
    404: Words("Not here", "There is no such page, or it is not yours.", "Go back to the desk and follow its links."),
    405: Words(
        "Not that way", "This address does not take this kind of request.", "Go back and use the page's buttons."
    ),
    409: Words("Not as things stand", "It was true when the page was shown and is not any more.", _RELOAD),
    413: Words("Too large", "More was sent than this page takes.", "Shorten it and send it again."),
    415: Words(
        "Not a form", "This address takes what its form sends and nothing else.", "Go back and use the page's form."
    ),
    422: Words(
        "Something is not right", "One of the fields cannot be used as it is.", "Correct the field and send again."
    ),
    429: Words("Too many requests", "This was asked for too often.", "Wait a minute and try again."),
    500: Words(
        "Something broke",
        "The desk met an error it did not expect. Nothing more is known of this request than that it did not finish.",
        "If it was about orders, look at the order book before you repeat anything.",
    ),
    503: Words("Not just now", "Something this page needs does not answer.", "Try again in a moment."),
}


def install_errors(app: Flask) -> None:
    app.register_error_handler(DeskError, _refused)
    app.register_error_handler(OperationalError, _database_silent)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)


def _refused(error: DeskError) -> Response:
    code = next(code for kind, code in CODES if isinstance(error, kind))
    if code == 500:
        current_app.logger.error("request %s failed", request_id(), exc_info=error)
        # A wrong setting is told as it is, so that somebody can right it; a bug is not.
        return answer(code, str(error) if isinstance(error, Misconfigured) else None)
    extra: dict[str, str] = {}
    if isinstance(error, InvalidInput):
        extra["field"] = error.field
    if isinstance(error, Denied):
        extra["code"] = error.code
    response = answer(code, str(error), extra)
    if isinstance(error, TooManyTries):
        response.headers["Retry-After"] = str(error.wait_s)
    return response


def _database_silent(error: OperationalError) -> Response:
    current_app.logger.error("request %s: the database does not answer", request_id(), exc_info=error)
    return answer(503, "The database does not answer, so nothing was changed that had not been stored before.")


def _stale_form(error: CSRFError) -> Response:  # noqa: ARG001 - Flask's signature
    return answer(400, "The page was open for too long, or its form is not of this session. Nothing was changed.")


def _http(error: HTTPException) -> Response:
    if error.response is not None:
        return make_response(error.response)
    code = error.code or 500
    response = answer(code)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    if code == 429:
        response.headers["Retry-After"] = "60"
    return response


def answer(code: int, sentence: str | None = None, extra: dict[str, str] | None = None) -> Response:
    """The answer to a request that was not done. `sentence` must be fit to show; None says the usual one."""
    words = _WORDS.get(code, _WORDS[500] if code >= 500 else _WORDS[400])
    said = sentence or words.sentence
    if wants_json():
        problem = {
            "type": "about:blank",
            "status": code,
            "title": words.title,
            "detail": said,
            "request_id": request_id(),
        }
        response = jsonify({**problem, **(extra or {})})
        response.mimetype = "application/problem+json"
    else:
        response = make_response(_page(code, words, said))
    response.status_code = code
    return response


def wants_json() -> bool:
    """Scripts and the pages' own modules are answered in JSON, people with a page."""
    if request.path.startswith(("/api/", "/healthz", "/readyz")) or request.path == "/api":
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def _page(code: int, words: Words, sentence: str) -> str:
    bare: dict[str, object] = {}
    if code >= 500:
        # What broke may be what the frame of the page needs: show it without anybody's figures.
        g.bare_page = True
        # Where flask-login keeps whom it found: it must not ask the database again.
        g._login_user = Nobody()  # noqa: SLF001 - there is no public way
        bare = {"desk": BLANK, "current_user": Nobody()}
    return render_template(
        "errors/error.html",
        code=code,
        title=words.title,
        sentence=sentence,
        next_step=words.next_step,
        next_url=url_for("auth.login") if code == 401 else url_for("main.dashboard"),
        next_label="Sign in" if code == 401 else "Go to the desk",
        request_id=request_id(),
        **bare,
    )
