"""Sample contexts of the frame, the dashboard, the sign-in pages, the activity log and the error page."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace as Row
from typing import Any

Context = dict[str, Any]
NOW = datetime(2026, 11, 27, 6, 12, 7, tzinfo=UTC)
HOSTILE = "O'Brien & <b>Sons</b>"
ACCOUNT_NAMES = (
    "ICICI 1",
    "Fyers 1",
    "Dhan 2",
    "Kotak 1",
    "Zerodha 1",
    "Zerodha 2",
    "Upstox 1",
    "Angel 1",
    HOSTILE,
    "Flattrade 1",
)


def money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def desk(
    mode: str = "LIVE",
    *,
    trouble: bool = False,
    halts: tuple[Row, ...] = (),
    alarms: tuple[Row, ...] = (),
    damage: str | None = None,
    setback: Row | None = None,
) -> Row:
    indices = [
        Row(name="NIFTY", ltp=Decimal("26184.35"), change_pct=Decimal("0.42")),
        Row(name="BANKNIFTY", ltp=Decimal("59612.80"), change_pct=Decimal("0.18")),
        Row(
            name="SENSEX",
            ltp=None if trouble else Decimal("85706.15"),
            change_pct=None if trouble else Decimal("-0.37"),
        ),
    ]
    state, age_s = ("lost", 14.2) if trouble else ("live", 0.4)
    feed = Row(state=state, age_s=age_s, source="Upstox 2", missing="no price yet")
    clock = Row(now=NOW, phase="live", note="Market live, closes in 3h 47m")
    mtm = None if trouble else Decimal(147030)
    return Row(
        mode=mode, indices=indices, clock=clock, feed=feed, mtm=mtm, halts=halts, alarms=alarms, damage=damage,
        setback=setback,
    )  # fmt: skip


def form(values: dict[str, str] | None = None, errors: dict[str, str] | None = None, error: str | None = None) -> Row:
    return Row(values=values or {}, errors=errors or {}, error=error)


def event(minutes: int, tone: str, title: str, detail: str | None = None, url: str | None = None) -> Row:
    return Row(at=NOW - timedelta(minutes=minutes), tone=tone, title=title, detail=detail, url=url)


EVENTS = [
    event(1, "bad", "ICICI 1 is logged out", "2 positions are not watched. Log in at the broker, then test."),
    event(
        2, "warn", "Fyers 1: 26,600 CE has 2 of 4 lots", "130 units unhedged for 0:42, rest cancelled by the broker."
    ),
    event(3, "info", "Dhan 2 is catching up", "2 orders open for 6 s, nothing to do."),
    event(81, "info", "Feed moved from Zerodha 1 to Upstox 2", "3 tries failed, 200 of 200 contracts restored."),
    event(146, "ok", "Iron condor NIFTY started", "40 lots (2,600) in 9 accounts.", "/trading/runs/1"),
]


def account_row(number: int, name: str, state: str = "in_sync", reason: str | None = None, **changes: Any) -> Row:
    scale = 1 + number % 7
    row = Row(
        id=number,
        name=name,
        broker="zerodha",
        state=state,
        reason=reason,
        mode="LIVE",
        funds=Decimal(845000 * scale),
        used=Decimal(212400 * scale),
        used_pct=25,
        realised=Decimal(2260 * scale * (-1 if number % 4 == 0 else 1)),
        unrealised=Decimal("1180.50") * scale,
        mtm=Decimal(3440 * scale * (-1 if number % 4 == 0 else 1)),
        cost=Row(charges=Decimal(312), net=Decimal(3440 * scale * (-1 if number % 4 == 0 else 1) - 312), note=None),
        baseline=Decimal(-9120 if number == 7 else 0),
        carried=int(number == 7),
        positions=4,
        foreign=int(number in {5, 6}),
        latency_ms=38 + 11 * scale,
        is_stale=state == "unreachable",
    )
    row.__dict__.update(changes)
    return row


TROUBLE_ROWS = [
    account_row(
        1,
        "ICICI 1",
        "login_expired",
        "Ended 08:58, log in again",
        used=None,
        used_pct=None,
        realised=None,
        unrealised=None,
        mtm=None,
        cost=Row(charges=None, net=None, note="The market rules have no fee for futures on NFO valid on 30 Nov 2026."),
        latency_ms=None,
    ),
    account_row(2, "Fyers 1", "out_of_sync", "26,600 CE holds 2 of 4 lots", mtm=Decimal(-3145), realised=Decimal(0)),
    account_row(3, "Dhan 2", "catching_up", "2 orders open, 6 s", latency_ms=142),
    account_row(4, "Kotak 1", "paused", "By you 10:05, exits allowed"),
]


def account_rows(count: int) -> list[Row]:
    quiet = [
        account_row(n, ACCOUNT_NAMES[n - 1] if n <= len(ACCOUNT_NAMES) else f"Account {n}") for n in range(5, count + 1)
    ]
    return [*TROUBLE_ROWS, *quiet]


def summary(rows: list[Row]) -> Row:
    return Row(
        count=len(rows),
        in_sync=len(rows) - 4,
        trouble=4,
        funds=Decimal(18900000),
        used=Decimal(4435000),
        used_pct=25,
        realised=Decimal(83320),
        unrealised=Decimal(63710),
        mtm=Decimal(147030),
        cost=Row(charges=Decimal("4821.60"), net=Decimal("142208.40"), note=None),
        positions=52,
        latency_ms=142,
    )


def run_row(number: int, name: str, state: str, mtm: str | None, **changes: Any) -> Row:
    row = Row(
        id=number,
        strategy_name=name,
        owner=None,
        state=state,
        underlying="NIFTY",
        expiry=date(2026, 12, 1),
        accounts=9,
        lots=40,
        units=2600,
        mtm=money(mtm),
        carried_from=None,
        trouble=None,
        nearest_rule=Row(name="Max loss", threshold=Decimal(-22000), distance=Decimal(84480)),
    )
    row.__dict__.update(changes)
    return row


RUNS = [
    run_row(1, "Iron condor NIFTY", "running", "62480", trouble="1 out of sync", carried_from=date(2026, 11, 27)),
    run_row(2, "Short straddle BANKNIFTY", "entering", "71935", nearest_rule=None),
    run_row(3, "Strangle " + HOSTILE, "exiting", "-5690"),
    run_row(4, "Bull put spread", "running", None, trouble="2 orders unknown"),
]


def banner(*, empty: bool = False) -> Row:
    if empty:
        return Row(
            total=None,
            cost=Row(charges=Decimal(0), net=None, note=None),
            realised=None,
            unrealised=None,
            accounts_counted=0,
            accounts_total=0,
            missing=[],
            trades=None,
            positions=None,
            baseline=Decimal(0),
            carried=0,
        )
    return Row(
        total=Decimal(147030),
        cost=Row(charges=Decimal("4821.60"), net=Decimal("142208.40"), note=None),
        realised=Decimal(83320),
        unrealised=Decimal(63710),
        accounts_counted=10,
        accounts_total=11,
        missing=["ICICI 1"],
        trades=41,
        positions=52,
        baseline=Decimal(-18240),
        carried=2,
    )


def dashboard(count: int, group: str = "") -> Context:
    rows = account_rows(count)
    choices = [Row(value="", label="All accounts"), Row(value="group:1", label=f"The group {HOSTILE}")]
    return {
        "chosen": Row(value=group, choices=choices) if group else None,
        "banner": banner(),
        "accounts": rows,
        "accounts_summary": summary(rows),
        "runs": RUNS,
        "events": EVENTS,
        "simulator_offered": False,
    }


DASHBOARD_EMPTY: Context = {
    "chosen": None,
    "banner": banner(empty=True),
    "accounts": [],
    "accounts_summary": None,
    "runs": [],
    "events": [],
    "simulator_offered": True,
}

SETUP: Context = {"form": form()}
SETUP_WRONG: Context = {
    "form": form(
        {"setup_token": "abc", "username": "a b"},
        {
            "setup_token": "This is not the setup token. Copy it again from the terminal.",
            "username": "A space cannot be part of a username. Use letters, digits, dots or dashes.",
            "password": "8 characters are too few. Use at least 12.",
        },
    )
}
LOGIN: Context = {"form": form(), "next_url": "/trading/chain"}
LOGIN_WRONG: Context = {
    "form": form({"username": "asha"}, error="Username and password do not belong together. Try again."),
    "next_url": None,
}

ENTRIES = [
    Row(
        at=NOW - timedelta(minutes=n),
        who="asha" if n % 3 else "engine",
        action=action,
        subject=subject,
        detail=detail,
        tone=tone,
        url="/trading/runs/1" if n == 2 else None,
    )
    for n, (action, subject, detail, tone) in enumerate(
        [
            ("account.test", HOSTILE, "Reached, key good, funds read in 41 ms.", "ok"),
            ("run.start", "Iron condor NIFTY", "Preview 8f2a1c, 9 accounts, 32 orders.", "info"),
            ("order.unknown", "Dhan 2", "No answer within 5 s. The books decide; nothing is sent again.", "warn"),
            ("risk.max_loss", "Strangle SENSEX", "P&L −12,040 at or below −12,000: every account exits.", "bad"),
            ("user.login", "asha", None, "info"),
        ]
        * 4
    )
]
ACTIVITY: Context = {
    "entries": ENTRIES,
    "filters": Row(q="", who="", action="", day=""),
    "choices": Row(who=["asha", "engine"], actions=["account.test", "run.start", "order.unknown"]),
    "own_clock": False,
    "page": Row(number=2, has_previous=True, has_next=True),
}
ACTIVITY_EMPTY: Context = {
    "entries": [],
    "filters": Row(q="xyz", who="", action="run.start", day="2026-11-27"),
    "choices": Row(who=["asha"], actions=["run.start"]),
    "own_clock": True,
    "page": Row(number=1, has_previous=False, has_next=False),
}
ERROR: Context = {
    "code": 404,
    "title": "There is no such page",
    "sentence": "The address leads nowhere, or to something that is not yours.",
    "next_step": "Go back to the desk and follow the links from there.",
    "next_url": "/",
    "next_label": "To the desk",
    "request_id": "req-5f81c2",
}

PLACES = [
    Row(label=label, kind=kind, url=url)
    for label, kind, url in (
        ("Iron condor NIFTY, run 1182", "running", "/gallery/run-trouble"),
        ("Desk", "page", "/gallery/desk"),
        ("Positions", "page", "/gallery/positions"),
        ("Kill switch", "page", "/gallery/kill"),
        ("NIFTY", "chain", "/gallery/chain"),
        ("BANKNIFTY", "chain", "/gallery/chain"),
        ("Iron condor NIFTY", "strategy", "/gallery/builder"),
        *((name, "account", "/gallery/account") for name in ACCOUNT_NAMES),
    )
]
