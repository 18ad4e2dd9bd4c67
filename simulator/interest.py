"""Open interest at the ends of a day: where a contract stands to the money decides, and the days that it has left."""

import math
from datetime import date, timedelta

from simulator.contracts import Contract
from simulator.noise import key_of
from simulator.paths import DayPath
from simulator.underlyings import BY_NAME

WEEKDAYS_A_MONTH = 21


def interest_of_day(contract: Contract, path: DayPath) -> tuple[float, float]:
    """Lots at the opening and at the close. A day opens with what the one before closed with, holidays apart."""
    if not contract.is_derivative or contract.expiry is None:
        return 0.0, 0.0
    left = _weekdays(path.day, contract.expiry)
    return _lots(contract, path.prev_close, left), _lots(contract, path.close(), left - 1)


def _lots(contract: Contract, spot: float, left: int) -> float:
    months = max(left, 0) / WEEKDAYS_A_MONTH
    if not contract.is_option:
        return 200_000.0 / (1 + 6 * months)
    scale = BY_NAME[contract.underlying].volatility * math.sqrt(max(left, 1) / 252)
    away = abs(math.log(contract.strike / spot)) / scale
    roundness = 2.2 if contract.strike % 1000 == 0 else 1.6 if contract.strike % 500 == 0 else 1.0
    beyond = math.log(contract.strike / spot) / scale * (1 if contract.kind == "CE" else -1)
    side = 0.45 + 0.85 / (1 + math.exp(-2.0 * beyond))  # out of the money more is open than in it
    body = math.exp(-0.5 * (away / 1.4) ** 2)
    wobble = 0.75 + (key_of("oi", contract.symbol) % 1000) / 2000
    return max(12.0, 70_000.0 * body * roundness * side * wobble / (1 + 1.5 * months))


def _weekdays(day: date, until: date) -> int:
    """From `day` to `until`, which does not count: whole weeks, and what is left of one."""
    weeks, rest = divmod(max((until - day).days, 0), 7)
    return 5 * weeks + sum((day + timedelta(n)).weekday() < 5 for n in range(rest))
