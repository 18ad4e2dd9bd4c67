"""What can have happened to an order that was sent, as far as its answer tells."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain import refusals
from app.domain.plan import Mode


class Verdict(StrEnum):
    """ACK: the broker gave an id. REJECTED, NOT_SENT: certainly no order. PARKED: waits for a human at the gateway.

    UNKNOWN_ANSWERED: the gateway's own call has ended, an order may still appear for 20 s.
    UNKNOWN_OPEN: the gateway may still be in its 120 s call; an order may appear for 150 s after the send.
    HALT: the gateway is in the other mode than the account expects; stop this account. Without an order id the
    intent is as unknown as after UNKNOWN_OPEN.
    """

    ACK = "ACK"
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"
    PARKED = "PARKED"
    UNKNOWN_ANSWERED = "UNKNOWN_ANSWERED"
    UNKNOWN_OPEN = "UNKNOWN_OPEN"
    HALT = "HALT"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on one send. `order_id` is set for ACK (and HALT when one was given); `message` is theirs."""

    verdict: Verdict
    order_id: str | None
    message: str
    http_status: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP: a status and the decoded JSON object, or None when the body was not a JSON object."""

    status: int
    body: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The call ended without an answer. `bytes_sent` False means the request certainly never left."""

    reason: str
    bytes_sent: bool


_PROXY_STATUSES = frozenset({502, 504})
"""A proxy spoke, whatever it wrote: the gateway behind it may still be working."""

_NO_ID = frozenset({"", "0", "none", "null", "nan"})
"""What adapters put where the broker's order id got lost."""

_MESSAGE_LENGTH = 500

_LONGEST_ID = 64
"""What is longer is no order id of any broker, and could not be kept beside its intent."""


def classify(answer: Answer | NoAnswer, expected: Mode) -> Outcome:
    """What an answer to a placed order proves. `expected` is the mode the account is meant to trade in.

    Whatever is not proved is unknown: an order id alone makes an ACK, a known text alone a refusal, and words of doubt
    outweigh both status code and known text.
    """
    if isinstance(answer, NoAnswer):
        verdict = Verdict.UNKNOWN_OPEN if answer.bytes_sent else Verdict.NOT_SENT
        return Outcome(verdict, None, answer.reason, None)
    if not _is_the_gateways(answer):
        return Outcome(Verdict.UNKNOWN_OPEN, None, f"HTTP {answer.status}, not in the gateway's words", answer.status)
    body = answer.body or {}
    order_id = _order_id(body)
    if _is_other_mode(body, expected, order_id):
        return _outcome(Verdict.HALT, answer, order_id)
    if answer.status == 200:
        return _on_success(answer, body, order_id)
    if order_id is not None:  # a refusal that names an order: only the books can say what became of it
        return _outcome(Verdict.UNKNOWN_ANSWERED, answer)
    return _outcome(_on_error(answer.status, body, expected), answer)


def _is_the_gateways(answer: Answer) -> bool:
    body = answer.body
    if body is None or answer.status in _PROXY_STATUSES or not {"status", "message"} & body.keys():
        return False
    # Proxies write JSON too; of the gateway's own answers only these two come without a status word.
    return "status" in body or (answer.status < 501 and answer.status != 408)


def _is_other_mode(body: dict[str, object], expected: Mode, order_id: str | None) -> bool:
    said = body.get("mode")
    if said == "semi_auto" and order_id is None:
        return False
    if said is None:
        # Live answers carry no mode, and neither do the errors of either mode.
        return expected is Mode.PAPER and body.get("status") == "success"
    return said != expected.value


def _on_success(answer: Answer, body: dict[str, object], order_id: str | None) -> Outcome:
    if body.get("status") != "success":
        return _outcome(Verdict.UNKNOWN_ANSWERED, answer)
    if order_id is not None:
        return _outcome(Verdict.ACK, answer, order_id)
    if body.get("mode") == "semi_auto" and body.get("pending_order_id") is not None:
        return _outcome(Verdict.PARKED, answer)
    return _outcome(Verdict.UNKNOWN_ANSWERED, answer)


def _on_error(http_status: int, body: dict[str, object], expected: Mode) -> Verdict:
    message = _message(body)
    if http_status == 429 and "status" not in body:
        return Verdict.NOT_SENT  # the gateway's own limiter; a broker's comes with a status word
    if refusals.before_the_broker(http_status, message):
        return Verdict.NOT_SENT
    if http_status == 400 and refusals.is_validation(message):
        return Verdict.REJECTED
    if expected is Mode.PAPER and body.get("mode") == expected.value and refusals.by_the_sandbox(message):
        return Verdict.REJECTED
    if http_status >= 400 and refusals.is_certain(message):
        return Verdict.REJECTED
    return Verdict.UNKNOWN_ANSWERED


def _order_id(body: dict[str, object]) -> str | None:
    raw = body.get("orderid")
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        return None
    text = str(raw).strip()
    return None if text.lower() in _NO_ID or len(text) > _LONGEST_ID else text


def _message(body: dict[str, object]) -> str:
    message = body.get("message")
    return "" if message is None else str(message)


def _outcome(verdict: Verdict, answer: Answer, order_id: str | None = None) -> Outcome:
    message = _message(answer.body or {})[:_MESSAGE_LENGTH] or f"HTTP {answer.status} without a message"
    return Outcome(verdict, order_id, message, answer.status)
