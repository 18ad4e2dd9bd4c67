"""Whether minutes of a gateway's history can be believed: in their session, in the past, and in the right time zone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from app.domain.calendar import IST, TIME_ZONE_FAULT_OFFSET, Session, trading_date
from app.domain.candles import MINUTE, MinuteBar

USUAL_OPENING = time(9, 15)
USUAL_CLOSES = {"NSE_INDEX": time(15, 30), "BSE_INDEX": time(15, 30)}
_OTHER_CLOSE = time(15, 40)

SETTLED_AFTER = timedelta(seconds=5)
"""The newest minute of a history may still be growing there: it is believed so long after its end."""


@dataclass(frozen=True, slots=True)
class Believed:
    """`bars` by opening instant. `note` says what was wrong with the others, or with all; empty when nothing was."""

    bars: Mapping[datetime, MinuteBar]
    note: str


def usual_session(exchange: str, day: date) -> Session:
    """The hours that exchange has on an ordinary day: for past days of which nobody is asked any more."""
    closes = USUAL_CLOSES.get(exchange, _OTHER_CLOSE)
    return Session(datetime.combine(day, USUAL_OPENING, IST), datetime.combine(day, closes, IST))


def believed(bars: Sequence[MinuteBar], session: Session, now: datetime) -> Believed:
    """Those of one session's date that lie in it, begin on one of its minutes and were over at `now`.

    Times that are 5 h 30 min off to either side, as of a machine that takes India's time for UTC or the reverse, are
    taken back when that puts every bar where it belongs, and this is said.
    """
    off = {shift: _misplaced(bars, session, now, shift) for shift in (timedelta(), *_SHIFTS)}
    shift = next((each for each, count in off.items() if not count), timedelta())
    good = {
        moved.opens: moved
        for moved in (replace(bar, opens=bar.opens + shift) for bar in bars)
        if _is_placed(moved.opens, session) and moved.opens + MINUTE + SETTLED_AFTER <= now
    }
    if shift:
        late = "late" if shift < timedelta() else "early"
        return Believed(good, f"The gateway's history is 5 h 30 min {late}: its time zone is wrong. Corrected.")
    wrong = off[shift]
    return Believed(good, f"Minutes of the history outside the session, not used: {wrong}." if wrong else "")


def by_day(bars: Iterable[MinuteBar]) -> dict[date, list[MinuteBar]]:
    """Bars by their date in India."""
    days: dict[date, list[MinuteBar]] = {}
    for bar in bars:
        days.setdefault(trading_date(bar.opens), []).append(bar)
    return days


_SHIFTS = (-TIME_ZONE_FAULT_OFFSET, TIME_ZONE_FAULT_OFFSET)


def _misplaced(bars: Sequence[MinuteBar], session: Session, now: datetime, shift: timedelta) -> int:
    return sum(not _is_placed(bar.opens + shift, session) or bar.opens + shift > now for bar in bars)


def _is_placed(opens: datetime, session: Session) -> bool:
    return session.opens <= opens < session.closes and not (opens - session.opens) % MINUTE
