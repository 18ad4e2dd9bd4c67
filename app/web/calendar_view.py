"""What the page Calendar shows: the coming weeks as the desk understands them, who says so, and what admins said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.domain.calendar import IST, Session, trading_date
from app.domain.calendar_days import DayHours, Override, Source
from app.domain.calendar_hours import SATURDAY, TRADED, ZONE_FAULT
from app.services.calendar_overrides import KeptOverride
from app.services.coming_days import DAYS
from app.web.desk import Desk
from app.web.market_time import market_now, on_page


@dataclass(frozen=True, slots=True)
class HoursCell:
    """One exchange's hours on one date. `tone`: open, special, closed, expected (nobody said so) or unknown."""

    exchange: str
    words: str
    tone: str
    source: str


@dataclass(frozen=True, slots=True)
class DayRow:
    """One date. `notes`: holiday, reason, what is odd about it; each once."""

    day: date
    is_today: bool
    cells: tuple[HoursCell, ...]
    notes: tuple[str, ...]

    @property
    def source(self) -> str:
        """Who says so; both exchanges named when they differ."""
        sources = {cell.source for cell in self.cells}
        if len(sources) == 1:
            return self.cells[0].source
        return ", ".join(f"{cell.exchange} {cell.source}" for cell in self.cells)


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """An override that is still to come."""

    id: int
    day: date
    exchange: str
    words: str
    reason: str
    by: str
    at: datetime | str


@dataclass(frozen=True, slots=True)
class NoticeView:
    """`tone`: info or warn."""

    tone: str
    strong: str
    text: str


@dataclass(frozen=True, slots=True)
class CalendarView:
    """`days` leave out ordinary weekends. `today` is None while the market's date is not known."""

    today: date | None
    days: tuple[DayRow, ...]
    overrides: tuple[OverrideRow, ...]
    notices: tuple[NoticeView, ...]
    exchanges: tuple[str, ...] = TRADED


def calendar_view(desk: Desk) -> CalendarView:
    now = market_now(desk)
    if now is None:
        lost = NoticeView("warn", "The market's time is not known.", "So nobody can say which day it is.")
        return CalendarView(None, (), (), (lost,))
    today = trading_date(now)
    kept = desk.calendar_overrides.coming()
    said = {(each.said.day, each.said.exchange): each.said for each in kept}
    rows = (_row(desk, today + timedelta(days=n), today, said) for n in range(DAYS))
    return CalendarView(
        today=today,
        days=tuple(row for row in rows if _is_shown(row)),
        overrides=tuple(_override(desk, each) for each in kept),
        notices=tuple(_notices(desk)),
    )


def _row(desk: Desk, day: date, today: date, said: Mapping[tuple[date, str], Override]) -> DayRow:
    known = [desk.coming_days.understood(day, exchange, said.get((day, exchange))) for exchange in TRADED]
    notes = tuple(dict.fromkeys(each.note for each in known if each.note))
    return DayRow(day, day == today, tuple(_cell(each) for each in known), notes)


def _is_shown(row: DayRow) -> bool:
    return row.day.weekday() < SATURDAY or any(cell.source != Source.WEEKDAYS.value for cell in row.cells)


def _cell(known: DayHours) -> HoursCell:
    if known.hours is None:
        return HoursCell(known.exchange, "unknown, not open", "unknown", known.source.value)
    if not isinstance(known.hours, Session):
        return HoursCell(known.exchange, "closed", "closed", known.source.value)
    opens, closes = (each.astimezone(IST) for each in (known.hours.opens, known.hours.closes))
    words = f"{opens:%H:%M} to {closes:%H:%M}"
    if known.source is Source.WEEKDAYS:
        return HoursCell(known.exchange, f"usually {words}", "expected", known.source.value)
    is_special = known.source is not Source.GATEWAY or "unusual" in known.note
    return HoursCell(known.exchange, words, "special" if is_special else "open", known.source.value)


def _override(desk: Desk, kept: KeptOverride) -> OverrideRow:
    said = kept.said
    return OverrideRow(kept.id, said.day, said.exchange, said.words, said.reason, said.by, on_page(desk, said.at))


def _notices(desk: Desk) -> Sequence[NoticeView]:
    found: list[NoticeView] = []
    days = desk.coming_days
    if days.is_late() or any(desk.hours.note(exchange) == ZONE_FAULT for exchange in TRADED):
        found.append(
            NoticeView(
                "warn",
                "The gateway gives its hours 5 h 30 min late.",
                "Its machine is set to UTC and takes India's times for its own. The hours below are corrected. "
                "Set TZ=Asia/Kolkata where that OpenAlgo runs, so that its own screens are right as well.",
            )
        )
    found += [NoticeView("warn", each.trouble, _LISTS) for each in days.lists() if each.trouble]
    unknown = [exchange for exchange in TRADED if desk.hours.session(exchange) is None]
    if unknown:
        why = " ".join(dict.fromkeys(desk.hours.note(exchange) for exchange in unknown))
        names = " and ".join(unknown)
        found.append(NoticeView("warn", f"Whether {names} trade today is not known.", f"{why} {_NOT_OPEN}"))
    if days.trouble:
        found.append(NoticeView("info", "Some of these weeks have not been read.", days.trouble))
    return found


_LISTS = "Compare with the exchanges' circulars, and set what is missing below."
_NOT_OPEN = "Unknown is not open: no entry is sent until it is known. An admin can set the hours below."
