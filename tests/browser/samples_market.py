"""Sample contexts of the page of market data."""

from datetime import timedelta
from types import SimpleNamespace as Row
from typing import Any

from tests.browser.samples_desk import ACCOUNT_NAMES, HOSTILE, NOW

Context = dict[str, Any]


def connection(number: int, name: str, role: str, **changes: Any) -> Row:
    row = Row(
        account_id=number,
        account_name=name,
        role=role,
        open_s=8040.0,
        tick_age_s=0.2,
        pong_age_s=2.4,
        asked=200,
        confirmed=200,
        rate=412.6,
        accepted=1_204_511,
    )
    row.__dict__.update(changes)
    return row


def move(minutes: int, kind: str, fault: str | None, sentence: str, lost_s: float | None, took_s: float | None) -> Row:
    at = NOW - timedelta(minutes=minutes)
    return Row(at=at, kind=kind, fault=fault, sentence=sentence, lost_s=lost_s, took_s=took_s)


def resources(**changes: Any) -> Row:
    row = Row(step="none", words="", memory_mb=187.4, cpu_pct=31.0, memory_limit_mb=500.0, cpu_limit_pct=70.0)
    row.__dict__.update(changes)
    return row


def context(**changes: Any) -> Context:
    row = Row(
        feeds=True,
        phase="live",
        since=NOW - timedelta(minutes=134),
        serving="Zerodha 1",
        chosen=None,
        chosen_by="",
        tick_age_s=0.2,
        late_by_s=None,
        wanted=200,
        confirmed=200,
        rate=412.6,
        accepted=1_204_511,
        drops=(("no price in it", 3), ("older than the last", 12)),
        failovers=0,
        last_fault=None,
        last_cause="",
        connections=(
            connection(1, "Zerodha 1", "serving"),
            connection(2, "Upstox 1", "warm", asked=3, confirmed=3, rate=3.1, pong_age_s=21.0, accepted=9804),
        ),
        most_connections=10,
        sources=(
            Row(account_id=1, name="Zerodha 1", role="serving", trouble=None),
            Row(account_id=2, name="Upstox 1", role="warm", trouble=None),
            *(Row(account_id=3 + n, name=name, role="", trouble=None) for n, name in enumerate(ACCOUNT_NAMES[2:4])),
        ),
        refused=(),
        silent=(),
        quiet=4,
        moves=(),
        told_age_s=None,
        resources=resources(),
    )
    row.__dict__.update(changes)
    return {"market": row}


def contract(symbol: str, kind: str, words: str) -> Row:
    return Row(contract=symbol, exchange="NFO", kind=kind, words=words)


SILENT = "No tick for 7 s while others move; a quote shows that it trades: its pushes are missing."
MOVED = (
    "Prices come from Upstox 1 instead of Zerodha 1, after 11.2 s without any; 200 of 200 contracts confirmed. "
    "Zerodha 1: the connection stands, but no price came for 10 s (silent feed)."
)
MARKET = context()
SHORT = "Strikes far from the money are not subscribed or quoted; held and watched contracts are."
TROUBLE = context(
    told_age_s=1.4,
    resources=resources(step="near_strikes", words=SHORT, memory_mb=None, cpu_pct=83.2),
    phase="late",
    chosen=3,
    chosen_by="asha",
    serving="Upstox 1",
    tick_age_s=6.4,
    late_by_s=312.4,
    confirmed=198,
    rate=0.0,
    failovers=2,
    last_fault="silent feed",
    last_cause="Zerodha 1: the connection stands, but no price came for 10 s (silent feed).",
    connections=(
        connection(2, "Upstox 1", "serving", tick_age_s=6.4, rate=0.0, confirmed=198),
        connection(4, "Kotak 1", "warm", asked=3, confirmed=3, rate=3.0, pong_age_s=12.0),
        connection(
            3, HOSTILE, "on_trial", asked=3, confirmed=0, rate=0.0, tick_age_s=None, pong_age_s=None, open_s=2.0
        ),
    ),
    sources=(
        Row(account_id=3, name=HOSTILE, role="on_trial", trouble="Nothing takes connections at ws://127.0.0.1:8765."),
        Row(
            account_id=1,
            name="Zerodha 1",
            role="",
            trouble="The key is right, but ws://zerodha-1:8765 is not logged in to its broker.",
        ),
        Row(account_id=2, name="Upstox 1", role="serving", trouble=None),
        Row(account_id=4, name="Kotak 1", role="warm", trouble=None),
    ),
    refused=(
        contract("NIFTY01DEC2699999CE", "refused", "Symbol NIFTY01DEC2699999CE not found for exchange NFO"),
        contract("NIFTY01DEC2626200PE", "refused", "The gateway never confirmed it."),
    ),
    silent=tuple(contract(f"NIFTY01DEC26{strike}CE", "unpushed", SILENT) for strike in (26200, 26250, 26300, 26350)),
    moves=(
        move(3, "failover", "silent feed", MOVED, 11.2, 0.4),
        move(48, "reconnect", "second login", MOVED, 4.1, 0.9),
        move(95, "chosen", None, "Prices come from Zerodha 1 instead of Upstox 1, without a gap.", 0.0, 0.3),
        move(1500, "failover", None, "Prices come from Upstox 1 instead of Zerodha 1.", None, None),
    ),
)
EMPTY = context(
    feeds=False, phase="off", serving=None, tick_age_s=None, wanted=0, confirmed=0, rate=0.0, accepted=0, drops=(),
    quiet=0, connections=(), sources=(),
)  # fmt: skip
