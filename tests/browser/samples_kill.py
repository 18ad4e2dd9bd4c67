"""The page of the kill switch: before it is pressed, under way with an account that does not answer, and over."""

from types import SimpleNamespace as Row
from typing import Any

from tests.browser.samples_desk import NOW

AWAY = (
    "Takes no orders now: The connection was refused. It is closed as soon as it answers; if that cannot wait, close "
    "it at the broker."
)
HALT = (
    "Trading is halted for everything, by asha: Kill switch. Nothing new is begun until that is released; exits go on."
)

HALTS = (Row(sentence=HALT, at=NOW),)
SETBACK = Row(id=1, sentence="The order that was sent last, at 11:41:07, is not in it", at=NOW, by=None)
ALARMS = (
    Row(
        sentence="Upstox 2: nobody can say whether the exit of 130 NIFTY01DEC2626400CE stands at the broker. Its "
        "books are read until they tell; on the page of the run it can be sent again at your own risk.",
        run_id=41,
        at=NOW,
    ),
    Row(
        sentence="Zerodha 1: 65 units are sold without their hedge for more than 10 s. They are being bought back.",
        run_id=41,
        at=NOW,
    ),
)


def line(number: int, state: str = "open", orders: int = 0, units: int = 130, reason: str | None = None) -> Row:
    positions = 2 if units else 0
    return Row(
        name=f"Zerodha {number}", mode="LIVE", orders=orders, positions=positions, units=units, state=state,
        reason=reason,
    )  # fmt: skip


def kill(lines: list[Row], sentence: str, **changes: Any) -> dict[str, Any]:
    choices = [Row(value="all", label="Everything, in all accounts"), Row(value="user:1", label="My runs")]
    choices += [Row(value=f"account:{number}", label=f"Only Zerodha {number}") for number in range(1, 6)]
    page = {
        "choices": choices, "halts": [], "sentence": sentence, "under_way": False, "alarms": [], "engine_leads": True,
        "accounts": lines, "others": 2, "foreign": [], "ticks": [], "along": [], **changes,
    }  # fmt: skip
    return {"kill": Row(**page)}


RELEASE = [Row(value="all", label="everything", word="Halted", sentence=HALT, can_release=True)]

FOREIGN = [
    "Zerodha 2: -65 units of NIFTY01DEC2626600CE MIS",
    "Zerodha 2: +65 units of NIFTY01DEC2627000CE MIS",
    "Upstox 3: +120 units of MIDCPNIFTY29DEC2613900PE NRML",
]
ALONG = [
    Row(words=FOREIGN[0], state="ours", reason=None, run_id=52),
    Row(words=FOREIGN[1], state="waiting", reason=None, run_id=None),
    Row(words=FOREIGN[2], state="stays", run_id=None, reason="ADOPT_CHANGED: Shown were +120 foreign units of "
        "MIDCPNIFTY 29 DEC 26 13,900 PE; there are +240 now. Look again."),
]  # fmt: skip
BEFORE = kill(
    [line(number, orders=number % 2) for number in range(1, 6)],
    "Halts new entries, cancels 3 open orders and closes 10 positions (650 units) in 5 accounts, then looks until all "
    "of it is flat.",
    foreign=FOREIGN,
    ticks=[Row(value=f"2/NFO/NIFTY01DEC2626600CE/MIS/{number}", label=words) for number, words in enumerate(FOREIGN)],
)
ALARM = kill(
    [line(5, "alarm", 1, reason=AWAY), *(line(number, "flat", units=0) for number in range(1, 4)), line(4, "closing")],
    "Pressed by asha at 11:42:07. Entries are halted. Still open: 4 positions and 1 open order, in 2 accounts.",
    halts=RELEASE,
    under_way=True,
    alarms=["Zerodha 5 has 130 units and 1 open order left"],
    along=ALONG,
    foreign=FOREIGN[2:],
)
FLAT = kill(
    [line(number, "flat", units=0) for number in range(1, 6)],
    "Pressed by asha at 11:42:07. Everything of ours in its scope was flat 4 s later.",
    halts=[*RELEASE, Row(value="user:2", label="runs of ravi", word="Halted", sentence=HALT, can_release=False)],
)
NO_ENGINE = kill([], "Nothing of ours is open. Pressed now, it halts new entries until somebody releases it.",
                 engine_leads=False, others=1)  # fmt: skip
