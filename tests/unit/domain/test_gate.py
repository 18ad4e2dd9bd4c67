"""Each no of the gate: who gets it, who passes, and who waits."""

import re
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.domain import gate
from app.domain.calendar import Phase
from app.domain.contracts import Side
from app.domain.errors import Denied
from app.domain.gate import Asked, Code, Ledger, Stop, Surroundings, Who
from app.domain.orders import Purpose
from app.domain.plan import Mode
from app.domain.prices import PriceBand
from tools.steps import ROOT

TODAY = date(2026, 11, 23)
WHO = Who("A", "simulator", "ACTIVE", Mode.LIVE, live_sending=False)
AROUND = Surroundings(TODAY, Mode.LIVE, Phase.LIVE, lot_size=65, freeze=1800)
LEDGER = Ledger(
    leads=True, stop=None, exit_wanted=None, wanted=130, entered=0, entering=0, net=130, exiting=0,
    opposite_under_way=False, unsettled_elsewhere=False, sent_lately=False, margin=None,
)  # fmt: skip
BAND = PriceBand(Decimal(50), Decimal(150))
HALT = Stop(Code.TRADING_HALTED, "Trading is halted.")
REDUCE = Stop(Code.REDUCE_ONLY, "Only exits are sent.")


def order(purpose: Purpose, **changes: Any) -> Asked:
    """Buys 65 in, sells 65 out."""
    side = Side.BUY if purpose is Purpose.ENTRY else Side.SELL
    plain = Asked(
        purpose, "NFO", "X", side, 65, tick=Decimal("0.05"), expiry=TODAY, limit=Decimal(100), worst=None, band=BAND
    )
    return replace(plain, **changes)


@dataclass(frozen=True)
class Case:
    """What differs from an order about which all is well, and what an entry and an exit are told then."""

    what: str
    entry: str
    out: str
    asked: dict[str, Any] = field(default_factory=dict)
    who: dict[str, Any] = field(default_factory=dict)
    around: dict[str, Any] = field(default_factory=dict)
    ledger: dict[str, Any] = field(default_factory=dict)


def both(what: str, code: str, **changes: Any) -> Case:
    return Case(what, code, code, **changes)


def entry(what: str, code: str, **changes: Any) -> Case:
    return Case(what, code, "PASS", **changes)


def out(what: str, code: str, **changes: Any) -> Case:
    return Case(what, "PASS", code, **changes)


LIVE_BROKER = {"broker": "zerodha"}
ANALYZER = {"broker": "zerodha", "expected": Mode.PAPER}
LIMITED = {"max_day_loss": Decimal(5000)}
RICH = {"margin": Decimal(90_000)}

CASES = [
    both("all well", "PASS"),
    both("another leads", "NOT_LEADING", ledger={"leads": False}),
    entry("the kill switch", "TRADING_HALTED", ledger={"stop": HALT}),
    entry("reduce-only", "REDUCE_ONLY", ledger={"stop": REDUCE}),
    entry("locked for the day", "DAY_LOCK", ledger={"stop": Stop(Code.DAY_LOCK, "Day loss reached.")}),
    entry("the exit came first", "EXIT_WANTED", ledger={"exit_wanted": "Stop hit"}),
    both("a live broker", "LIVE_SENDING_OFF", who=LIVE_BROKER),
    both("a live broker, switched on", "PASS", who={**LIVE_BROKER, "live_sending": True}),
    both("analyzer", "PASS", who=ANALYZER, around={"mode": Mode.PAPER}),
    both("archived", "ACCOUNT_ARCHIVED", who={"state": "ARCHIVED"}),
    entry("paused", "ACCOUNT_PAUSED", who={"state": "PAUSED"}),
    entry("halted account", "ACCOUNT_PAUSED", who={"state": "HALTED"}),
    both("the other mode", "WRONG_MODE", around={"mode": Mode.PAPER}),
    entry("no mode", "MODE_UNKNOWN", around={"mode": None}),
    both("closed", "SESSION_CLOSED", around={"phase": Phase.CLOSED}),
    both("before the opening", "SESSION_CLOSED", around={"phase": Phase.PRE_OPEN}),
    entry("the last minutes", "SESSION_CLOSING", around={"phase": Phase.CLOSING}),
    entry("no hours", "SESSION_UNKNOWN", around={"phase": Phase.UNKNOWN}),
    entry("another day", "ANOTHER_DAY", around={"same_day": False}),
    entry("crashing threads", "ENGINE_UNWELL", around={"well": False}),
    *[
        entry(f"held by {code}", code, around={"locked": Stop(code, "Something is wrong.")})
        for code in (
            Code.ENGINE_DIES,
            Code.DISK_FULL,
            Code.CLOCK_SKEWED,
            Code.DATABASE_BEHIND,
            Code.ACCOUNT_NOT_READY,
        )
    ],
    entry("not listed", "CONTRACT_UNKNOWN", around={"lot_size": None}),
    both("expired yesterday", "CONTRACT_EXPIRED", asked={"expiry": date(2026, 11, 22)}),
    entry("odd lot", "ODD_LOT", around={"lot_size": 75}),
    both("above freeze", "ABOVE_FREEZE", around={"freeze": 60}),
    both("at the freeze", "PASS", around={"freeze": 65}),
    both("no price", "NO_PRICE_OR_BOOK", asked={"limit": None, "band": None}),
    both("a price of nothing", "BAD_PRICE", asked={"limit": Decimal(0)}),
    both("below nothing", "BAD_PRICE", asked={"limit": Decimal(-1)}),
    both("off the tick", "OFF_TICK", asked={"limit": Decimal("100.03")}),
    both("above the band", "OUTSIDE_BAND", asked={"limit": Decimal("150.05")}),
    both("below the band", "OUTSIDE_BAND", asked={"limit": Decimal("49.95")}),
    both("at the edge", "PASS", asked={"limit": Decimal(150)}),
    entry("beyond the worst", "PRICE_MOVED", asked={"worst": Decimal(99)}),
    both("at the worst", "PASS", asked={"worst": Decimal(100)}),
    entry("all in", "OVER_ENTRY", ledger={"entered": 130}),
    entry("all under way", "OVER_ENTRY", ledger={"entered": 65, "entering": 65}),
    both("just what is missing", "PASS", ledger={"entered": 65}),
    entry("another run trades against it", "OPPOSITE_EXPOSURE", ledger={"opposite_under_way": True}),
    out("no position read", "NET_UNREAD", ledger={"net": None}),
    out("flat", "OVER_CLOSE", ledger={"net": 0}),
    out("too few", "OVER_CLOSE", ledger={"net": 64}),
    out("just enough", "PASS", ledger={"net": 65}),
    out("others are closing it", "EXITS_UNDER_WAY", ledger={"net": 130, "exiting": 66}),
    out("enough for all", "PASS", ledger={"net": 130, "exiting": 65}),
    Case("the other sign", "OPPOSITE_EXPOSURE", "OVER_CLOSE", ledger={"net": -130}),
    entry("no funds read", "FUNDS_UNKNOWN", ledger=RICH),
    entry("too little margin", "NO_MARGIN", ledger=RICH, around={"free": Decimal("89999.99")}),
    both("just the margin", "PASS", ledger=RICH, around={"free": Decimal(90_000)}),
    both("no margin asked", "PASS", around={"free": Decimal(0)}),
    entry("no day's profit read", "DAY_PNL_UNKNOWN", who=LIMITED),
    entry("the loss of a day", "DAY_LOSS", who=LIMITED, around={"day_pnl": Decimal(-5000)}),
    both("a little less", "PASS", who=LIMITED, around={"day_pnl": Decimal("-4999.99")}),
    both("no limit", "PASS", around={"day_pnl": Decimal(-5000)}),
    entry("too many lots", "OPEN_LOTS", ledger={"over": Stop(Code.OPEN_LOTS, "It holds 8 lots.")}),
    entry("too many orders", "DAY_ORDERS", ledger={"over": Stop(Code.DAY_ORDERS, "It sent 9 orders.")}),
    entry("another run's is unsettled", "KEY_BUSY", ledger={"unsettled_elsewhere": True}),
    entry("a double", "SENT_LATELY", ledger={"sent_lately": True}),
    entry("books not read since the start", "NOT_TAKEN_OVER", around={"books_read": False}),
    entry("an order left unknown by the engine before", "NOT_TAKEN_OVER", ledger={"left_unknown": "buy 65 X"}),
]

NOT_ASKED = "\N{EN DASH}"

ASKED_BEFORE = {Code.TRIGGER_REACHED, Code.NOT_SENDABLE, Code.SQUARE_OFF_PASSED, Code.ENTRY_TIME}
"""What speaks against an order before the gate can be asked; tested where prices are made, and where runs start."""


def verdict(case: Case, purpose: Purpose) -> str:
    try:
        gate.check(
            order(purpose, **case.asked),
            replace(WHO, **case.who),
            replace(AROUND, **case.around),
            replace(LEDGER, **case.ledger),
        )
    except Denied as denial:
        return denial.code if " " in str(denial) else f"{denial.code} without a sentence"
    return "PASS"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_the_gate(case: Case) -> None:
    assert [verdict(case, each) for each in (Purpose.ENTRY, Purpose.EXIT)] == [case.entry, case.out]


def test_every_code_has_a_case() -> None:
    shown = {code for case in CASES for code in (case.entry, case.out)} - {"PASS"}
    assert shown == set(Code) - ASKED_BEFORE


def test_a_sale_is_judged_the_other_way_round() -> None:
    sale = order(Purpose.ENTRY, side=Side.SELL, worst=Decimal(101))
    with pytest.raises(Denied, match="beyond the 101"):
        gate.check(sale, WHO, AROUND, replace(LEDGER, net=0))
    short_to_buy_back = order(Purpose.EXIT, side=Side.BUY)
    gate.check(short_to_buy_back, WHO, AROUND, replace(LEDGER, net=-65))


@pytest.mark.parametrize(
    ("code", "entry_waits", "exit_waits"),
    [
        (Code.NOT_LEADING, True, True),
        (Code.MODE_UNKNOWN, True, True),
        (Code.NO_PRICE_OR_BOOK, True, True),
        (Code.KEY_BUSY, True, True),
        (Code.SENT_LATELY, True, True),
        (Code.PRICE_MOVED, False, True),
        (Code.SESSION_CLOSED, False, True),
        (Code.WRONG_MODE, False, True),
        (Code.OVER_ENTRY, False, True),
        (Code.NO_MARGIN, False, True),
        (Code.OVER_CLOSE, False, False),
    ],
)
def test_who_waits_after_a_no(code: Code, entry_waits: bool, exit_waits: bool) -> None:
    assert gate.waits(Purpose.ENTRY, code) is entry_waits
    assert gate.waits(Purpose.EXIT, code) is exit_waits


def test_the_page_of_the_codes_names_each_with_what_becomes_of_it() -> None:
    page = (ROOT / "docs" / "reason-codes.md").read_text(encoding="utf-8")
    rows = {code: (entry, out) for code, entry, out in re.findall(r"\| `(\w+)` \| (\S+) \| (\S+) \|", page)}
    assert set(rows) == set(Code)
    for code, told in rows.items():
        words = tuple("waits" if gate.waits(each, code) else "no" for each in (Purpose.ENTRY, Purpose.EXIT))
        pairs = zip(told, words, strict=True)
        assert all(word in {NOT_ASKED, said} for word, said in pairs), f"{code}: {told}, the gate says {words}"
