"""The page of profit and loss: a day with a gap, one that nobody knows, an empty one, and fifty accounts."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace as Row
from typing import Any

from tests.browser.samples_accounts import CHOSEN
from tests.browser.samples_desk import HOSTILE, NOW, form

TODAY = date(2026, 11, 30)
NO_RATE = "The market rules have no fee for futures on NFO valid on 30 Nov 2026."
OPEN = 1_796_010_300
"""09:15 IST of that day, in seconds since 1970."""


def cost(gross: Decimal | None, charges: str | None = "412.60") -> Row:
    if charges is None:
        return Row(charges=None, net=None, note=NO_RATE)
    return Row(charges=Decimal(charges), net=None if gross is None else gross - Decimal(charges), note=None)


def line(number: int, today: str | None, **changes: Any) -> Row:
    fields = {
        "account_id": number, "name": f"Zerodha {number}", "today": None if today is None else Decimal(today),
        "worst": None if today is None else Decimal(today), "runs": 2, "carried": 0, "baseline": None,
        "open_lots": 12, "missing": [],
    }  # fmt: skip
    return Row(**{"cost": cost(None if today is None else Decimal(today)), **fields, **changes})


def pnl(accounts: list[Row], total: str | None, **changes: Any) -> dict[str, Any]:
    days = [
        Row(day=TODAY - timedelta(days=number), total=total, cost=cost(total, None if number == 4 else "912.40"))
        for number in range(12)
        for total in (Decimal(9000 - number * 1700),)
        if (TODAY - timedelta(days=number)).weekday() < 5
    ]
    gross = [None if 70 <= minute < 76 else minute * 61.5 - 4200.0 + (minute * 37 % 900) for minute in range(150)]
    curve = [
        (OPEN + minute * 60, each, None if each is None or minute > 120 else each - 400 - minute * 9)
        for minute, each in enumerate(gross)
    ]
    known = None if total is None else Decimal(total)
    day = {
        "day": TODAY, "unknown": None, "total": known, "baseline": None, "accounts": accounts, "cost": cost(known),
        "curve": curve, "days": days, **changes,
    }  # fmt: skip
    day["groups"] = day.get("groups", [])
    totals = [each.total for each in day["days"]]
    best, worst = max(totals, default=None), min(totals, default=None)
    net, note = (None, NO_RATE) if totals else (Decimal(0), None)
    brought = sum(totals, Decimal(0))
    page = Row(of_day=Row(**day), brought=brought, net=net, note=note, best=best, worst=worst, chosen=CHOSEN)
    return {"pnl": page}


DAY = pnl(
    [
        line(3, None, worst=Decimal(-18_400), missing=["NIFTY01DEC2626600CE", "NIFTY01DEC2626400PE"]),
        line(1, "-2150.75", carried=1, baseline=Decimal("-3820.25")),
        line(2, "7210.00", cost=cost(None, None)),
    ],
    None,
    cost=cost(None, None),
    groups=[
        Row(
            group_id=1,
            name="Family",
            accounts=2,
            today=Decimal("5059.25"),
            cost=cost(Decimal("5059.25")),
            open_lots=24,
            missing=[],
        ),
        Row(
            group_id=2, name="Fast", accounts=3, today=None, cost=cost(None, None), open_lots=36, missing=["Zerodha 3"]
        ),
    ],
)
UNKNOWN = pnl([], None, day=None, unknown="The simulator does not say what time it is.", curve=[], days=[])
EMPTY = pnl([], "0", curve=[], days=[])
MANY = pnl([line(number, f"{number * 731 - 9000}.25") for number in range(1, 51)], "481725.00")


def settled(number: int, contract: str, price: str | None, **changes: Any) -> Row:
    typed = price is not None
    fields = {
        "value": f"NFO:NIFTY24NOV262{number}600CE", "contract": contract, "expiry": date(2026, 11, 24),
        "runs": [1181, 1182], "long": 0, "short": 260, "price": Decimal(price) if price is not None else None,
        "by": HOSTILE if typed else None, "at": NOW if typed else None,
    }  # fmt: skip
    return Row(**{**fields, **changes})


def settlements(rows: list[Row], *, can_manage: bool = True, **form_changes: Any) -> dict[str, Any]:
    waiting = sum(1 for row in rows if row.price is None)
    return {"rows": rows, "waiting": waiting, "can_manage": can_manage, "form": form(**form_changes)}


_LEGS = [
    settled(1, "NIFTY 26,600 CE", None),
    settled(2, "NIFTY 26,400 PE", None, long=130, short=0),
    settled(3, "NIFTY 26,000 CE", "184.35"),
    settled(4, "SENSEX 86,000 PE", "0.00", runs=[1177], expiry=date(2026, 11, 26), short=40),
]
SETTLEMENTS = settlements(_LEGS)
SETTLEMENTS_LOOK = settlements(_LEGS, can_manage=False)
SETTLEMENTS_EMPTY = settlements([])
SETTLEMENTS_WRONG = settlements(
    _LEGS,
    values={"contract": _LEGS[1].value, "price": "26184.35"},
    errors={"price": "That looks like the close of the index. Type what one unit of this option was settled at."},
)
