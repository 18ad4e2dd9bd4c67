"""Sample contexts of the option chain: full, with holes and stale figures, and with nothing to show."""

import math
from datetime import date
from decimal import Decimal
from types import SimpleNamespace as Row

from app.domain.contracts import ContractKey
from tests.browser.samples_desk import Context

EXPIRIES = [date(2026, 12, 1), date(2026, 12, 8), date(2026, 12, 15), date(2026, 12, 29), date(2027, 3, 25)]
SPOT = Decimal("26184.35")
NAMES = ["NIFTY", "BANKNIFTY", "SENSEX"]


def option(kind: str, strike: int, staleness: str = "fresh") -> Row:
    """An option whose premium falls with distance; figures only have to look right."""
    away = (float(SPOT) - strike) * (1 if kind == "CE" else -1)
    ltp = Decimal(f"{max(away, 0) + 128 * math.exp(-abs(away) / 210):.2f}")
    weight = math.exp(-abs(abs(away) - 300) / 160)
    change = Decimal(f"{-away / 9 + 3:.2f}")
    return Row(
        key=ContractKey("NFO", f"NIFTY01DEC26{strike}{kind}"),
        in_use=kind == "CE" and strike == 26_400,
        ltp=ltp,
        change=change,
        bid=ltp - Decimal("0.05"),
        ask=ltp + Decimal("0.10"),
        volume=int(33_760_000 * weight) + 4_300,
        oi=int(13_730_000 * weight) + 54_000,
        oi_change=int(2_210_000 * weight * (1 if away > 0 else -0.4)),
        oi_bar=max(1, int(100 * weight)),
        figures=Row(
            iv=Decimal(f"{11.4 + abs(away) / 220:.2f}"),
            delta=Decimal(f"{(0.5 + math.atan(away / 180) / math.pi) * (1 if kind == 'CE' else -1):.3f}"),
            gamma=Decimal(f"{0.0011 * math.exp(-abs(away) / 300):.6f}"),
            theta=Decimal(f"{-11.42 * math.exp(-abs(away) / 400):.2f}"),
            vega=Decimal(f"{9.18 * math.exp(-abs(away) / 400):.2f}"),
        ),
        age_s={"fresh": 0.4, "late": 5.0, "stale": 42.0}[staleness],
        staleness=staleness,
    )


def rows(step: int = 50, each_side: int = 20, *, trouble: bool = False) -> list[Row]:
    middle = 26200
    found = []
    for n in range(-each_side, each_side + 1):
        strike = middle + n * step
        staleness = ["fresh", "late", "stale"][n % 3] if trouble else "fresh"
        put = None if trouble and n == 2 else option("PE", strike, staleness)
        found.append(
            Row(
                strike=Decimal(strike),
                is_atm=n == 0,
                spot_before=n == 0,
                ce=option("CE", strike, staleness),
                pe=put,
            )
        )
    if trouble:
        blank = found[5].ce
        blank.ltp = blank.change = blank.bid = blank.ask = blank.volume = blank.oi = blank.age_s = None
        blank.oi_bar = blank.oi_change = blank.figures = None
    return found


def chain(*, trouble: bool = False, empty: bool = False, any_account: bool = True) -> Context:
    return {
        "any_account": any_account,
        "chain": Row(
            underlying="NIFTY",
            underlyings=NAMES,
            expiry=EXPIRIES[0],
            expiries=[] if empty else EXPIRIES,
            spot=None if empty else SPOT,
            spot_change=None if empty else Decimal("109.20"),
            spot_change_pct=None if empty else Decimal("0.42"),
            lot_size=None if empty else 65,
            atm=None if empty else Decimal(26200),
            age_s=None if empty else 12.5 if trouble else 0.4,
            future=None if empty else Row(expiry=EXPIRIES[3], ltp=Decimal("26251.10"), basis=Decimal("66.75")),
            synthetic=None if empty else Row(price=Decimal("26198.10"), basis=Decimal("13.75"), atm=Decimal(26200)),
            no_greeks=None,
            oi_doubted=2 if trouble else 0,
            layout=7,
            note="No account gives market data yet. Add one, or make one primary." if empty else None,
            rows=[] if empty else rows(trouble=trouble),
            totals=None
            if empty
            else Row(
                call_oi=69_000_000,
                put_oi=71_800_000,
                pcr=Decimal("1.04"),
                pcr_volume=Decimal("0.97"),
                atm_iv=Decimal("11.50"),
                straddle=Decimal("257.50"),
                max_pain=Decimal(26200),
                listed=121,
                oi_strikes=74 if trouble else 121,
                volume_strikes=70 if trouble else 119,
            ),
        ),
    }
