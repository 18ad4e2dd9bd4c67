"""Sample contexts of the order ticket: nothing chosen, contracts found, one chosen, fields that are wrong."""

from datetime import date
from decimal import Decimal
from itertools import zip_longest
from types import SimpleNamespace as Row

from app.strategies.ticket_page import ContractView
from app.strategies.typed import LegText
from tests.browser.samples_desk import HOSTILE, Context, form
from tests.browser.samples_strategies import ACCOUNTS, account

GROUPS = [
    Row(id=1, name="Family", accounts=2, multiplier="0.5", chosen=False),
    Row(id=2, name=HOSTILE, accounts=1, multiplier="1", chosen=True),
]


def contract(strike: int | None, kind: str, ltp: str | None) -> ContractView:
    written = "" if strike is None else f"{strike} "
    return ContractView(
        key=f"NFO:NIFTY01DEC26{written.strip()}{kind}",
        name=f"NIFTY 01 DEC 26 {written}{kind}",
        underlying="NIFTY",
        kind=kind,
        expiry=date(2026, 12, 1),
        strike=None if strike is None else Decimal(strike),
        lot_size=65,
        ltp=None if ltp is None else Decimal(ltp),
    )


FOUND = [contract(26200 + 50 * step, "CE", None if step == 5 else f"{128 - 20 * step}.20") for step in range(6)]
LEG = LegText(
    number=0,
    underlying="NIFTY",
    kind="CE",
    expiry="2026-12-01",
    strike_method="STRIKE",
    strike_value="26200",
    side="SELL",
    ratio="1",
    product="MIS",
    price_type="LIMIT",
    limit_price="128.05",
)
NOTHING: Context = {
    "contract": None, "leg": None, "lots": "1", "form": form(), "accounts": [], "groups": [], "asked": "", "found": [],
    "trouble": None,
}  # fmt: skip
SEARCHED: Context = {**NOTHING, "asked": "nifty ce 1 dec", "found": FOUND}
UNFOUND: Context = {**NOTHING, "asked": HOSTILE}
CHOSEN: Context = {
    **NOTHING, "contract": FOUND[0], "leg": LEG, "lots": "4", "accounts": ACCOUNTS, "groups": GROUPS,
}  # fmt: skip
FUTURE: Context = {
    **CHOSEN,
    "contract": contract(None, "FUT", "26251.10"),
    "accounts": [account(number) for number in range(1, 51)],
    "groups": [],
}
WRONG: Context = {
    **CHOSEN,
    "contract": None,
    "lots": "0",
    "trouble": "The contract list of 23 Nov 2026 is not there yet. It is being read now; try again in a few seconds.",
    "form": form(
        errors={
            "structures": "This number must be from 1 to 500.",
            "legs-0-limit_price": "A limit order needs its price. Type it.",
            "legs-0-strike_value": "“abc” is not a number. Type it as 26400.",
            "accounts": "Choose at least one account or group.",
        },
        error="Nothing was saved: 4 things need a look.",
    ),
}
DEPTH: Context = {
    "name": FOUND[0].name,
    "leg": FOUND[0].key,
    "closes": False,
    "depth": {"bids": ((1, 2),)},
    "levels": list(
        zip_longest(
            [(Decimal("128.00"), 1950), (Decimal("127.95"), 975), (Decimal("127.90"), 650)],
            [(Decimal("128.20"), 1300), (Decimal("128.25"), 0), (Decimal("128.30"), 2600), (Decimal("128.35"), 65)],
        )
    ),
    "age_s": 0.4,
}
