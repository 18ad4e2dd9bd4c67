"""What an HTTP answer of a gateway says: its JSON, its error in words, and which of our errors that is."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal

from app.domain.outcomes import Answer
from app.domain.plan import Mode
from app.ports.gateway import GatewayError, GatewayRefused, LoggedOut, NotOpenAlgo, RateLimited, Unreachable

KEY_REFUSED = "Invalid openalgo apikey"
"""Said of a wrong key and of a right one whose broker session is gone: only a second question tells which."""

_PROXY_STATUSES = frozenset({502, 503, 504})
_LONGEST_TEXT = 300
_ADDRESS = re.compile(r"(?:for url )?['\"]?\b(?:https?|wss?)://[^\s'\"]+['\"]?", re.IGNORECASE)
_FOOTNOTE = re.compile(r"\s*For more information check:.*", re.IGNORECASE | re.DOTALL)
# How adapters word a broker session that has died, when they answer with an error at all.
_DEAD_SESSION = re.compile(
    r"access_token|token is invalid|invalid token|token (?:has )?expired|tokenexception|session (?:has )?expired"
    r"|client error '40[13] ",
    re.IGNORECASE,
)


_ODD_MARKS = (b"\\u0000", b"\\ud", b"\\uD", b"\xed")
"""Where one of these is in a body a text of it may hold what no database keeps; hardly any has one."""
_ODD = re.compile("[\x00\ud800-\udfff]")


def decode(body: bytes) -> dict[str, object] | None:
    """The JSON object in `body`, fractions as Decimal, NaN and Infinity as None. None when it is anything else.

    In its texts there is nothing that cannot be stored: halves of characters and zero bytes stand as U+FFFD.
    """
    if b"\x00" in body:
        return None  # UTF-16, which no gateway speaks
    try:
        decoded = json.loads(body, parse_float=Decimal, parse_constant=_not_a_number)
        if any(mark in body for mark in _ODD_MARKS):
            decoded = _storable(decoded)
    except (ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


def _storable(raw: object) -> object:
    if isinstance(raw, str):
        return _ODD.sub("\ufffd", raw)
    if isinstance(raw, dict):
        return {_storable(name): _storable(value) for name, value in raw.items()}
    return [_storable(each) for each in raw] if isinstance(raw, list) else raw


def _not_a_number(_: str) -> None:
    return None


def safe_text(raw: object, secret: str) -> str:
    """`raw` fit to be shown and logged: without addresses, without `secret`, on one line, at most 300 characters."""
    text = raw if isinstance(raw, str) else json.dumps(raw, default=str)
    text = _ADDRESS.sub("", _FOOTNOTE.sub("", text))
    if secret:
        text = text.replace(secret, "(key)")
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def said(body: dict[str, object], secret: str) -> str:
    """The gateway's own words for an error, in any of its four shapes, made safe to show."""
    message = body.get("message")
    if body.get("errors"):
        message = body["errors"]
    return safe_text(message, secret) if message else "no reason given"


def is_key_refused(answer: Answer) -> bool:
    """Whether the gateway refuses the key, for whichever of the two reasons."""
    if answer.status not in {401, 403} or answer.body is None:
        return False
    return KEY_REFUSED in str(answer.body.get("message"))


def is_success(answer: Answer) -> bool:
    return answer.status == 200 and answer.body is not None and answer.body.get("status") == "success"


def mode_of_book(body: Mapping[str, object]) -> Mode:
    """Books of the sandbox say so; those of the broker say nothing of a mode."""
    return Mode.PAPER if body.get("mode") == Mode.PAPER.value else Mode.LIVE


def refusal(answer: Answer, *, host: str, secret: str) -> GatewayError:
    """Which of our errors an answer without success is. The refused key is not decided here: see `is_key_refused`."""
    if answer.body is None:
        if answer.status in _PROXY_STATUSES:
            return Unreachable(
                f"A web server answers at {host}, but the OpenAlgo behind it does not (HTTP {answer.status}). "
                "Check that OpenAlgo is running."
            )
        return NotOpenAlgo(f"{host} does not answer as an OpenAlgo gateway does. Check the address and the port.")
    if answer.status == 429 and "status" not in answer.body:
        return RateLimited(f"{host} takes no more requests just now ({said(answer.body, secret)}). Wait a moment.")
    if answer.body.get("status") != "error" and "message" not in answer.body:
        return NotOpenAlgo(f"{host} answers JSON, but not in OpenAlgo's words. Check the address and the port.")
    words = said(answer.body, secret)
    if _DEAD_SESSION.search(str(answer.body.get("message"))):
        return LoggedOut(f"The broker session behind {host} has ended: log in to OpenAlgo there. It said: {words}")
    return GatewayRefused(f"{host} refused: {words}")
