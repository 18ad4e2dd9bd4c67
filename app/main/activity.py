"""What the activity page shows: the log, narrowed by what is asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from app.services.activity import Entry, Wanted
from app.web.desk import Desk
from app.web.signed_in import SignedIn

_NUMBER = re.compile(r"[0-9]{1,5}")
_TONES = {"failed": "warn", "refused": "bad", "denied": "bad", "archive": "warn", "exit": "warn"}


@dataclass(frozen=True, slots=True)
class EntryView:
    at: datetime
    who: str
    action: str
    subject: str
    detail: str
    tone: str
    url: str | None


@dataclass(frozen=True, slots=True)
class FiltersView:
    """Text as typed."""

    q: str
    who: str
    action: str
    day: str


@dataclass(frozen=True, slots=True)
class ChoicesView:
    who: list[str]
    actions: list[str]


@dataclass(frozen=True, slots=True)
class PageView:
    number: int
    has_previous: bool
    has_next: bool


def activity_page(desk: Desk, viewer: SignedIn, asked: Mapping[str, str]) -> dict[str, object]:
    """A filter that cannot be read narrows nothing: the page shows what was typed and everything there is."""
    # No database takes a NUL in text.
    filters = FiltersView(*(asked.get(name, "")[:100].replace("\0", "") for name in ("q", "who", "action", "day")))
    number = int(asked["page"]) if _NUMBER.fullmatch(asked.get("page", "")) else 1
    wanted = Wanted(text=filters.q.strip(), actor=filters.who, action=filters.action, day=_day(filters.day))
    page = desk.activity.page(viewer, wanted, number)
    who, actions = desk.activity.names(viewer)
    return {
        "entries": [_view(entry) for entry in page.entries],
        "filters": filters,
        "choices": ChoicesView(who, actions),
        "page": PageView(page.number, page.number > 1, page.has_next),
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _view(entry: Entry) -> EntryView:
    kind, _, number = entry.subject.partition(":")
    url = None
    if number.isdecimal() and kind in {"run", "account"}:
        url = f"/trading/runs/{number}" if kind == "run" else f"/accounts/{number}"
    tone = next((tone for word, tone in _TONES.items() if word in entry.action), "info")
    return EntryView(entry.at, entry.actor, entry.action, entry.subject, entry.sentence, tone, url)
