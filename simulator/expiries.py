"""Which expiry dates are listed on a given day: weeklies, monthlies and quarterlies, moved off holidays."""

from datetime import date, timedelta

from simulator.calendar import TradingCalendar

WEEKLIES = 5
MONTHLIES = 3
QUARTERLIES = 2


def last_weekday(year: int, month: int, weekday: int) -> date:
    """The last Monday (0) .. Sunday (6) of a month."""
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    back = (first_of_next.weekday() - weekday - 1) % 7 + 1
    return first_of_next - timedelta(days=back)


def monthly_expiries(calendar: TradingCalendar, day: date, weekday: int, count: int = MONTHLIES) -> list[date]:
    """The next `count` monthly expiries on or after `day`, ascending."""
    return _monthlies(calendar, day, weekday, range(1, 13))[:count]


def quarterly_expiries(calendar: TradingCalendar, day: date, weekday: int) -> list[date]:
    """The quarterly expiries that follow the listed monthlies, ascending."""
    listed = monthly_expiries(calendar, day, weekday)
    quarters = _monthlies(calendar, day, weekday, (3, 6, 9, 12))
    return [expiry for expiry in quarters if expiry > listed[-1]][:QUARTERLIES]


def weekly_expiries(calendar: TradingCalendar, day: date, weekday: int, count: int = WEEKLIES) -> list[date]:
    """The next `count` weekly expiries on or after `day`; in its month's last week this is the monthly."""
    first = day + timedelta(days=(weekday - day.weekday()) % 7)
    moved = [calendar.on_or_before(first + timedelta(weeks=n)) for n in range(count + 1)]
    return [expiry for expiry in moved if expiry >= day][:count]


def _monthlies(calendar: TradingCalendar, day: date, weekday: int, months: range | tuple[int, ...]) -> list[date]:
    years = (day.year, day.year + 1)
    found = [calendar.on_or_before(last_weekday(year, month, weekday)) for year in years for month in months]
    return [expiry for expiry in found if expiry >= day]
