"""What the builder shows of a payoff: the figures, the greeks of each leg, and the curves for the picture."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.black76 import YEAR_S, Greeks
from app.domain.contracts import ContractKey
from app.domain.errors import InvalidInput, Refused
from app.domain.money import ZERO
from app.domain.payoff import Payoff
from app.domain.strategy import LegSpec
from app.domain.worth import HeldLeg, WhatIf, greeks, horizon, worth
from app.services.candle_series import Subject
from app.services.outlooks import Outlook, Outlooks, PricedLeg
from app.strategies.payoff_fields import Asked, Sliders
from app.web.candle_subject import leg_texts
from app.web.contract_names import contract_labels
from app.web.desk import Desk

DAY_YEARS = 86_400 / YEAR_S
PLACES = 120
REACH = Decimal("0.04")
"""How far from the money a picture reaches at least, as a share of the index."""
FARTHEST = Decimal("0.15")
"""A break-even further away than this is told and not drawn."""


@dataclass(frozen=True, slots=True)
class End:
    """The most that can be won or lost: rupees, or without limit."""

    amount: Decimal
    is_unlimited: bool


@dataclass(frozen=True, slots=True)
class BreakEven:
    """`away` is in percent of the index, None while that is unknown."""

    spot: Decimal
    away: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GreekRow:
    """A leg. `iv` in percent; `per_unit` as in domain.black76.Greeks; the others of all its units, `lots` of them.

    `delta` is in units, `delta_lots` in lots, `gamma` in units per point, `theta` rupees a day, `vega` rupees for a
    percentage point. None where there are none.
    """

    number: int
    contract: str
    side: str
    lots: int
    units: int
    entry: Decimal
    age_s: float
    is_typed: bool
    is_young: bool
    iv: Decimal | None
    per_unit: Greeks | None
    delta: float | None
    delta_lots: float | None
    gamma: float | None
    theta: float | None
    vega: float | None


@dataclass(frozen=True, slots=True)
class GreekTotal:
    """As in GreekRow, over all legs. `delta_lots` is in lots of the first leg, None where lots differ."""

    delta: float
    delta_lots: float | None
    gamma: float
    theta: float
    vega: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfView:
    """Where the sliders stand: index, days from now of `days_left` to the first expiry, points of volatility.

    `then` is rupees on that day, None where it cannot be worked out; `at_expiry` at the first expiry, at that index.
    """

    spot: Decimal
    days: float
    days_left: float | None
    volatility: float
    then: Decimal | None
    at_expiry: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoffView:
    """What docs/view-models.md calls `payoff`. `missing` says why there is nothing more; empty when there is.

    `net_premium` is received when positive. `chart` is JSON for the picture. `total` None while a leg has no greeks.
    `premium_legs` name the combined premium of one structure for the chart page, none where it makes no candles of it.
    """

    missing: tuple[str, ...]
    notes: tuple[str, ...] = ()
    errors: Mapping[str, str] | None = None
    underlying: str | None = None
    structures: int = 1
    spot: Decimal | None = None
    first_expiry: date | None = None
    several_expiries: bool = False
    most_profit: End | None = None
    most_loss: End | None = None
    break_evens: tuple[BreakEven, ...] = ()
    net_premium: Decimal = ZERO
    why_not_before: str = ""
    whatif: WhatIfView | None = None
    rows: tuple[GreekRow, ...] = ()
    total: GreekTotal | None = None
    chart: str = ""
    premium_legs: tuple[str, ...] = ()


def payoff_view(desk: Desk, question: Asked | Mapping[str, str]) -> PayoffView:
    """Of the legs as asked; a mapping is a sentence for each field that cannot be read yet."""
    if not isinstance(question, Asked):
        return PayoffView(missing=("Some legs cannot be read yet.",), errors=question)
    return of_outlook(outlooks(desk).of(question.legs), question.structures, question.sliders)


def chart_legs(desk: Desk, legs: Sequence[LegSpec]) -> tuple[str, ...]:
    """The combined premium of one structure as the chart page is asked for it. Raises Refused saying why not."""
    outlook = outlooks(desk).of(legs)
    if outlook.missing:
        raise Refused(" ".join(outlook.missing))
    found = _premium_legs(outlook)
    if not found:
        raise Refused("No candles are made of so many legs, or of legs that cancel out.")
    return found


def outlooks(desk: Desk) -> Outlooks:
    return Outlooks(
        desk.contract_list, desk.chains, desk.prices, desk.hours, market_clock=desk.market_clock, clock=desk.clock
    )


def of_outlook(outlook: Outlook, structures: int, sliders: Sliders) -> PayoffView:
    """The outlook of one structure, `structures` times."""
    found, spot = outlook.payoff, outlook.spot
    if found is None or spot is None:
        return PayoffView(missing=outlook.missing, notes=outlook.notes, underlying=outlook.underlying)
    case = _case(outlook.held, sliders)
    there = (spot * Decimal(str(1 + sliders.spot / 100))).quantize(Decimal("0.01"))
    rows = _rows(outlook, structures, float(there), case)
    return PayoffView(
        missing=(),
        notes=outlook.notes,
        underlying=outlook.underlying,
        structures=structures,
        spot=spot,
        first_expiry=outlook.first_expiry,
        several_expiries=len({leg.contract.expiry for leg in outlook.legs}) > 1,
        most_profit=_end(found.max_profit, structures),
        most_loss=_end(found.max_loss, structures),
        break_evens=tuple(BreakEven(each, (each - spot) * 100 / spot if spot else None) for each in found.break_evens),
        net_premium=outlook.net_premium * structures,
        why_not_before=outlook.why_not_before,
        whatif=WhatIfView(
            spot=there,
            days=case.years / DAY_YEARS,
            days_left=None if outlook.held is None else horizon(outlook.held) / DAY_YEARS,
            volatility=sliders.volatility,
            then=None if outlook.held is None else _rupees(worth(outlook.held, float(there), case) * structures),
            at_expiry=_rupees(float(found.at(there)) * structures),
        ),
        rows=rows,
        total=_total(rows, outlook.legs),
        premium_legs=_premium_legs(outlook),
        chart=_chart(outlook, found, spot, structures, there, case),
    )


def _premium_legs(outlook: Outlook) -> tuple[str, ...]:
    """Sold legs count +."""
    ratios: dict[ContractKey, float] = {}
    for leg in outlook.legs:
        ratios[leg.contract.key] = ratios.get(leg.contract.key, 0.0) - leg.leg.side.sign * leg.leg.ratio
    try:
        return tuple(leg_texts(Subject(tuple((key, ratio) for key, ratio in ratios.items() if ratio))))
    except InvalidInput:
        return ()


def _case(held: Sequence[HeldLeg] | None, sliders: Sliders) -> WhatIf:
    """Never beyond the first expiry."""
    if held is None:
        return WhatIf()
    return WhatIf(min(sliders.days * DAY_YEARS, horizon(held)), sliders.volatility / 100)


def _end(amount: Decimal | None, structures: int) -> End:
    return End(ZERO if amount is None else amount * structures, amount is None)


def _rupees(value: float) -> Decimal:
    return Decimal(f"{value:.2f}")


def _rows(outlook: Outlook, structures: int, spot: float, case: WhatIf) -> tuple[GreekRow, ...]:
    labels = contract_labels(leg.contract for leg in outlook.legs)
    held: Sequence[HeldLeg | None] = outlook.held or [None] * len(outlook.legs)
    return tuple(
        _row(leg, labels[leg.contract.key], structures, None if model is None else greeks(model, spot, case))
        for leg, model in zip(outlook.legs, held, strict=True)
    )


def _row(leg: PricedLeg, label: str, structures: int, found: Greeks | None) -> GreekRow:
    units = leg.units * structures
    return GreekRow(
        number=leg.number,
        contract=label,
        side=leg.leg.side.value,
        lots=leg.leg.ratio * structures,
        units=abs(units),
        entry=leg.entry,
        age_s=leg.age_s,
        is_typed=leg.entry != leg.market,
        is_young=leg.is_young,
        iv=None if leg.volatility is None else Decimal(f"{leg.volatility * 100:.2f}"),
        per_unit=found,
        delta=None if found is None else found.delta * units,
        delta_lots=None if found is None else found.delta * units / leg.contract.lot_size,
        gamma=None if found is None else found.gamma * units,
        theta=None if found is None else found.theta * units,
        vega=None if found is None else found.vega * units,
    )


def _total(rows: Sequence[GreekRow], legs: Sequence[PricedLeg]) -> GreekTotal | None:
    if any(row.per_unit is None for row in rows):
        return None
    delta = sum(row.delta or 0.0 for row in rows)
    lots = {leg.contract.lot_size for leg in legs}
    return GreekTotal(
        delta=delta,
        delta_lots=delta / lots.pop() if len(lots) == 1 else None,
        gamma=sum(row.gamma or 0.0 for row in rows),
        theta=sum(row.theta or 0.0 for row in rows),
        vega=sum(row.vega or 0.0 for row in rows),
    )


def _chart(outlook: Outlook, found: Payoff, spot: Decimal, structures: int, there: Decimal, case: WhatIf) -> str:
    """Columns for the picture: the index, rupees at the first expiry, rupees on the day of the slider or null."""
    strikes = {leg.contract.strike for leg in outlook.legs if leg.contract.strike is not None}
    drawn = [each for each in found.break_evens if abs(each - spot) <= spot * FARTHEST]
    sigma = None if outlook.deviation is None else Decimal(f"{outlook.deviation:.2f}")
    reach = max(spot * REACH, (sigma or ZERO) * Decimal("2.2"))
    low = min([*strikes, *drawn, there, spot - reach])
    high = max([*strikes, *drawn, there, spot + reach])
    low, high = max(ZERO, low - (high - low) / 20), high + (high - low) / 20
    even = {low + (high - low) * step / PLACES for step in range(PLACES + 1)}
    places = sorted({*even, *(each for each in (*strikes, *drawn, there) if low <= each <= high)})
    held = outlook.held
    return json.dumps(
        {
            "spots": [round(float(each), 2) for each in places],
            "expiry": [round(float(found.at(each)) * structures, 2) for each in places],
            "day": None if held is None else [round(worth(held, float(each), case) * structures, 2) for each in places],
            "spot": float(spot),
            "there": float(there),
            "breakEvens": [round(float(each), 2) for each in drawn],
            "deviation": None if sigma is None else float(sigma),
        }
    )
