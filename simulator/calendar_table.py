"""The holiday list of 2026 as data: what closed, what stayed open and when (IST)."""

from dataclasses import dataclass
from datetime import date, time

SECURITIES = ("NSE", "BSE", "NFO", "BFO", "CDS", "BCD")
EVENING = (("MCX", time(17, 0), time(23, 55)),)
MUHURAT = (*((name, time(18, 0), time(19, 15)) for name in SECURITIES), ("MCX", time(18, 0), time(0, 15)))


@dataclass(frozen=True)
class HolidayRow:
    """A holiday before its hours are turned into moments."""

    day: date
    description: str
    closed_exchanges: tuple[str, ...] = SECURITIES
    open_exchanges: tuple[tuple[str, time, time], ...] = EVENING
    holiday_type: str = "TRADING_HOLIDAY"


def _full(day: date, description: str) -> HolidayRow:
    return HolidayRow(day, description, (*SECURITIES, "MCX"), ())


HOLIDAYS: tuple[HolidayRow, ...] = (
    HolidayRow(date(2026, 1, 15), "Municipal Corporation Election - Maharashtra"),
    _full(date(2026, 1, 26), "Republic Day"),
    HolidayRow(date(2026, 3, 3), "Holi"),
    HolidayRow(date(2026, 3, 26), "Shri Ram Navami"),
    HolidayRow(date(2026, 3, 31), "Shri Mahavir Jayanti"),
    _full(date(2026, 4, 3), "Good Friday"),
    HolidayRow(date(2026, 4, 14), "Dr. Baba Saheb Ambedkar Jayanti"),
    HolidayRow(date(2026, 5, 1), "Maharashtra Day"),
    HolidayRow(date(2026, 5, 28), "Bakri Id"),
    HolidayRow(date(2026, 6, 26), "Muharram"),
    HolidayRow(date(2026, 9, 14), "Ganesh Chaturthi"),
    _full(date(2026, 10, 2), "Mahatma Gandhi Jayanti"),
    HolidayRow(date(2026, 10, 20), "Dussehra"),
    HolidayRow(date(2026, 11, 8), "Diwali Laxmi Pujan (Muhurat Trading)", (), MUHURAT, "SPECIAL_SESSION"),
    HolidayRow(date(2026, 11, 10), "Diwali Balipratipada"),
    HolidayRow(date(2026, 11, 24), "Prakash Gurpurb Sri Guru Nanak Dev"),
    _full(date(2026, 12, 25), "Christmas"),
)

# Fixed closures after the published list ends. The calendar endpoints stay silent about them, as the gateway's do,
# yet expiries listed today already avoid them.
QUIET_CLOSURES: frozenset[date] = frozenset({date(2027, 1, 26)})
