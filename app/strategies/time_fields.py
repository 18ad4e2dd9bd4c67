"""The builder's fields of when a strategy may be entered and starts by itself, as what they mean."""

import re
from collections.abc import Collection
from datetime import time

from app.domain.account_groups import WHOLE
from app.domain.entry_times import DAYS, EntryTimes, ExpiryDay
from app.strategies.floor_fields import Reader
from app.strategies.typed import Typed
from app.web.account_choice import part_of
from app.web.typed_numbers import NotThat, quoted

_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def times_of(reader: Reader, typed: Typed, groups: Collection[int], accounts: Collection[int]) -> EntryTimes:
    """What is wrong with a field is noted; then what comes back is not used. Groups and accounts that may be chosen."""
    opens = reader.take("entry_from", lambda: time_of_day(typed.entry_from))
    closes = reader.take("entry_to", lambda: time_of_day(typed.entry_to))
    start = reader.take("start_at", lambda: time_of_day(typed.start_at))
    days = reader.take("start_days", lambda: _days(typed.start_days))
    expiry = reader.take("expiry_day", lambda: _expiry(typed.expiry_day))
    part = reader.take("start_with", lambda: part_of(typed.start_with, groups, accounts))
    return EntryTimes(opens, closes, expiry or ExpiryDay.ANY, start, days or (), part or WHOLE)


def time_of_day(text: str) -> time | None:
    """India's time, to the minute; None for none. Raises NotThat."""
    if not text:
        return None
    if not _TIME_OF_DAY.fullmatch(text):
        raise NotThat(f"{quoted(text)} is not a time of the day. Type India's time as 15:05, or leave it empty.")
    return time.fromisoformat(text)


def _days(ticked: Collection[str]) -> tuple[int, ...]:
    """0 is Monday; in order, whatever the order of the form."""
    known = {day: number for number, day in enumerate(DAYS)}
    wrong = [word for word in ticked if word not in known]
    if wrong:
        raise NotThat(f"{quoted(wrong[0])} is no day. Tick days of {', '.join(DAYS)}.")
    return tuple(sorted({known[word] for word in ticked}))


def _expiry(text: str) -> ExpiryDay:
    try:
        return ExpiryDay(text)
    except ValueError:
        raise NotThat(f"{quoted(text)} cannot be used. Choose one of the list.") from None
