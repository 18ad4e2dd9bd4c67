"""Each no of the gate: who gets it, who passes, and who waits."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.calendar import Phase
from app.domain.errors import Denied
from app.domain.orders import Purpose
from app.domain.plan import Mode
from app.persistence.tables import Intent, TradingAccount
from app.services import gate
from app.services.gate import Seen

GOOD = Seen(mode=Mode.LIVE, phase=Phase.LIVE, lot_size=65, net=130, freeze=1800)
BOTH = ("ENTRY", "EXIT")


def intent(purpose: str, **changes: Any) -> Intent:
    """Buys 65 in, sells 65 out."""
    side = "BUY" if purpose == "ENTRY" else "SELL"
    row = Intent(purpose=purpose, exchange="NFO", symbol="X", product="MIS", side=side, units=65, worst_price=None)
    for name, value in changes.items():
        setattr(row, name, value)
    return row


def account(**changes: Any) -> TradingAccount:
    row = TradingAccount(name="A", broker="simulator", expected_mode="live", state="ACTIVE")
    for name, value in changes.items():
        setattr(row, name, value)
    return row


def verdict(purpose: str, seen: Seen, of: Intent, who: TradingAccount, limit: Decimal) -> str:
    try:
        gate.check(of, who, seen, live_sending=False, limit=limit)
    except Denied as denial:
        return denial.code
    return "PASS"


CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], str, str, str]] = [
    # what, seen, intent, account, limit, entry, exit
    ("all well", {}, {}, {}, "100", "PASS", "PASS"),
    ("a live broker", {}, {}, {"broker": "zerodha"}, "100", "LIVE_SENDING_OFF", "LIVE_SENDING_OFF"),
    (
        "analyzer", {"mode": Mode.PAPER}, {}, {"broker": "zerodha", "expected_mode": "analyze"}, "100", "PASS", "PASS",
    ),
    ("archived", {}, {}, {"state": "ARCHIVED"}, "100", "ACCOUNT_ARCHIVED", "ACCOUNT_ARCHIVED"),
    ("paused", {}, {}, {"state": "PAUSED"}, "100", "ACCOUNT_PAUSED", "PASS"),
    ("halted", {}, {}, {"state": "HALTED"}, "100", "ACCOUNT_PAUSED", "PASS"),
    ("the other mode", {"mode": Mode.PAPER}, {}, {}, "100", "WRONG_MODE", "WRONG_MODE"),
    ("no mode", {"mode": None}, {}, {}, "100", "MODE_UNKNOWN", "PASS"),
    ("closed", {"phase": Phase.CLOSED}, {}, {}, "100", "SESSION_CLOSED", "SESSION_CLOSED"),
    ("before the opening", {"phase": Phase.PRE_OPEN}, {}, {}, "100", "SESSION_CLOSED", "SESSION_CLOSED"),
    ("the last minutes", {"phase": Phase.CLOSING}, {}, {}, "100", "SESSION_CLOSING", "PASS"),
    ("no hours", {"phase": Phase.UNKNOWN}, {}, {}, "100", "SESSION_UNKNOWN", "PASS"),
    ("another day", {"same_day": False}, {}, {}, "100", "ANOTHER_DAY", "PASS"),
    ("crashing threads", {"well": False}, {}, {}, "100", "ENGINE_UNWELL", "PASS"),
    ("not listed", {"lot_size": None}, {}, {}, "100", "CONTRACT_UNKNOWN", "PASS"),
    ("odd lot", {"lot_size": 75}, {}, {}, "100", "ODD_LOT", "PASS"),
    ("above freeze", {"freeze": 60}, {}, {}, "100", "ABOVE_FREEZE", "ABOVE_FREEZE"),
    ("no price", {}, {}, {}, "0", "BAD_PRICE", "BAD_PRICE"),
    ("below nothing", {}, {}, {}, "-1", "BAD_PRICE", "BAD_PRICE"),
    ("beyond the worst", {}, {"worst_price": Decimal(99)}, {}, "100", "PRICE_MOVED", "PASS"),
    ("at the worst", {}, {"worst_price": Decimal(100)}, {}, "100", "PASS", "PASS"),
    ("sold below the worst", {}, {"worst_price": Decimal(101), "side": "SELL"}, {}, "100", "PRICE_MOVED", "PASS"),
    ("no position read", {"net": None}, {}, {}, "100", "PASS", "NET_UNREAD"),
    ("flat", {"net": 0}, {}, {}, "100", "PASS", "OVER_CLOSE"),
    ("the other sign", {"net": -130}, {}, {}, "100", "PASS", "OVER_CLOSE"),
    ("too few", {"net": 64}, {}, {}, "100", "PASS", "OVER_CLOSE"),
    ("just enough", {"net": 65}, {}, {}, "100", "PASS", "PASS"),
    ("a short to buy back", {"net": -65}, {"side": "BUY"}, {}, "100", "PASS", "PASS"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_the_gate(case: tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], str, str, str]) -> None:
    _, seen, of, who, limit, entry, out = case
    told = replace(GOOD, **seen)
    answers = [verdict(each, told, intent(each, **of), account(**who), Decimal(limit)) for each in BOTH]
    assert answers == [entry, out]


def test_without_a_price_everything_else_is_asked() -> None:
    gate.check(intent("ENTRY", worst_price=Decimal(1)), account(), GOOD, live_sending=False, limit=None)
    with pytest.raises(Denied):
        gate.check(intent("EXIT"), account(), replace(GOOD, net=0), live_sending=False, limit=None)


def test_live_sending_is_one_setting() -> None:
    gate.may_trade(account(broker="zerodha"), live_sending=True, entry=True)


@pytest.mark.parametrize(
    ("code", "entry_waits", "exit_waits"),
    [
        ("MODE_UNKNOWN", True, True),
        ("NO_PRICE_OR_BOOK", True, True),
        ("KEY_BUSY", True, True),
        ("PRICE_MOVED", False, True),
        ("SESSION_CLOSED", False, True),
        ("WRONG_MODE", False, True),
        ("OVER_ENTRY", False, True),
        ("OVER_CLOSE", False, False),
    ],
)
def test_who_waits_after_a_no(code: str, entry_waits: bool, exit_waits: bool) -> None:
    assert gate.waits(Purpose.ENTRY, code) is entry_waits
    assert gate.waits(Purpose.EXIT, code) is exit_waits
