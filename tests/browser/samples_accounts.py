"""Sample contexts of the account pages."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace as Row
from typing import Any

from app.domain.day_limits import DayLimits
from app.domain.tariffs import DatedTariff, Tariff
from app.web.forms import FormView
from tests.browser.samples_desk import ACCOUNT_NAMES, EVENTS, HOSTILE, NOW, Context, form

STATES = [
    ("in_sync", None),
    ("in_sync", None),
    ("login_expired", "Ended 08:58. Log in at the broker, then press Test."),
    ("unreachable", "No answer from 10.0.0.7:5000 within 3 s. Is the gateway running?"),
    ("paused", "By you 10:05, exits allowed"),
    ("resting", None),
]


def account(number: int) -> Row:
    state, reason = STATES[(number - 1) % len(STATES)]
    name = ACCOUNT_NAMES[number - 1] if number <= len(ACCOUNT_NAMES) else f"Account {number}"
    return Row(
        id=number,
        name=name,
        broker=None if state == "unreachable" else "zerodha",
        host=f"10.0.0.{number}:5000",
        state=state,
        reason=reason,
        mode=[None, "LIVE", "PAPER", "SIM"][number % 4],
        role="primary" if number == 1 else "backup" if number < 5 else None,
        order=number if number < 5 else None,
        can_move_up=1 < number < 5,
        can_move_down=number < 4,
        paused=state == "paused",
        latency_ms=None if state == "unreachable" else 20 + 17 * number % 140,
        checked_at=None if state == "unreachable" else NOW - timedelta(seconds=number),
    )


def index(count: int) -> Context:
    return {"accounts": [account(n) for n in range(1, count + 1)], "simulator_offered": True, "can_manage": True}


INDEX_READ_ONLY: Context = {
    "accounts": [account(n) for n in range(1, 6)],
    "simulator_offered": False,
    "can_manage": False,
}

FORM_NEW: Context = {"form": form(), "account": None}
FORM_WRONG: Context = {
    "form": form(
        {"name": "Zerodha 1", "host_url": "htp://10.0.0.3", "websocket_url": "ws://10.0.0.3:8765"},
        {
            "host_url": "“htp” is not a protocol. Start the address with http:// or https://.",
            "api_key": "The gateway refuses this key. Copy it again from its API key page.",
        },
        "Nothing was saved: the gateway did not let us in.",
    ),
    "account": None,
}
FORM_EDIT: Context = {
    "form": form(
        {
            "name": "Zerodha 1",
            "host_url": "http://10.0.0.3:5000",
            "websocket_url": "ws://10.0.0.3:8765",
            "notes": "Father's account",
        }
    ),
    "account": Row(id=5, name="Zerodha 1", host_url="http://10.0.0.3:5000"),
}


def show(*, trouble: bool) -> Context:
    row = account(3 if trouble else 1)
    row.__dict__.update(
        host_url="http://10.0.0.3:5000",
        websocket_url="ws://10.0.0.3:8765",
        notes="Father's account" if trouble else "",
        added_at=NOW - timedelta(days=30),
        open_orders=None if trouble else 2,
        positions=4,
        foreign=1,
    )
    funds = Row(
        available=Decimal("620000.00"),
        used=Decimal(212400),
        collateral=None,
        realised=Decimal(-2260),
        unrealised=Decimal(1180),
        at=NOW,
    )
    rate = "The market rules have no fee for futures on NFO valid on 30 Nov 2026."
    today = Row(
        today=None if trouble else Decimal("-2150.75"),
        cost=Row(charges=None, net=None, note=rate)
        if trouble
        else Row(charges=Decimal("412.60"), net=Decimal("-2563.35"), note=None),
        runs=2,
        carried=1,
        baseline=Decimal("4210.50"),
        open_lots=12,
        missing=["NIFTY01DEC2626600CE"] if trouble else [],
    )
    return {
        "account": row,
        "today": today,
        "funds": None if trouble else funds,
        "events": EVENTS if trouble else [],
        "brokerage": (None, False) if trouble else ("0.03 % of each order, ₹20.00 at most", True),
        "can_manage": True,
    }


BROKERAGE: Context = {
    "account": Row(id=5, name="Zerodha 1"),
    "form": form(),
    "rows": [
        Row(id=2, dated=DatedTariff(date(2027, 1, 1), Tariff(Decimal(0))), by="asha"),
        Row(id=1, dated=DatedTariff(date(2026, 11, 1), Tariff(None, Decimal("0.03"), Decimal(20))), by=HOSTILE),
    ],
    "present": ("0.03 % of each order, ₹20.00 at most", True),
}
BROKERAGE_WRONG: Context = {
    "account": Row(id=5, name=HOSTILE),
    "form": form({"flat": "20", "cap": "20"}, {"cap": "Only a percentage is capped. Leave this empty."}),
    "rows": [],
    "present": (None, False),
}


def group(number: int, name: str, accounts: list[str], **changes: Any) -> Row:
    fields = {
        "id": number, "name": name, "multiplier": Decimal(1), "max_leg_lots": None,
        "limits": DayLimits(), "members": frozenset(range(1, len(accounts) + 1)), **changes,
    }  # fmt: skip
    return Row(group=Row(**fields), accounts=accounts, multiplier=f"{fields['multiplier']:f}")


GROUPS = {
    "groups": [
        group(
            1, "Family", ["Zerodha 1", "Dhan 2"], multiplier=Decimal("0.5"), max_leg_lots=4,
            limits=DayLimits(Decimal(25_000), Decimal(40_000), 40, 400, leaves=True),
        ),
        group(2, "Fifty", [f"Zerodha {number}" for number in range(1, 51)], limits=DayLimits(loss=Decimal(150_000))),
        group(3, "Nobody left", []),
    ],
    "can_manage": True,
}  # fmt: skip
GROUPS_EMPTY = {"groups": [], "can_manage": True}
GROUP_FORM = {
    "form": FormView(values={"multiplier": "1"}),
    "group": None,
    "accounts": [Row(id=number, name=f"Zerodha {number}") for number in range(1, 7)],
    "chosen": frozenset({2}),
}
GROUP_WRONG = {
    **GROUP_FORM,
    "form": FormView(
        values={"name": "", "multiplier": "0", "max_day_loss": "5000"},
        errors={
            "name": "Give the group a name.", "accounts": "Choose at least one account.",
            "multiplier": "A multiplier is above 0 and at most 100, with at most 3 decimal places.",
        },
    ),
    "chosen": frozenset(),
}  # fmt: skip

CHOSEN = Row(
    value="group:1",
    choices=[
        Row(value="", label="All accounts"), Row(value="group:1", label="The group Family"),
        *(Row(value=f"account:{number}", label=f"Only Zerodha {number}") for number in range(1, 7)),
    ],
)  # fmt: skip
"""What is chosen where accounts are shown."""
