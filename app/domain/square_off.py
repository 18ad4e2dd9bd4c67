"""When a position is left by the clock: before the broker leaves it by itself, or when its trader said."""

from datetime import datetime, time, timedelta

from app.domain.calendar import IST, Session

LEAD = timedelta(minutes=5)
"""So long before the broker's own square-off ours begins: it charges for its own, and takes any price."""

BEFORE_CLOSE = timedelta(minutes=15)
"""Where a typed time is no part of a session, an evening or a short one, this long before its end stands for it."""


def cut_off(session: Session, of_account: time) -> datetime:
    """When the broker begins to close intraday positions. `of_account` is India's time of day.

    >>> from datetime import date
    >>> def hours(*ends): return Session(*(datetime.combine(date(2026, 11, 8), time(*end), IST) for end in ends))
    >>> day, evening = hours((9, 15), (15, 40)), hours((18, 0), (19, 15))
    >>> f"{cut_off(day, time(15, 20)):%H:%M}", f"{cut_off(evening, time(15, 20)):%H:%M}"
    ('15:20', '19:00')
    """
    return _within(session, of_account)


def square_off_at(session: Session, *, of_account: time | None, asked: time | None) -> datetime | None:
    """When to begin leaving a position in this session; None: not by the clock.

    `asked` is the trader's own time. `of_account` is the cut-off for intraday positions, and for any on its expiry day:
    those are left `LEAD` before it, or when asked if that is earlier; None for others. Never before the session opens.
    """
    moments = []
    if of_account is not None:
        moments.append(cut_off(session, of_account) - LEAD)
    if asked is not None:
        moments.append(_within(session, asked))
    return max(session.opens, min(moments)) if moments else None


def _within(session: Session, at: time) -> datetime:
    moment = datetime.combine(session.opens.astimezone(IST).date(), at, IST)
    return moment if session.opens < moment < session.closes else session.closes - BEFORE_CLOSE
