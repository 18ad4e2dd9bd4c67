"""Sample contexts of the five books: merged, with an account that cannot be read, and empty."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace as Row
from typing import Any

from tests.browser.samples_desk import ACCOUNT_NAMES, HOSTILE, NOW, Context

GOOD = [
    Row(account=name, state="read", age_s=1.2 + 3 * n, at=NOW, reason=None) for n, name in enumerate(ACCOUNT_NAMES[4:8])
]
BAD = [
    Row(
        account="ICICI 1",
        state="unreadable",
        age_s=None,
        at=NOW - timedelta(hours=2, minutes=44),
        reason="Login ended 08:58.",
    ),
    Row(account=HOSTILE, state="unreadable", age_s=None, at=None, reason="Nothing listens at 10.0.0.7:5000."),
]


def book(rows: list[Row], summary: Row | None, sources: list[Row] | None = None) -> Context:
    return {"book": Row(rows=rows, summary=summary, sources=GOOD + BAD if sources is None else sources)}


def filled(row: Row, changes: dict[str, Any]) -> Row:
    row.__dict__.update(changes)
    return row


def order(n: int, state: str, **changes: Any) -> Row:
    row = Row(
        account=ACCOUNT_NAMES[n % len(ACCOUNT_NAMES)],
        at=NOW - timedelta(minutes=n),
        contract="NIFTY 01 DEC 26 26,400 CE",
        side="SELL" if n % 2 else "BUY",
        product="MIS",
        price_type="LIMIT",
        units=260,
        lot_size=65,
        filled_units=260,
        price=Decimal("51.75"),
        trigger_price=None,
        average=Decimal("52.10"),
        state=state,
        message=None,
        purpose="ENTRY",
        run_id=1182,
        foreign=False,
        broker_id=f"26112700004{n:03}",
    )
    return filled(row, changes)


ORDER_ROWS = [
    order(
        1, "UNKNOWN", filled_units=None, average=None, broker_id=None, message="No answer within 5 s. The books decide."
    ),
    order(2, "REJECTED", filled_units=0, average=None, message="RMS: margin exceeds (16-4021)"),
    order(3, "WORKING", filled_units=65),
    order(4, "FILLED"),
    order(5, "complete", foreign=True, run_id=None, purpose=None, lot_size=None, at="27-Nov-2026 11:02:11"),
    order(6, "trigger pending", price_type="SL", trigger_price=Decimal("60.00"), filled_units=0, average=None),
    order(7, "PARKED", filled_units=0, average=None, message="Waits for a click in the gateway's action centre."),
    order(8, "amo req received", filled_units=None, average=None),
]
ORDERS = book(ORDER_ROWS, Row(orders=8, open=3, unknown=2, rejected=1))
ORDERS_EMPTY = book([], None, GOOD)
ORDERS_MANY = book([order(n, "FILLED") for n in range(200)], Row(orders=200, open=0, unknown=0, rejected=0), GOOD)


def trade(n: int, **changes: Any) -> Row:
    row = Row(
        account=ACCOUNT_NAMES[n % len(ACCOUNT_NAMES)],
        at=NOW - timedelta(minutes=n),
        contract="NIFTY 01 DEC 26 26,400 CE",
        side="SELL" if n % 2 else "BUY",
        product="MIS",
        units=260,
        lot_size=65,
        price=Decimal("51.75"),
        value=Decimal("13455.00"),
        run_id=1182,
        foreign=False,
        broker_id=f"26112700004{n:03}",
    )
    return filled(row, changes)


TRADES = book(
    [*(trade(n) for n in range(6)), trade(7, foreign=True, run_id=None, lot_size=None, broker_id=None, at="11:02:11")],
    Row(trades=7, value=Decimal("94185.00")),
)
TRADES_EMPTY = book([], None, GOOD)


def position(n: int, **changes: Any) -> Row:
    row = Row(
        account=ACCOUNT_NAMES[n % len(ACCOUNT_NAMES)],
        contract="NIFTY 01 DEC 26 26,400 CE",
        product="MIS",
        net=-260 if n % 2 else 520,
        lot_size=65,
        average=Decimal("62.25"),
        ltp=Decimal("51.75"),
        age_s=0.4,
        realised=Decimal(0),
        unrealised=Decimal(2730 - 900 * n),
        mtm=Decimal(2730 - 900 * n),
        run_id=1182,
        foreign=False,
    )
    return filled(row, changes)


POSITIONS = book(
    [
        *(position(n) for n in range(5)),
        position(5, foreign=True, run_id=None, lot_size=None, net=-30),
        position(6, net=0, unrealised=Decimal(0), realised=Decimal(-1240), mtm=Decimal(-1240)),
        position(7, ltp=None, age_s=None, unrealised=None, mtm=None),
        position(8, age_s=42.0),
    ],
    Row(positions=8, realised=Decimal(-1240), unrealised=None, mtm=None),
)
POSITIONS_EMPTY = book([], None)


def agreement(number: int, kind: str, ours: int, broker: int | None, sentence: str, **changes: Any) -> Row:
    unread = kind == "unread"
    row = Row(
        account_id=number, account=ACCOUNT_NAMES[number], contract="NIFTY 01 DEC 26 25,000 CE", product="MIS",
        exchange="NFO", symbol="NIFTY01DEC2625000CE",
        lot_size=65, agreement=kind, ours=ours, broker=broker, sentence=sentence, moving=kind == "short",
        difference=None if unread or broker is None else broker - ours, run_id=None if kind == "foreign" else 7,
        age_s=None if broker is None else 1.2, adopt_no=None, ignored_by=None,
        foreign=(broker or 0) - ours if kind in {"over", "foreign"} else 0,
        average=Decimal("101.2500") if kind == "foreign" else None,
    )  # fmt: skip
    return filled(row, changes)


FOREIGN = "No run of this desk holds it. No exit touches it."


def reconciliation(rows: list[Row], asked: list[Row]) -> Context:
    modes = {row.account_id: "PAPER" if row.account_id % 2 else "LIVE" for row in rows}
    agreeing = sum(1 for row in rows if row.agreement == "match")
    ignored = sum(1 for row in rows if row.ignored_by)
    summary = Row(positions=len(rows), agreeing=agreeing, ignored=ignored) if rows else None
    return {**book(rows, summary), "asked": asked, "modes": modes, "names": {}}


def asked(number: int, units: int, sentence: str | None) -> Row:
    return Row(
        command_id=number, account_id=number, account=ACCOUNT_NAMES[number], exchange="NFO",
        symbol="NIFTY01DEC2625000CE", product="MIS", units=units, by="asha", sentence=sentence, age_s=3.2,
    )  # fmt: skip


RECONCILIATION = reconciliation(
    [
        agreement(0, "missing", -130, 0, "Our fills say -130 and the broker shows none. Nothing is sent for it."),
        agreement(1, "short", 130, 65, "The broker has 65 units less than our fills say."),
        agreement(2, "over", 65, 195, "The broker has 130 units more than our fills say. Exits leave those alone."),
        agreement(3, "unread", -65, None, "The account's book could not be read: what is there is unknown."),
        agreement(4, "foreign", 0, 65, FOREIGN),
        agreement(
            5, "foreign", 0, -70, FOREIGN, contract="RELIANCE", symbol="RELIANCE", exchange="NSE", product="CNC",
            lot_size=None,
            adopt_no="RELIANCE is not in today's list of contracts that this desk trades, so it could not be closed.",
        ),
        agreement(6, "foreign", 0, -130, FOREIGN),
        agreement(7, "foreign", 0, 260, FOREIGN, ignored_by="asha"),
        agreement(8, "match", -65, -65, "The broker's position and our fills agree."),
    ],
    [
        asked(6, -130, None),
        asked(1, 65, "ADOPT_CHANGED: Shown were +65 foreign units of NIFTY 01 DEC 26 25,000 CE; there are +130 now."),
    ],
)  # fmt: skip
RECONCILIATION_EMPTY = reconciliation([], [])

HOLDINGS = book(
    [
        Row(
            account="Zerodha 1",
            contract="RELIANCE",
            units=120,
            average=Decimal("1402.35"),
            ltp=Decimal("1566.10"),
            value=Decimal("187932.00"),
            pnl=Decimal("19650.00"),
        ),
        Row(account=HOSTILE, contract="INFY", units=40, average=None, ltp=None, value=None, pnl=None),
    ],
    Row(holdings=2, value=None, pnl=None),
)
HOLDINGS_EMPTY = book([], None, GOOD)


def funds(n: int, state: str = "in_sync", **changes: Any) -> Row:
    row = Row(
        account=ACCOUNT_NAMES[n],
        mode="LIVE" if n % 3 else "PAPER",
        available=Decimal("984500.25") + n,
        collateral=Decimal(0),
        used=Decimal("212400.00"),
        used_pct=18,
        realised=Decimal(-2260),
        unrealised=Decimal(1180),
        at=NOW,
        state=state,
        reason=None,
    )
    return filled(row, changes)


FUNDS = book(
    [
        funds(
            0,
            "login_expired",
            reason="Ended 08:58, log in again",
            available=None,
            collateral=None,
            used=None,
            used_pct=None,
            realised=None,
            unrealised=None,
            at=None,
        ),
        *(funds(n) for n in range(4, 10)),
    ],
    Row(
        available=None, collateral=Decimal(0), used=Decimal(1274400), realised=Decimal(-13560), unrealised=Decimal(7080)
    ),
)
FUNDS_EMPTY = book([], None, [])
