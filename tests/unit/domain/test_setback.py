"""A database against the mark outside it: what is missing, what cannot be told, and what is all well."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.setback import ELSEWHERE, MOVED, REPLACED, Mark, Shown, setback

AT = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
MARK = Mark("a", epoch=4, intent_id=7, sent_at=AT, activity_id=90)
FILE = Shown(lineage="a", server=None, epoch=5, sent_at=AT, activity_id=90)
SERVER = replace(FILE, server="a")
OTHER = replace(MARK, lineage="b")

WELL = {
    "a file as it was": (MARK, FILE),
    "a server as it was": (MARK, SERVER),
    "more than was marked": (MARK, replace(FILE, epoch=9, activity_id=95)),
    "nothing was claimed yet": (replace(MARK, intent_id=None, sent_at=None), replace(FILE, sent_at=None)),
    "the first leader of a file": (None, replace(FILE, lineage=None, epoch=1)),
    "the first leader of a server": (None, replace(SERVER, lineage=None, epoch=1)),
    "a file that was led before it kept marks": (None, replace(FILE, lineage=None)),
    "another machine leads on the same server": (None, SERVER),
    "a machine that led on the server before this one": (OTHER, SERVER),
}

BEHIND = {
    "the last claim": (MARK, replace(FILE, sent_at=None), "was sent last, at 10:30:00, is not in it"),
    "the last claim on a server": (MARK, replace(SERVER, sent_at=None), "is not in it"),
    "another claim under its number": (MARK, replace(FILE, sent_at=AT + timedelta(microseconds=1)), "is not in it"),
    "the last leader": (MARK, replace(FILE, epoch=4), "the engine that led last, under epoch 4"),
    "what people did last": (MARK, replace(FILE, activity_id=89), "activity log"),
    "another server": (MARK, replace(SERVER, lineage="a", server="b"), ELSEWHERE),
    "another server, first led from here": (None, replace(SERVER, server="b"), ELSEWHERE),
    "another server whose mark is here": (OTHER, replace(SERVER, server="b"), ELSEWHERE),
    "no mark beside the file": (None, FILE, MOVED),
    "the mark of another file": (OTHER, FILE, REPLACED),
    "an empty file in its place": (MARK, replace(FILE, lineage=None, epoch=1), REPLACED),
    "an empty database in its place": (OTHER, replace(SERVER, lineage=None, epoch=1), REPLACED),
}


@pytest.mark.parametrize("what", WELL)
def test_nothing_is_missing(what: str) -> None:
    assert setback(*WELL[what]) is None


@pytest.mark.parametrize("what", BEHIND)
def test_something_is_or_may_be(what: str) -> None:
    mark, shown, words = BEHIND[what]
    found = setback(mark, shown)
    assert found is not None
    assert words in found
    assert not found.endswith("."), "a sentence follows"
