"""Sample contexts of the page Calendar."""

from datetime import date, timedelta
from types import SimpleNamespace as Row
from typing import Any

from tests.browser.samples_desk import HOSTILE, NOW

Context = dict[str, Any]
TODAY = date(2026, 11, 23)
USUAL = ("usually 09:15 to 15:40", "expected")
OPEN, CLOSED = ("09:15 to 15:40", "open"), ("closed", "closed")


def cell(exchange: str, hours: tuple[str, str], source: str) -> Row:
    return Row(exchange=exchange, words=hours[0], tone=hours[1], source=source)


def day(number: int, nfo: tuple[str, str], bfo: tuple[str, str], source: str = "gateway", *notes: str) -> Row:
    cells = (cell("NFO", nfo, source.split(", ", maxsplit=1)[0]), cell("BFO", bfo, source.rsplit(", ", maxsplit=1)[-1]))
    on = TODAY + timedelta(days=number)
    return Row(day=on, is_today=number == 0, cells=cells, source=source, notes=notes)


def override(number: int, days: int, exchange: str, words: str, reason: str) -> Row:
    return Row(
        id=number,
        day=TODAY + timedelta(days=days),
        exchange=exchange,
        words=words,
        reason=reason,
        by="asha",
        at=NOW - timedelta(days=2),
    )


def form(**errors: str) -> Row:
    values = {"day": "2026-11-24", "kind": "hours", "opens": "18:00", "closes": "18:05", "reason": "Circular 71775"}
    return Row(values=values if errors else {"kind": "closed"}, errors=errors, error=None)


DAYS = (
    day(0, OPEN, OPEN),
    day(1, CLOSED, CLOSED, "gateway", "Prakash Gurpurb Sri Guru Nanak Dev"),
    *(day(number, OPEN, OPEN) for number in (2, 3, 4)),
    day(6, ("18:00 to 19:15", "special"), CLOSED, "NFO override, BFO default weekdays", "asha set this: mock session"),
    *(day(number, OPEN, OPEN) for number in (7, 8)),
    day(9, ("unknown, not open", "unknown"), OPEN, "gateway",
        "The gateway gives hours for NFO, and its holiday list calls the day closed (Christmas). "
        "An admin can say which is right on the page Calendar."),
    *(day(number, USUAL, USUAL, "default weekdays",
          "No holiday list of 2027 is known.") for number in (10, 11)),
)  # fmt: skip
OVERRIDES = (
    override(1, 6, "NFO", "18:00 to 19:15", "mock session"),
    override(2, 12, "BFO", "closed", f"Circular 20261123-4 {HOSTILE}"),
)


def context(**changes: Any) -> Context:
    shown: dict[str, Any] = {"today": TODAY, "days": DAYS, "overrides": OVERRIDES, "notices": ()}
    page: Context = {key: changes.pop(key) for key in ("form", "changing", "can_manage") if key in changes}
    calendar = Row(**{**shown, **changes}, exchanges=("NFO", "BFO"))
    return {"calendar": calendar, "form": form(), "changing": None, "can_manage": True, **page}


NOTICES = (
    Row(
        tone="warn",
        strong="The gateway gives its hours 5 h 30 min late.",
        text="Its machine is set to UTC and takes India's times for its own. The hours below are corrected. "
        "Set TZ=Asia/Kolkata where that OpenAlgo runs, so that its own screens are right as well.",
    ),
    Row(
        tone="warn",
        strong="The gateway lists no holidays of 2027, which does not mean that there are none.",
        text="Compare with the exchanges' circulars, and set what is missing below.",
    ),
)
CALENDAR = context(notices=NOTICES)
WRONG = context(
    form=form(closes="It has to close at least 15 minutes after it opens."), changing=Row(id=1), notices=NOTICES[:1]
)
LOOK = context(can_manage=False, overrides=(), days=DAYS[:4])
