"""Calendar endpoints and the chart preferences; the calendar takes any key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from simulator import schemas_market as schemas
from simulator.calendar import UTC_HOST_SHIFT, SessionHours
from simulator.rest_call import Call, Endpoint, KeyRule
from simulator.rest_replies import Reply, failure, success

MOST_PREFERENCES = 50


def _session(hours: SessionHours, shift: timedelta = timedelta()) -> dict[str, Any]:
    start, end = hours.epoch_ms(shift)
    return {"end_time": end, "exchange": hours.exchange, "start_time": start}


def holidays(call: Call) -> Reply:
    year = call.body["year"] or call.venue.clock.trading_date.year
    rows = [
        {
            "closed_exchanges": list(row.closed_exchanges),
            "date": row.day.isoformat(),
            "description": row.description,
            "holiday_type": row.holiday_type,
            "open_exchanges": [_session(hours) for hours in row.open_exchanges],
        }
        for row in call.venue.calendar.holidays(year)
    ]
    return success(data=rows, timezone="Asia/Kolkata", year=year)


def timings(call: Call) -> Reply:
    """Normal hours are computed in the server's own zone, so a UTC host sends them late; listed holidays are stored."""
    try:
        day = date.fromisoformat(call.body["date"])
    except ValueError:
        return failure("Invalid date format. Use YYYY-MM-DD")
    listed = any(row.day == day for row in call.venue.calendar.holidays(day.year))
    faulty = call.venue.faults.match("timings_utc_shift", call.account.number, "market/timings")
    shift = UTC_HOST_SHIFT if faulty and not listed else timedelta()
    return success(data=[_session(hours, shift) for hours in call.venue.calendar.timings(day)])


def chart_get(call: Call) -> Reply:
    return success(data=dict(call.gateway.preferences))


def chart_set(call: Call) -> Reply:
    wanted = {name: value for name, value in call.body.items() if name != "apikey"}
    if len(call.gateway.preferences | wanted) > MOST_PREFERENCES:
        return failure(f"Too many preferences: at most {MOST_PREFERENCES} are kept")
    call.gateway.preferences.update(wanted)
    return success(message="Preferences updated successfully")


def endpoints() -> Iterable[Endpoint]:
    yield Endpoint("market/holidays", schemas.Holidays, holidays, key=KeyRule.ANY)
    yield Endpoint("market/timings", schemas.Timings, timings, key=KeyRule.ANY)
    yield Endpoint("chart", schemas.Chart, chart_get, method="GET")
    yield Endpoint("chart", schemas.Chart, chart_set)
