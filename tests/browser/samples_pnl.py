"""The page of profit and loss: a day with a gap, one that nobody knows, an empty one, and fifty accounts."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace as Row
from typing import Any

from tests.browser.samples_accounts import CHOSEN

TODAY = date(2026, 11, 30)
OPEN = 1_796_010_300
"""09:15 IST of that day, in seconds since 1970."""


def line(number: int, today: str | None, **changes: Any) -> Row:
    fields = {
        "account_id": number, "name": f"Zerodha {number}", "today": None if today is None else Decimal(today),
        "worst": None if today is None else Decimal(today), "runs": 2, "carried": 0, "open_lots": 12, "missing": [],
    }  # fmt: skip
    return Row(**{**fields, **changes})


def pnl(accounts: list[Row], total: str | None, **changes: Any) -> dict[str, Any]:
    days = [
        Row(day=TODAY - timedelta(days=number), total=Decimal(9000 - number * 1700))
        for number in range(12)
        if (TODAY - timedelta(days=number)).weekday() < 5
    ]
    curve = [
        (OPEN + minute * 60, None if 70 <= minute < 76 else minute * 61.5 - 4200.0 + (minute * 37 % 900))
        for minute in range(150)
    ]
    day = {
        "day": TODAY, "unknown": None, "total": None if total is None else Decimal(total), "accounts": accounts,
        "curve": curve, "days": days, **changes,
    }  # fmt: skip
    day["groups"] = day.get("groups", [])
    totals = [each.total for each in day["days"]]
    best, worst = max(totals, default=None), min(totals, default=None)
    return {"pnl": Row(of_day=Row(**day), brought=sum(totals, Decimal(0)), best=best, worst=worst, chosen=CHOSEN)}


DAY = pnl(
    [
        line(3, None, worst=Decimal(-18_400), missing=["NIFTY01DEC2626600CE", "NIFTY01DEC2626400PE"]),
        line(1, "-2150.75", carried=1),
        line(2, "7210.00"),
    ],
    None,
    groups=[
        Row(group_id=1, name="Family", accounts=2, today=Decimal("5059.25"), open_lots=24, missing=[]),
        Row(group_id=2, name="Fast", accounts=3, today=None, open_lots=36, missing=["Zerodha 3"]),
    ],
)
UNKNOWN = pnl([], None, day=None, unknown="The simulator does not say what time it is.", curve=[], days=[])
EMPTY = pnl([], "0", curve=[], days=[])
MANY = pnl([line(number, f"{number * 731 - 9000}.25") for number in range(1, 51)], "481725.00")
