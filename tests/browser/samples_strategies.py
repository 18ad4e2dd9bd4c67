"""Sample contexts of the strategies list, the builder and the preview."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace as Row
from typing import Any

import tests.browser.samples_payoff as payoffs
from app.domain.entry_times import DAYS
from app.domain.failure_policy import FailurePolicy, GroupPolicy, LegPolicy
from app.domain.structures import STRUCTURES
from app.domain.trailing import Floors, ProfitLock, Trail, TrailKind
from app.strategies.account_limit_fields import NAMES as LIMITS
from app.strategies.payoff_view import PayoffView
from tests.browser.samples_accounts import CHOSEN
from tests.browser.samples_desk import HOSTILE, NOW, Context, form

TEMPLATES = [Row(key=one.key, name=one.name, icon=one.shape) for one in STRUCTURES]
EXPIRIES = [
    {"value": "current_week", "label": "This week, 01 DEC 26 Tue"},
    {"value": "next_week", "label": "Next week, 08 DEC 26 Tue"},
    {"value": "current_month", "label": "This month, 29 DEC 26 Tue"},
    {"value": "2026-12-15", "label": "15 DEC 26 Tue"},
]
CHOICES = Row(
    underlyings=["NIFTY", "BANKNIFTY", "SENSEX"],
    expiries={"NIFTY": EXPIRIES, "BANKNIFTY": EXPIRIES[2:3], "SENSEX": EXPIRIES[:2]},
)


OWN = {
    **dict.fromkeys(LIMITS, ""), "loss": "8000", "trail": "25", "trailkind": "peak_pct", "trailfrom": "4000",
    "reach": "10000", "keep": "4000", "step": "2000", "more": "1500", "off": "14:30",
}  # fmt: skip


def strategy(number: int, name: str, run: Row | None) -> Row:
    return Row(
        id=number,
        name=name,
        summary="Sell NIFTY ATM CE, sell ATM PE, this week, MIS",
        legs=2,
        accounts=5,
        structures=4,
        max_loss=Decimal(22000) if number != 2 else None,
        max_profit=Decimal(30000) if number == 1 else None,
        updated_at=NOW,
        run=run,
        halted="Only exits" if number == 2 else None,
        note="" if number == 3 else f"Only while the VIX is below 15; {HOSTILE} asked for it after the results",
        notes="" if number == 3 else "Only while the VIX is below 15.\nNot on days of the RBI.",
        copy_name=f"{name} copy",
        schedule=None
        if number == 3
        else Row(
            next="27 Nov 09:30", last="23 Nov: left out. NFO is closed today.", last_run=None, is_armed=number == 1
        ),
    )


INDEX: Context = {
    "strategies": [
        strategy(1, "Iron condor NIFTY, weekly", Row(id=1182, state="running", mtm=Decimal(62480))),
        strategy(2, HOSTILE, None),
        strategy(3, "Strangle SENSEX", Row(id=1183, state="exiting", mtm=None)),
    ]
}
INDEX_EMPTY: Context = {"strategies": []}


def leg(number: int, **changes: Any) -> Row:
    row = Row(
        number=number,
        underlying="NIFTY",
        kind="CE",
        expiry="current_week",
        strike_method="ATM",
        strike_value="",
        side="SELL",
        ratio="1",
        product="MIS",
        price_type="MARKET",
        limit_price="",
        trigger_price="",
        stop_measure="",
        stop_size="",
        target_measure="",
        target_size="",
        now="26,200 CE at 128.20",
    )
    row.__dict__.update(changes)
    return row


def account(number: int, **changes: Any) -> Row:
    row = Row(
        id=number,
        name=f"Simulator {number}",
        mode="SIM",
        state="in_sync",
        reason=None,
        chosen=True,
        multiplier="1",
        limits=dict.fromkeys(LIMITS, ""),
        has_more=False,
    )
    row.__dict__.update(changes)
    return row


LEGS = [
    leg(
        0,
        strike_method="OTM",
        strike_value="4",
        stop_measure="percent",
        stop_size="25",
        target_measure="premium",
        target_size="20",
        now="26,400 CE at 51.75",
    ),
    leg(
        1,
        side="BUY",
        strike_method="OTM",
        strike_value="8",
        price_type="LIMIT",
        limit_price="17.50",
        now="26,600 CE at 18.55",
    ),
    leg(
        2,
        kind="PE",
        strike_method="PREMIUM_NEAR",
        strike_value="50",
        stop_measure="points",
        stop_size="30",
        now="25,950 PE at 48.60",
    ),
    leg(
        3,
        kind="PE",
        side="BUY",
        strike_method="STRIKE",
        strike_value="25750",
        expiry="2026-12-15",
        product="NRML",
        price_type="SL",
        limit_price="52.00",
        trigger_price="50.50",
        now=None,
    ),
    leg(4, kind="FUT", strike_method="ATM", expiry="current_month", now="FUT at 26,251.10"),
]


def builder(
    legs: list[Row],
    filled: Row,
    accounts: list[Row],
    known: Row | None = None,
    worth: PayoffView = payoffs.NOTHING,
) -> Context:
    return {
        "payoff": worth,
        "strategy": known,
        "form": filled,
        "legs": legs,
        "accounts": accounts,
        "groups": [
            Row(id=1, name="Family", accounts=2, multiplier="0.5", chosen=len(accounts) > 3),
            Row(id=2, name=HOSTILE, accounts=1, multiplier="1", chosen=False),
        ],
        "start_with": CHOSEN.choices[1:],
        "starting": ("group:1",) if len(accounts) == 4 else (),
        "days": [Row(name=day, chosen=day in {"Mon", "Wed"} and len(accounts) == 4) for day in DAYS],
        "choices": CHOICES,
        "templates": TEMPLATES,
        "own_templates": [Row(id=1, name="Condor before the RBI"), Row(id=2, name=HOSTILE)] if known else [],
    }


ACCOUNTS = [
    account(1),
    account(2, multiplier="2", limits=OWN, has_more=True),
    account(3, multiplier="0.5", state="paused", reason="By you 10:05"),
    account(4, chosen=False, name=HOSTILE, mode="LIVE"),
]
BUILDER = builder(
    LEGS,
    form(
        {
            "name": "Iron condor, NIFTY weekly",
            "structures": "4",
            "max_loss": "22000",
            "max_profit": "30000",
            "square_off": "15:05",
            "trail_kind": "amount",
            "trail_size": "5000",
            "trail_activation": "6000",
            "entry_from": "09:20",
            "entry_to": "14:00",
            "expiry_day": "never",
            "start_at": "09:30",
            "trend_turn": "breakout",
            "trend_of": "premium",
            "trend_minutes": "5",
            "trend_period": "10",
            "trend_multiplier": "3",
            "max_workers": "2",
            "leg_failure": "retry",
            "retries": "2",
            "group_failure": "stop",
            "notes": "Only while the VIX is below 15.\nNot on days of the RBI.",
        }
    ),
    ACCOUNTS,
    Row(id=7, name="Iron condor, NIFTY weekly"),
    payoffs.CONDOR,
)
BUILDER_CALENDAR = builder(
    LEGS[:2], form({"name": "Calendar", "structures": "1"}), ACCOUNTS[:2], worth=payoffs.CALENDAR
)
BUILDER_EMPTY = builder([], form({"structures": "1"}), [])
BUILDER_50 = builder(
    LEGS[:2], form({"name": "Straddle", "structures": "1"}), [account(n) for n in range(1, 51)], worth=payoffs.STRADDLE
)
BUILDER_WRONG = builder(
    [
        leg(0, ratio="0", strike_method="OTM", strike_value="25"),
        leg(2, expiry="next_week", underlying="BANKNIFTY", kind="PE"),
    ],
    form(
        {"name": "", "structures": "-2", "max_loss": "abc", "max_profit": ""},
        {
            "name": "A strategy needs a name. Type one.",
            "structures": "−2 is not a whole number from 1 to 1,000. Type 1 or more.",
            "max_loss": "“abc” is not an amount. Type rupees, such as 22000.",
            "legs-0-ratio": "0 lots is no leg. Type 1 or more, or remove the leg.",
            "legs-0-strike_value": "OTM goes from 1 to 20 strikes. Type 20 or less.",
            "legs-2-expiry": "BANKNIFTY has no weekly expiry. Choose a month.",
            "accounts": "No account takes part. Tick at least one.",
            "multiplier-2": "“x” is not a number. Type 0.5, 1 or 2.",
        },
        "Nothing was saved: 8 things need a look, each is marked.",
    ),
    [account(1, chosen=False), account(2, chosen=False, multiplier="x")],
    worth=payoffs.WRONG,
)

PLAN = [
    ("BUY", "26,600 CE", Decimal("18.55"), 1),
    ("BUY", "25,750 PE", Decimal("23.80"), 1),
    ("SELL", "26,400 CE", Decimal("51.75"), 1),
    ("SELL", "25,950 PE", Decimal("48.60"), 1),
]


def preview_leg(number: int) -> Row:
    side, contract, ltp, ratio = PLAN[number]
    worst = Decimal("1.03") if side == "BUY" else Decimal("0.97")
    return Row(
        number=number,
        side=side,
        contract=contract,
        expiry=date(2026, 12, 1),
        ratio=ratio,
        product="MIS",
        note="OTM 8 of 26,184.35" if number != 3 else "premium nearest to 60.00",
        warning="48.60 is 19 % off the wanted premium." if number == 3 else None,
        price_type="LIMIT" if number == 0 else "SL" if number == 2 else "MARKET",
        ltp=ltp,
        limit=ltp,
        worst=None if number in {0, 2} else round(ltp * worst, 2),
        trigger=Decimal("53.00") if number == 2 else None,
    )


def preview_account(number: int, lots: int, **changes: Any) -> Row:
    legs = []
    for shown in map(preview_leg, range(4)):
        units = lots * 65
        slices = [units] if units <= 1755 else [1755, units - 1755]
        legs.append(
            Row(
                number=shown.number,
                side=shown.side,
                contract=shown.contract,
                lots=lots,
                units=units,
                slices=slices,
                limit=shown.limit,
                worst=shown.worst,
            )
        )
    row = Row(
        id=number,
        name=f"Simulator {number}",
        mode="SIM",
        structures=lots,
        legs=legs,
        orders=sum(len(entry.slices) for entry in legs),
        margin_needed=Decimal(73480 * lots),
        funds_free=Decimal(986000),
        free_after=Decimal(986000 - 73480 * lots),
        sending_s=2.0 if lots > 30 else 0.2,
        slowed=["20 BUY orders in NFO: the last goes 2 s after the first, as 8 in a second are taken."]
        if lots > 30
        else [],
        decided_by="free 9,86,000 x 65 % = 6,40,900",
        explanation=[
            "basket 73,480 (broker, 11:42:05)",
            "8.722 -> 8",
            f"max {lots} of the account, {lots} lots a leg -> {lots} structures",
        ],
        figures=[
            Row(label="Free", value="9,86,000", source="broker", at=NOW, bites=False),
            Row(label="Share", value="65 %", source="grade B, balanced", at=None, bites=False),
            Row(label="One structure", value="73,480", source="broker", at=NOW, bites=False),
            Row(label="Cap", value="10", source="the strategy", at=None, bites=False),
            Row(label="Cap", value=str(lots), source=f"the account, {lots} lots a leg", at=None, bites=True),
            Row(label=f"Basket of {lots}", value="2,93,920", source="broker", at=NOW, bites=False),
        ],
        skipped=None,
        skip_code=None,
    )
    row.__dict__.update(changes)
    return row


SKIPPED = preview_account(
    3,
    0,
    legs=[],
    orders=0,
    margin_needed=None,
    free_after=None,
    decided_by="4 times 0.1, rounded down",
    explanation=[],
    figures=[],
    skipped="4 structures times 0.1 is 0: raise the multiplier to at least 0.25.",
    skip_code="OPEN_LOTS",
)


def preview(accounts: list[Row], **changes: Any) -> Context:
    ready = [row for row in accounts if row.skipped is None]
    row = Row(
        id=41,
        hash="8f2a1c77d90b4e55a1",
        strategy_id=7,
        strategy_name="Iron condor, NIFTY weekly",
        made_at=NOW,
        seconds_left=58,
        state="alive",
        run_id=None,
        mode="SIM",
        spots=[Row(underlying="NIFTY", spot=Decimal("26184.35"))],
        legs=[preview_leg(n) for n in range(4)],
        accounts=accounts,
        ready=len(ready),
        skipped=len(accounts) - len(ready),
        order_count=sum(account.orders for account in accounts),
        units=sum(leg.units for account in ready for leg in account.legs),
        sending_s=max((account.sending_s for account in ready), default=0.0),
        slowed=sum(1 for account in ready if account.slowed),
        margin_total=Decimal(1984000),
        charges=Decimal("1240.50"),
        charges_note=None,
        max_loss=Decimal(22000),
        max_profit=None,
        failure=FailurePolicy(LegPolicy.RETRY, 2, GroupPolicy.STOP).words(),
        floors=Floors(Trail(TrailKind.AMOUNT, Decimal(5000)), ProfitLock(Decimal(10_000), Decimal(4000))).words(),
        exits=("Leg 2: stop 25 % from each account's average, target at a premium of 20.00.",),
        refusal=None,
    )
    row.__dict__.update(changes)
    return {"preview": row}


FIVE = [
    preview_account(1, 4),
    preview_account(2, 8),
    SKIPPED,
    preview_account(4, 40, name=HOSTILE),
    preview_account(5, 2, margin_needed=None, free_after=None),
]
PREVIEW = preview(FIVE)
PREVIEW_LIVE = preview(
    [preview_account(n, n, mode="LIVE") for n in range(1, 4)],
    mode="LIVE",
    margin_total=None,
    charges=None,
    charges_note="The market rules have no fee_nfo_future valid on 27 Nov 2026. Add it under Market rules.",
    refusal="Sending to live gateways is off on this desk. Use the simulator, or a gateway in analyzer mode.",
)
PREVIEW_ENDING = preview(FIVE, seconds_left=1)
PREVIEW_EXPIRED = preview(FIVE, state="expired", seconds_left=0)
PREVIEW_SENT = preview(FIVE, state="sent", seconds_left=0, run_id=1182)
PREVIEW_50 = preview([preview_account(n, 1 + n % 6) for n in range(1, 51)], mode="PAPER")
