"""Sample contexts of the run page: in order, in trouble, over, and with 50 accounts."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace as Row
from typing import Any

import tests.browser.samples_chart as chart
from tests.browser.samples_desk import ACCOUNT_NAMES, HOSTILE, NOW, Context, event
from tests.browser.samples_margin import SIZES

LEGS = [
    ("SELL", "26,400 CE", "51.75"),
    ("BUY", "26,600 CE", "18.55"),
    ("SELL", "25,950 PE", "48.60"),
    ("BUY", "25,750 PE", "23.80"),
]


def consequence(accounts: int, closes: int, *, cancels: int = 0, warnings: list[str] | None = None) -> Row:
    lines = [
        Row(account=f"Simulator {n}", text="buys 4 lots (260) 26,400 CE, sells 4 lots (260) 26,600 CE")
        for n in range(1, accounts + 1)
    ]
    return Row(
        cancels=cancels,
        closes=closes,
        accounts=accounts,
        lots=4 * closes,
        units=260 * closes,
        lines=lines,
        warnings=warnings or [],
        naked=["26,400 CE"] if warnings else [],
    )


def legs(*, can_exit: bool) -> list[Row]:
    warning = ["26,600 CE is the hedge of 26,400 CE: closing it alone leaves 26,400 CE naked."]
    return [
        Row(
            id=n + 1,
            number=n + 1,
            side=side,
            contract=contract,
            ltp=Decimal(ltp),
            age_s=0.4,
            can_exit=can_exit,
            exit=consequence(5, 5, warnings=warning if side == "BUY" else None),
        )
        for n, (side, contract, ltp) in enumerate(LEGS)
    ]


def cell(state: str = "filled", filled: int | None = 4, wanted: int = 4, **changes: Any) -> Row:
    row = Row(
        state=state,
        filled_lots=filled,
        wanted_lots=wanted,
        filled_units=None if filled is None else filled * 65,
        average=Decimal("62.25") if filled else None,
        age_s=6.0,
        note=None,
    )
    row.__dict__.update(changes)
    return row


def account(
    number: int, cells: list[Row | None], state: str = "in_sync", mtm: str | None = "2480", **changes: Any
) -> Row:
    row = Row(
        id=number,
        name=ACCOUNT_NAMES[number - 1] if number <= len(ACCOUNT_NAMES) else f"Account {number}",
        mode="SIM",
        state=state,
        reason=None,
        mtm=None if mtm is None else Decimal(mtm),
        can_exit=True,
        exit=consequence(1, 4, cancels=1),
        cells=cells,
    )
    row.__dict__.update(changes)
    return row


TROUBLE = [
    account(
        2,
        [
            cell(),
            cell("unknown", None, note="No answer within 5 s. The order book is being read; nothing is sent again."),
            cell("waiting", 0),
            cell("sending", 0),
        ],
        "out_of_sync",
        None,
    ),
    account(
        3,
        [
            cell("partly_filled", 1, 2),
            cell("rejected", 0, note="RMS: margin exceeds, required 1,92,450, available 1,20,000 (16-4021)."),
            cell("working", 0),
            None,
        ],
        "catching_up",
        "-1080",
    ),
    account(
        4,
        [
            cell("denied", 0, note="Price outside the band 12.05 to 58.40. Nothing was sent."),
            cell("cancelled", 0),
            cell("skipped", 0),
            cell("exiting", 4),
        ],
        "paused",
    ),
]
QUIET = [account(n, [cell() for _ in LEGS], mtm=str(n * 1240 - 4000)) for n in range(5, 11)]


def by_note(key: str, name: str, note: str) -> Row:
    """An armed rule that has no rupees to go."""
    return Row(key=key, name=name, state="armed", threshold=None, distance=None, used_pct=None, note=note)


RULES = [
    Row(
        key="max_loss",
        name="Max loss",
        state="armed",
        threshold=Decimal(-22000),
        distance=Decimal(84480),
        used_pct=12,
        note=None,
    ),
    Row(
        key="max_profit",
        name="Max profit",
        state="armed",
        threshold=Decimal(90000),
        distance=Decimal(27520),
        used_pct=79,
        note="Targets wait while a mark is missing.",
    ),
    Row(
        key="trail",
        name="Trailing stop",
        state="armed",
        threshold=Decimal(57480),
        distance=Decimal(5000),
        used_pct=None,
        note="Trails ₹5,000.00 below the peak.",
    ),
    Row(
        key="lock",
        name="Locked profit",
        state="asleep",
        threshold=None,
        distance=None,
        used_pct=None,
        note="Keeps ₹40,000.00 once ₹80,000.00 was reached.",
    ),
    by_note(
        "leg_stop:1",
        "Leg 1 stop",
        "25 % from each account's average. Nearest at 160.25 in Simulator 3, 12.40 away. 2 moved to cost.",
    ),
    by_note("supertrend", "Supertrend", "Now down, the line above: 164.20, the last candle closed at 151.75."),
    by_note("square_off", "Square-off", "Leaves at 15:10 by the clock, before its account's cut-off at 15:15."),
]
FIRED = [
    Row(
        key="max_loss",
        name="Max loss",
        state="fired",
        threshold=Decimal(-22000),
        distance=None,
        used_pct=100,
        note="At 11:40:12 with P&L −22,140: every account exited.",
    )
]


def order(minutes: int, state: str, **changes: Any) -> Row:
    row = Row(
        at=NOW - timedelta(minutes=minutes),
        account="Dhan 2",
        side="BUY",
        contract="26,600 CE",
        purpose="ENTRY",
        lots=4,
        units=260,
        filled_units=260,
        price=Decimal("19.10"),
        price_type="MARKET",
        average=Decimal("18.55"),
        state=state,
        broker_id="26112700004021",
        message=None,
    )
    row.__dict__.update(changes)
    return row


ORDERS = [
    order(0, "UNKNOWN", filled_units=None, average=None, broker_id=None, message="No answer within 5 s"),
    order(1, "REJECTED", filled_units=0, average=None, message="RMS: margin exceeds"),
    order(2, "WORKING", filled_units=65, price_type="LIMIT"),
    order(3, "FILLED", side="SELL", contract="26,400 CE"),
    order(4, "DENIED", filled_units=0, average=None, broker_id=None, message="Price outside the band"),
    order(5, "CANCELLED", purpose="EXIT", filled_units=0, average=None),
]


def pending(number: int, **changes: Any) -> Row:
    row = Row(
        account_id=number,
        account=ACCOUNT_NAMES[number - 1],
        leg=1,
        side="BUY",
        contract="26,600 CE",
        price_type="LIMIT",
        limit=Decimal("17.50"),
        trigger=None,
        lots=4,
        units=260,
        ltp=Decimal("18.55"),
        asked=None,
        wish=None,
        at_broker=True,
    )
    row.__dict__.update(changes)
    return row


PENDING = [
    pending(5),
    pending(6, price_type="SL", limit=Decimal("21.00"), trigger=Decimal("20.50"), asked="SL 20.00, trigger 19.50"),
    pending(7, wish="MARKET", lots=2, units=130),
    pending(8, price_type="SL-M", limit=None, trigger=Decimal(26300), contract="29 DEC FUT", at_broker=False),
]
EVENTS = [
    event(1, "warn", "Fyers 1, buy 26,600 CE", "No answer from the broker: unknown until the books tell."),
    event(2, "bad", "Dhan 2, buy 26,600 CE rejected", "RMS: margin exceeds (16-4021)"),
    event(26, "ok", "All hedges filled, 7 accounts", "wave 1, median 388 ms"),
    event(27, "info", "Run started", "40 lots (2,600), preview 8f2a1c"),
]


def curve(*, unknown: range = range(0)) -> Row:
    start = int((NOW - timedelta(hours=2)).timestamp())
    rupees = {n: 900.0 * n - 14 * abs(n - 70) ** 1.6 + 900 * (n % 7) - 9000 for n in range(120) if n not in unknown}
    points = [(start + 60 * n, rupees.get(n), rupees[n] - 4821 if n in rupees else None) for n in range(120)]
    gap = "Not known 10:27 to 10:39, since 11:41: a held contract had no fresh price, or nobody looked."
    return Row(points=points, note=gap if unknown else None)


UNKNOWN_EXIT = Row(
    account_id=6, account="Fyers 1", leg=3, side="BUY", contract="26,400 CE", lots=2, units=130, age_s=23.4,
    word="Unknown",
    known="Nobody can say whether it stands at the broker. Its books are read until they tell.",
    risk="If the first order fills after all, 2 lots (130) 26,400 CE are bought twice: Fyers 1 is "
    "then long, takes no more entries, and you close that by hand.",
)  # fmt: skip


def run(accounts: list[Row], **changes: Any) -> Context:
    row = Row(
        id=1182,
        strategy_id=7,
        strategy_name="Iron condor NIFTY",
        owner=None,
        state="running",
        reason=None,
        reach_note=None,
        unknown_note="Nothing is sent again; the books are read until they say what happened, usually within 16 s.",
        mode="SIM",
        underlying="NIFTY",
        expiry=date(2026, 12, 1),
        started_at=NOW - timedelta(hours=2, minutes=26),
        ended_at=None,
        as_of=NOW,
        mtm=Decimal(62480),
        realised=Decimal(21310),
        unrealised=Decimal(41170),
        cost=Row(charges=Decimal("4821.60"), net=Decimal("57658.40"), note=None),
        marks="fresh",
        marks_note=None,
        lots=40,
        units=2600,
        held_lots=38,
        held_units=2470,
        accounts_total=len(accounts),
        accounts_ok=sum(account.state == "in_sync" for account in accounts),
        unknown_count=0,
        can_exit=True,
        exit=consequence(len(accounts), 4 * len(accounts), cancels=2),
        legs=legs(can_exit=True),
        accounts=accounts,
        notes=[],
        pending=[],
        unknown_exits=[],
        rules=RULES,
        orders=ORDERS[2:4],
        events=EVENTS[2:],
        curve=curve(),
    )
    row.__dict__.update({"ruled": None, **changes})
    return {"run": row, "sizes": SIZES, "chart": chart.BOTH if row.can_exit else None}


RUN = run(QUIET)
RUN_TROUBLE = run(
    TROUBLE + QUIET,
    state="entering",
    mode="LIVE",
    mtm=None,
    unrealised=None,
    cost=Row(charges=None, net=None, note="The market rules have no fee_nfo_future valid on 27 Nov 2026."),
    marks="incomplete",
    curve=curve(unknown=range(45, 57)),
    marks_note="26,600 CE has had no confirmed price for 12 s. Targets wait; max loss judges the worst case.",
    unknown_count=1,
    notes=[
        Row(
            state="unknown",
            about="Fyers 1, 26,600 CE",
            text="No answer within 5 s. The order book is being read; nothing is sent again.",
        ),
        Row(
            state="rejected",
            about="Dhan 2, 26,600 CE and 25,950 PE",
            text="RMS: margin exceeds, required 1,92,450, available 1,20,000 (16-4021).",
        ),
        Row(state="parked", about="Kotak 1, 26,400 CE", text="Order queued for approval."),
    ],
    pending=PENDING,
    unknown_exits=[UNKNOWN_EXIT],
    orders=ORDERS,
    events=EVENTS,
    exit=consequence(
        9,
        36,
        cancels=3,
        warnings=["Fyers 1 has an unknown order: it is settled from the books before its positions are closed."],
    ),
)
RUN_CLOSED = run(
    [account(n, [cell("flat", 4) for _ in LEGS], mtm=str(-4000 - n), can_exit=False) for n in range(5, 10)],
    state="closed",
    mtm=Decimal(-22140),
    realised=Decimal(-22140),
    unrealised=Decimal(0),
    ended_at=NOW,
    can_exit=False,
    legs=legs(can_exit=False),
    rules=FIRED,
    curve=None,
    orders=[],
    events=[event(2, "bad", "Max loss", "P&L −22,140 at or below −22,000: every account exits."), *EVENTS],
)
RUN_50 = run([account(n, [cell() for _ in LEGS], mtm=str(n * 140 - 2000)) for n in range(1, 51)], mode="PAPER")


def listed(number: int, name: str, state: str, mtm: str | None, *, ended: bool = False) -> Row:
    return Row(
        id=number,
        strategy_name=name,
        owner="ravi" if number % 2 else None,
        state=state,
        mode="SIM",
        underlying="NIFTY",
        expiry=date(2026, 12, 1),
        accounts=5,
        lots=40,
        units=2600,
        mtm=None if mtm is None else Decimal(mtm),
        asked_at=NOW - timedelta(hours=number % 7),
        ended_at=NOW if ended else None,
    )


RUNS: Context = {
    "runs": [
        listed(1184, "Iron condor NIFTY", "running", "62480"),
        listed(1183, HOSTILE, "exiting", None),
        listed(1182, "Strangle SENSEX", "closed", "-22140", ended=True),
        listed(1181, "Bull put", "a state nobody knows", "0"),
    ]
}
RUNS_EMPTY: Context = {"runs": []}
