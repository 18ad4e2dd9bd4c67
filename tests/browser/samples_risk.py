"""The risk page: quiet, with accounts locked, with fifty accounts, and while nobody knows the day."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace as Row
from typing import Any

from tests.browser.samples_desk import NOW
from tests.browser.samples_kill import RELEASE

NO_LIMIT = Row(used=0, limit=None, pct=None)


def use(used: str | int | None, limit: str | int, pct: int | None) -> Row:
    money = isinstance(limit, str)
    return Row(
        used=Decimal(used) if money and used is not None else used, limit=Decimal(limit) if money else limit, pct=pct
    )


def line(number: int, today: str | None = "4120.50", **changes: Any) -> Row:
    fields = {
        "account_id": number, "name": f"Zerodha {number}", "state": "free",
        "today": None if today is None else Decimal(today), "carried": 0, "baseline": None,
        "loss": use("0", "25000", 0), "profit": use("4120.50", "40000", 10), "lots": use(12, 40, 30),
        "orders": use(36, 400, 9), "leaves": False,
    }  # fmt: skip
    return Row(**{**fields, **changes})


def lock(number: int, **changes: Any) -> Row:
    fields = {
        "id": number, "account_id": number, "account": f"Zerodha {number}", "day": date(2026, 11, 30),
        "rule": "day_loss", "threshold": Decimal(25_000), "value": Decimal("-25180.25"), "leaves": True, "at": NOW,
        "sentence": "Day loss of ₹25,000.00 reached: today stands at −₹25,180.25.", "ended_at": None,
        "lifted_by": None,
    }  # fmt: skip
    return Row(**{**fields, **changes})


EVENTS = [
    Row(at=NOW, run_id=41, run="Iron fly", rule="Trailing stop", account=None, threshold=Decimal(4000),
        value=Decimal("3925.00"), action="Exit of everything. Realised 1,200.00."),
    Row(at=NOW, run_id=40, run="Short straddle", rule="Square-off", account="Zerodha 2", threshold=None, value=None,
        action="Everything in Zerodha 2 is left at 15:10 by the clock, before its account's cut-off at 15:15."),
]  # fmt: skip


def risk(accounts: list[Row], **changes: Any) -> dict[str, Any]:
    page = {
        "unknown": None,
        "accounts": accounts,
        "groups": [],
        "locks": [],
        "ended": [],
        "halts": [],
        "events": EVENTS,
        **changes,
    }
    page["choices"] = [Row(value="all", label="Everything, in all accounts"), Row(value="user:1", label="My runs")]
    return {"risk": Row(**page)}


def group(number: int, name: str, today: str | None, **changes: Any) -> Row:
    fields = {**line(number, today).__dict__, "group_id": number, "name": name, "accounts": 2, "missing": [], **changes}
    return Row(**fields)


QUIET = risk(
    [
        line(
            1, "-21400", loss=use("21400", "25000", 85), profit=use("0", "40000", 0), carried=1, baseline=Decimal(8400)
        ),
        line(2),
        line(3, None, loss=use(None, "25000", None), profit=use(None, "40000", None), leaves=True),
        line(4, loss=NO_LIMIT, profit=NO_LIMIT, lots=NO_LIMIT, orders=NO_LIMIT),
    ],
    groups=[
        group(1, "Family", "-21400", state="some", loss=use("21400", "25000", 85), profit=use("0", "40000", 0)),
        group(2, "Fast", None, loss=use(None, "25000", None), profit=NO_LIMIT, missing=["Zerodha 3"]),
    ],
)
LOCKED = risk(
    [line(1, "-25180.25", state="locked", loss=use("25180.25", "25000", 100), leaves=True), line(2), line(3)],
    locks=[lock(1)],
    ended=[lock(2, lifted_by="asha"), lock(3, day=date(2026, 11, 27), ended_at=NOW)],
    halts=RELEASE,
)
EMPTY = risk([], events=[])
MANY = risk([
    line(
        number, f"{today}.25", loss=use(str(max(0, -today)), "25000", max(0, -today) // 250),
        profit=use(str(max(0, today)), "40000", max(0, today) // 400),
    )
    for number, today in ((number, number * 731 - 9000) for number in range(1, 51))
])  # fmt: skip
UNKNOWN = risk([], unknown="The simulator does not say what time it is.", events=[])
