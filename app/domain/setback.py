"""Whether a database knows less than was committed to it: an older backup was put back, or a replica took over that
had not been told everything. Judged by a mark that is kept outside of it, and by which database it is.
"""

from dataclasses import dataclass
from datetime import datetime

from app.domain.wording import ist

ELSEWHERE = (
    "This is not the database server that the engine before this one wrote to: a replica took over, or a copy of the "
    "database was put in its place"
)
MOVED = "The mark that the engine keeps beside its database is not there: the database was put here from elsewhere"
REPLACED = "The mark beside this database is about another one: this one was put in its place"


@dataclass(frozen=True, slots=True)
class Mark:
    """What was committed to the database of this `lineage`, as it was last known outside of it.

    `intent_id` was claimed last, at `sent_at`; both are None before the first claim. `activity_id` is the newest row
    of the activity log. All of them stand in every later state of the database, so one that lacks any is an older one.
    """

    lineage: str
    epoch: int
    intent_id: int | None = None
    sent_at: datetime | None = None
    activity_id: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """What a database shows to an engine that takes it over, under a new `epoch`.

    `lineage` is what the engine before wrote down, None when none ever did; `server` what it is by its own word, None
    for a file, which cannot tell. `sent_at` is when the marked intent was claimed, None for never.
    """

    lineage: str | None
    server: str | None
    epoch: int
    sent_at: datetime | None = None
    activity_id: int = 0


def setback(mark: Mark | None, shown: Shown) -> str | None:
    """What shows that something may be missing, without a full stop; None when everything marked is there.

    A server tells by itself when it is another one, so there the mark of a machine that has not led lately, or never,
    says nothing. A file tells nothing.
    """
    if shown.server is not None and shown.lineage not in {None, shown.server}:
        return ELSEWHERE
    is_known = shown.lineage is not None
    if mark is None:
        return MOVED if is_known and shown.server is None else None
    if mark.lineage != (shown.server or shown.lineage):
        return None if is_known and shown.server is not None else REPLACED
    return _missing(mark, shown)


def _missing(mark: Mark, shown: Shown) -> str | None:
    if shown.epoch <= mark.epoch:
        return f"It knows nothing of the engine that led last, under epoch {mark.epoch}"
    if mark.sent_at is not None and shown.sent_at != mark.sent_at:
        return f"The order that was sent last, at {ist(mark.sent_at)}, is not in it"
    if shown.activity_id < mark.activity_id:
        return "The last rows of the activity log are not in it"
    return None
