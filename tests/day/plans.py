"""What is traded on the day: six strategies, each left by rules of another kind, all square by the clock at the latest.

Times are India's. At sixty times the clock a second is a minute, so the square-off stands well before the broker's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from decimal import Decimal
from typing import Any

from app.domain.contracts import Kind, Side
from app.domain.entry_times import EntryTimes
from app.domain.exit_rules import AccountRule, ExitRules
from app.domain.leg_rules import LegRule, LegRules, Level, Measure
from app.domain.strategy import ExpiryWord, LegSpec
from app.domain.supertrend import SupertrendExit, TrendOf, TrendTurn
from app.domain.trailing import Floors, ProfitLock, Trail, TrailKind
from tests.live_desk import IRON_FLY, STRADDLE, leg

LEAVE_AT = time(14, 40)
EVERY_DAY = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Planned:
    """A strategy and how it is written down; `by_clock`: it starts by itself."""

    name: str
    legs: Sequence[LegSpec]
    how: dict[str, Any] = field(default_factory=dict)
    by_clock: bool = False


def of(underlying: str, expiry: ExpiryWord, legs: Sequence[LegSpec]) -> tuple[LegSpec, ...]:
    return tuple(replace(each, underlying=underlying, expiry=expiry) for each in legs)


def plans(accounts: Sequence[int], starts: time) -> list[Planned]:
    """`starts` is when the one starts that nobody sends."""
    stop = Level(Measure.PERCENT, Decimal(25))
    return [
        Planned("Straddle with limits", STRADDLE, {"max_loss": 20_000, "max_profit": 20_000}),
        Planned(
            "Iron fly that trails",
            IRON_FLY,
            {
                "floors": Floors(
                    Trail(TrailKind.AMOUNT, Decimal(3_000), Decimal(1_000)),
                    ProfitLock(Decimal(2_000), Decimal(500), Decimal(1_000), Decimal(500)),
                )
            },
        ),
        Planned(
            "Strangle with stops of its legs",
            of("BANKNIFTY", ExpiryWord.NEXT_MONTH, (leg(1, Kind.CE, Side.SELL, 3), leg(2, Kind.PE, Side.SELL, 3))),
            {"exits": ExitRules(LegRules((LegRule(1, stop), LegRule(2, stop)), to_cost=True))},
        ),
        Planned(
            "Straddle by its Supertrend",
            of("SENSEX", ExpiryWord.NEXT_WEEK, STRADDLE),
            {"exits": ExitRules(supertrend=SupertrendExit(TrendTurn.BREAKOUT, TrendOf.PREMIUM, minutes=5))},
        ),
        Planned(
            "Spread with limits of each account",
            (leg(1, Kind.CE, Side.SELL), leg(2, Kind.CE, Side.BUY, 4)),
            {
                "exits": ExitRules(
                    accounts=tuple(
                        AccountRule(account, max_loss=Decimal(1_000 * nth), trail=Decimal(1_500 * nth))
                        for nth, account in enumerate(accounts, start=1)
                    )
                )
            },
        ),
        Planned(
            "Fly that starts by the clock",
            IRON_FLY,
            {"max_loss": 30_000, "times": EntryTimes(start=starts, days=EVERY_DAY)},
            by_clock=True,
        ),
    ]
