"""Sample contexts of the margin pages: dashboard, calculator, requirements, grades."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace as Row
from typing import Any

from app.domain.margin_table import Day, Need
from app.domain.size_words import money, size_brief, size_lines
from app.domain.sizing import Basis, Basket, Cap, Figure, Profile, Sizing
from app.web.size_view import figure_views
from tests.browser.samples_accounts import CHOSEN
from tests.browser.samples_books import BAD, GOOD
from tests.browser.samples_desk import ACCOUNT_NAMES, HOSTILE, NOW, Context, form
from tests.browser.samples_strategies import CHOICES

GRADES = {"A": Decimal(95), "B": Decimal(65), "C": Decimal(36)}


def names(count: int) -> list[str]:
    return [f"{ACCOUNT_NAMES[n % len(ACCOUNT_NAMES)]}{'' if n < len(ACCOUNT_NAMES) else f' {n}'}" for n in range(count)]


def account_margin(number: int, name: str, **changes: Any) -> Row:
    available = Decimal(620_000 + 37_000 * number)
    used = Decimal(90_000 * number)
    row = Row(
        account_id=number,
        account=name,
        state="in_sync",
        reason=None,
        mode="LIVE",
        available=available,
        collateral=Decimal(100_000) if number % 3 else None,
        used=used,
        used_pct=int(used * 100 / (available + used)),
        reserved=Decimal(94_000) if number == 2 else Decimal(0),
        reserved_for=(1182,) if number == 2 else (),
        usable={grade: available * percent / 100 for grade, percent in GRADES.items()},
        at=NOW,
    )
    row.__dict__.update(changes)
    return row


def dashboard(count: int, *, trouble: bool = False) -> Context:
    rows = [account_margin(number, name) for number, name in enumerate(names(count), 1)]
    nothing = dict.fromkeys(("available", "collateral", "used", "used_pct", "reserved"))
    if trouble:
        rows[0] = account_margin(
            1, HOSTILE, **nothing, state="login_expired", reason="Login ended 08:58.", at=None,
            usable=dict.fromkeys(GRADES), reserved_for=(1184,),
        )  # fmt: skip
    total = None if trouble else sum((row.available for row in rows), Decimal(0))
    return {
        "chosen": CHOSEN,
        "rows": rows,
        "summary": Row(available=total, collateral=None, used=total and total / 3, realised=None, unrealised=None),
        "sources": GOOD + BAD if trouble else GOOD,
        "grades": {**GRADES, "C": None} if trouble else GRADES,
        "usable": {grade: total and total * percent / 100 for grade, percent in GRADES.items()},
    }


def sizing(free: int, cap: int) -> Sizing:
    first = Sizing(
        profile=Profile.BALANCED,
        free=Figure(Decimal(free), "broker", NOW),
        percent=Figure(Decimal(65), "grade B, balanced"),
        basis=Basis.BROKER,
        one=Figure(Decimal(94_000), "broker", NOW - timedelta(seconds=12)),
        caps=(Cap(cap, "the strategy"),),
    )
    size = min(cap, free * 65 // 9_400_000)
    return first.with_basket(Basket(size, Figure(Decimal(93_500 * size), "broker", NOW))) if size else first


def calculated(number: int, name: str) -> Row:
    found, cap = sizing(120_000 + 370_000 * number, 10), 10
    structures = min(cap, (120_000 + 370_000 * number) * 65 // 9_400_000)
    return Row(
        account=name,
        structures=structures,
        lots=[(structures, structures * 65), (structures * 2, structures * 130)],
        needs=None if found.needs is None else money(found.needs),
        usable=money(found.usable or Decimal(0)),
        words=size_brief(found),
        steps=list(size_lines(found)),
        figures=figure_views(found),
        reason=None if structures else "One structure needs ₹94,000.00, and ₹78,000.00 may be used for it.",
    )


def answer(count: int) -> Row:
    accounts = [calculated(number, name) for number, name in enumerate(names(count))]
    legs = [
        Row(side="SELL", contract="NIFTY 01 DEC 26 26,200 CE", ratio=1, lot_size=65, note="ATM of 26,184.35"),
        Row(side="BUY", contract="NIFTY 01 DEC 26 26,600 CE", ratio=2, lot_size=65, note="OTM 8 of 26,184.35"),
    ]
    return Row(
        at=NOW,
        spots=(("NIFTY", Decimal("26184.35")),),
        legs=legs,
        accounts=sorted(accounts, key=lambda row: row.structures > 0),
        taking=sum(1 for row in accounts if row.structures),
        structures=sum(row.structures for row in accounts),
        lots=sum(lots for row in accounts for lots, _ in row.lots),
    )


VALUES = {
    "underlying": "NIFTY",
    "legs": "SELL CE ATM\nBUY CE OTM 8 x2",
    "product": "NRML",
    "profile": "balanced",
    "structures": "1",
    "max_structures": "10",
    "shortfall": "skip",
}


def calculator(count: int = 0, **errors: str) -> Context:
    return {
        "form": form(VALUES, errors, "Simulator 4: too little to take part." if errors else None),
        "answer": answer(count) if count else None,
        "choices": CHOSEN.choices,
        "strategies": [Row(id=1, spec=Row(name="Iron condor, NIFTY weekly")), Row(id=2, spec=Row(name=HOSTILE))],
        "underlyings": CHOICES.underlyings,
        "expiries": CHOICES.expiries,
    }


def change(subject: str, was: str | None, now: str | None) -> Row:
    return Row(at=NOW - timedelta(days=1), actor="asha", subject=subject, was=was, now=now)


def grades(**changes: Any) -> Context:
    return {
        "form": form(),
        "rows": [("A", Decimal(95), "aggressive"), ("B", Decimal("62.5"), "balanced"), ("C", None, "conservative")],
        "changes": [change("Grade B", "65 %", "62.5 %"), change("Grade C", "36 %", None)],
        "can_manage": True,
        **changes,
    }


GRADES_WRONG = grades(
    form=form({"grade": "B", "percent": "650"}, {"percent": "Type a percentage above 0 and at most 100, such as 65."}),
    changes=[],
)


def requirements(**changes: Any) -> Context:
    source = "Rule of thumb of Nov 2026: 11 to 13 % of the notional, 16 % for both; type your broker's figures"
    return {
        "form": form({"underlying": "BANKNIFTY", "need": "futures", "day": "other_days"}),
        "indices": ["NIFTY", "BANKNIFTY", "SENSEX"],
        "needs": [(need.value, need.words) for need in Need],
        "days": [(day.value, day.words) for day in Day],
        "cells": {
            ("NIFTY", need.value, day.value): Row(
                amount=Decimal(210_000 + 50_000 * n), source=source, words=f"NIFTY, {need.words}, {day.words}"
            )
            for n, need in enumerate(Need)
            for day in Day
            if need is not Need.FUTURE
        },
        "changes": [change("NIFTY, CE or PE sell, other days", "2,05,000 a lot (a page)", "2,10,000 a lot (a page)")],
        "can_manage": True,
        **changes,
    }


REQUIREMENTS_WRONG = requirements(
    form=form(
        {"underlying": "NIFTY", "need": "futures", "day": "expiry_day", "amount": "two lakh"},
        {"amount": "Type rupees for one lot above 0, such as 210000, without commas."},
    ),
    changes=[],
)


SIZES = [
    Row(
        account="Simulator 1",
        structures=4,
        words="free 6,20,000 x 65 % = 4,03,000; basket 94,000 (broker, 09:31:07); 4.287 -> 4; max 10 -> 4 structures",
        figures=[
            Row(label="Free", value="6,20,000", source="broker", at=NOW, bites=False),
            Row(label="Cap", value="10", source="the strategy", at=None, bites=False),
        ],
        skipped=None,
    ),
    Row(account=HOSTILE, structures=0, words="Its gateway does not answer.", figures=[], skipped="It does not answer."),
]


def rule(number: int, label: str, value: str, state: str, days: int, **changes: Any) -> Row:
    row = Row(id=number, label=label, underlying=None, value=value, valid_from=(NOW - timedelta(days=days)).date(),
              source="NSE with IPFT, as brokers show it in 2026; confirm", state=state)  # fmt: skip
    row.__dict__.update(changes)
    return row


def rules(**changes: Any) -> Context:
    return {
        "form": form({"kind": "freeze", "underlying": "NIFTY"}),
        "rows": [
            rule(1, "Most units in one order", "1800 units", "coming", -4, underlying="NIFTY", source=HOSTILE),
            rule(2, "Most units in one order", "1200 units", "holds", 60, underlying="NIFTY"),
            rule(3, "Most units in one order", "900 units", "over", 200, underlying="NIFTY"),
            rule(4, "Price band, options above ₹50", "40 %", "holds", 900),
            rule(5, "Brokerage for each order", "₹20", "unknown", 300),
        ],
        "missing": [("fee_nfo_future", "Exchange fee, NSE futures"), ("stamp_future", "Stamp duty, futures bought")],
        "kinds": [("freeze", "Most units in one order, units"), ("gst", "GST on brokerage and fees, %")],
        "indices": ["NIFTY", "BANKNIFTY", "SENSEX", "FINNIFTY"],
        "changes": [change("Most units in one order, NIFTY", None, "1800 units from 01 Dec 2026 (a circular)")],
        "can_manage": True,
        **changes,
    }


RULES_WRONG = rules(
    form=form(
        {"kind": "freeze", "underlying": "", "value": "1", "valid_from": "soon", "source": ""},
        {
            "underlying": "This rule is of one index. Choose one of NIFTY, BANKNIFTY, SENSEX.",
            "value": "Type a whole number of units above 1: a freeze of 1 says that it is not known.",
            "valid_from": "Type the first day it holds as 2026-12-01, from 2020-01-01 on.",
            "source": "Say in 3 to 200 characters where this was read.",
        },
    ),
    changes=[],
    missing=[],
)
