"""Profit and loss of a run, saying plainly when it cannot be known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.contracts import ContractKey
from app.domain.money import ZERO, Units
from app.domain.positions import PositionState, unrealised

MARK_MAX_AGE_S = 10.0
"""Older than this, a mark is not fresh and the run is shown incomplete."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The last price of a contract and the seconds since a feed or quote last confirmed it.

    `bid` and `ask` are the last ones seen, however old; None when there never was one.
    """

    value: Decimal
    age_s: float
    bid: Decimal | None = None
    ask: Decimal | None = None


@dataclass(frozen=True, slots=True)
class HeldLeg:
    """One contract in one account: the run's own position from its own fills."""

    contract: ContractKey
    state: PositionState


def together(legs: Iterable[HeldLeg]) -> tuple[HeldLeg, ...]:
    """The same holdings with one leg for each contract and sign: as good for any question about all of them.

    Averages are weighted by units, and are exact to Decimal's 28 digits.
    """
    sums: dict[tuple[ContractKey, int], tuple[int, Decimal, Decimal]] = {}
    for leg in legs:
        state = leg.state
        place = (leg.contract, (state.units > 0) - (state.units < 0))
        units, cost, realised = sums.get(place, (0, ZERO, ZERO))
        worth = ZERO if state.average is None else state.average * state.units
        sums[place] = (units + state.units, cost + worth, realised + state.realised)
    return tuple(
        HeldLeg(contract, PositionState(Units(units), cost / units if units else None, realised))
        for (contract, _), (units, cost, realised) in sums.items()
    )


@dataclass(frozen=True, slots=True)
class RunPnl:
    """Gross rupees of a run over its accounts.

    `unrealised` and `total` are None while any held leg lacks a fresh mark; `missing` names those contracts.
    `pessimistic` is the total when complete, else a bound the true figure should not be below; None when a short has
    neither mark nor ask, since its loss has no bound then.
    """

    realised: Decimal
    unrealised: Decimal | None
    total: Decimal | None
    pessimistic: Decimal | None
    missing: tuple[ContractKey, ...]

    @property
    def is_complete(self) -> bool:
        return not self.missing


def run_pnl(legs: Sequence[HeldLeg], marks: Mapping[ContractKey, Mark], *, max_age_s: float = MARK_MAX_AGE_S) -> RunPnl:
    """Value every leg at its mark. Flat legs need none; a contract that is not in `marks` has never been priced."""
    realised = sum((leg.state.realised for leg in legs), ZERO)
    open_gain, bound = ZERO, ZERO
    bounded = True
    missing: dict[ContractKey, None] = {}
    for leg in legs:
        if leg.state.units == 0:
            continue
        mark = marks.get(leg.contract)
        if mark is not None and _is_fresh(mark, max_age_s):
            gain = unrealised(leg.state, mark.value)
            open_gain += gain
            bound += gain
            continue
        missing[leg.contract] = None
        worst = _worst_price(leg.state, mark)
        if worst is None:
            bounded = False
        else:
            bound += unrealised(leg.state, worst)
    pessimistic = realised + bound if bounded else None
    if missing:
        return RunPnl(realised, None, None, pessimistic, tuple(missing))
    return RunPnl(realised, open_gain, realised + open_gain, pessimistic, ())


def _is_fresh(mark: Mark, max_age_s: float) -> bool:
    return mark.age_s <= max_age_s and mark.value > 0


def _worst_price(state: PositionState, mark: Mark | None) -> Decimal | None:
    """Shorts at the last ask, longs at the last bid, longs without any at 0; None for a short without any.

    The last price counts too where it is the worse: it may be younger than the touch.
    """
    if state.units > 0:
        return min(mark.bid, mark.value) if mark is not None and mark.bid is not None else ZERO
    if mark is None or mark.ask is None:
        return None
    return max(mark.ask, mark.value)
