"""What the activity page shows: the log, narrowed by what is asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from app.services.activity import Entry, Wanted
from app.web.desk import Desk
from app.web.market_time import on_page
from app.web.signed_in import SignedIn

_NUMBER = re.compile(r"[0-9]{1,5}")
_WORDS = {
    "alarm.over": "Alarm over",
    "alarm.raised": "Alarm",
    "account.add": "Account added",
    "account.archive": "Account archived",
    "account.back": "Account is back",
    "account.edit": "Account changed",
    "account.lost": "Account lost",
    "account.not_ready": "Account not ready",
    "account.order": "Feed order changed",
    "account.pause": "Account paused",
    "account.resume": "Account resumed",
    "account.test": "Account tested",
    "calendar.change": "Calendar changed",
    "calendar.remove": "Calendar given back",
    "calendar.set": "Calendar set",
    "engine.clock": "Clocks",
    "engine.dies": "Engine died",
    "engine.disk": "Disk",
    "feed.choose": "Feed chosen",
    "feed.failover": "Feed moved",
    "feed.give_back": "Feed choice given back",
    "feed.reconnect": "Feed came back",
    "position.adopt": "Adoption asked",
    "position.adopted": "Position adopted",
    "position.ignore": "Position ignored",
    "position.refused": "Not adopted",
    "position.unignore": "Not ignored any more",
    "run.exit": "Exit asked",
    "run.override": "Exit sent again",
    "run.pending": "Pending order changed",
    "run.start": "Run sent",
    "strategy.archive": "Strategy archived",
    "strategy.ticket": "Ticket written",
    "strategy.save": "Strategy saved",
    "user.create": "User created",
    "user.reset_password": "Password reset",
    "user.sign_in": "Signed in",
    "user.sign_in_failed": "Sign-in failed",
    "user.sign_out": "Signed out",
}
"""What people call an action; one without a word is shown by its name."""

_TONES = {
    "lost": "bad",
    "not_ready": "bad",
    "failed": "warn",
    "refused": "bad",
    "denied": "bad",
    "archive": "warn",
    "exit": "warn",
    "raised": "bad",
}


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
    """`actions` are pairs of what is asked for and what is read."""

    who: list[str]
    actions: list[tuple[str, str]]


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
        "choices": ChoicesView(who, [(action, _WORDS.get(action, action)) for action in actions]),
        "own_clock": isinstance(on_page(desk, desk.clock.now()), str),
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
    action, subject = _WORDS.get(entry.action, entry.action), entry.subject.replace(":", " ", 1)
    return EntryView(entry.at, entry.actor, action, subject, entry.sentence, tone, url)
