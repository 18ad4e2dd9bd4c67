"""What can have happened to an order that was sent, as far as its answer tells."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """ACK: the broker gave an id. REJECTED, NOT_SENT: certainly no order. PARKED: waits for a human at the gateway.

    UNKNOWN_ANSWERED: the gateway's own call has ended, an order may still appear for 20 s.
    UNKNOWN_OPEN: the gateway may still be in its 120 s call; an order may appear for 150 s after the send.
    HALT: the gateway is in the other mode than the account expects; stop this account.
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
