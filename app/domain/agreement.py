"""Whether a broker's position and our own fills say the same of one account, contract and product."""

from dataclasses import dataclass
from enum import StrEnum


class Agreement(StrEnum):
    """MATCH; SHORT and OVER: the broker has less or more than we; FOREIGN: no run of ours holds any of it.

    MISSING: our fills say that we hold it and the broker shows none. UNREAD: nobody can say, which is never flat.
    """

    MATCH = "match"
    SHORT = "short"
    OVER = "over"
    FOREIGN = "foreign"
    MISSING = "missing"
    UNREAD = "unread"


URGENT_FIRST = (
    Agreement.MISSING,
    Agreement.SHORT,
    Agreement.OVER,
    Agreement.UNREAD,
    Agreement.FOREIGN,
    Agreement.MATCH,
)


@dataclass(frozen=True, slots=True)
class Compared:
    """`difference` is the broker's signed units less ours; None while the broker's are not read."""

    agreement: Agreement
    difference: int | None
    sentence: str


def compare(ours: int, broker: int | None) -> Compared:
    """`ours` and `broker` are signed units, + long; `broker` is None when its book could not be read cleanly."""
    if broker is None:
        return Compared(Agreement.UNREAD, None, "The account's book could not be read: what is there is unknown.")
    difference = broker - ours
    if not difference:
        return Compared(Agreement.MATCH, 0, "The broker's position and our fills agree.")
    if not ours:
        return Compared(Agreement.FOREIGN, difference, "No run of this desk holds it. No exit touches it.")
    if not broker:
        return Compared(
            Agreement.MISSING, difference, f"Our fills say {ours:+d} and the broker shows none. Nothing is sent for it."
        )
    if broker * ours < 0:
        return Compared(
            Agreement.SHORT,
            difference,
            f"Our fills say {ours:+d}, the broker is across zero at {broker:+d}. Nothing is sent for it.",
        )
    if abs(broker) < abs(ours):
        return Compared(
            Agreement.SHORT,
            difference,
            f"The broker has {abs(difference)} units less than our fills say. Exits send no more than it has.",
        )
    return Compared(
        Agreement.OVER,
        difference,
        f"The broker has {abs(difference)} units more than our fills say. Exits leave those alone.",
    )
