"""What the chart page shows: candles of a contract or a combination, the Supertrend over them, and what is missing."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from app.domain import wording
from app.domain.calendar import IST
from app.domain.candles import NOTHING, SIZES, Candle
from app.domain.contracts import UNDERLYINGS, ContractKey
from app.domain.errors import Conflict, InvalidInput
from app.domain.supertrend import (
    MULTIPLIERS,
    PERIODS,
    UNKNOWN,
    UP,
    WARM_UP_PERIODS,
    Supertrend,
    SupertrendExit,
    TrendTurn,
)
from app.services.candle_series import Subject
from app.services.candle_store import CandleView
from app.services.run_board import RunView
from app.services.supertrend_watch import premium_of, subject_of
from app.web.candle_subject import leg_texts, minutes_in, subject_in
from app.web.desk import Desk

_SPOTS = {underlying.spot: underlying.name for underlying in UNDERLYINGS}
_MULTIPLIER = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class ChartAsked:
    """`period` and `multiplier` are of the Supertrend."""

    subject: Subject
    minutes: int
    period: int
    multiplier: float


@dataclass(frozen=True, slots=True)
class LegWords:
    """`ratio` is signed: sold legs of a combined premium count +. `text` is the leg as an address names it."""

    name: str
    ratio: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartView:
    """What docs/view-models.md calls `chart`.

    `trend` is up or down, None while it is unknown; `wanting` more candles make it count. `gaps` counts candles of
    which part was not seen. `last` is the close of the newest complete candle. `trouble` and `note` are empty when
    nothing is wrong. `data` is JSON for the picture, empty without candles.
    """

    legs: list[LegWords]
    is_combined: bool
    minutes: int
    sizes: tuple[int, ...]
    period: int
    multiplier: float
    candles: int
    gaps: int
    last: Decimal | None
    last_closed: str | None
    growing: Decimal | None
    line: Decimal | None
    trend: str | None
    wanting: int
    trouble: str
    note: str
    data: str


def asked_in(desk: Desk, query: MultiDict[str, str]) -> ChartAsked | None:
    """None where no leg is named. Raises InvalidInput naming the part, NotFound for a contract that is not listed."""
    legs = query.getlist("leg")
    if not legs:
        return None
    for name in ("minutes", "period", "multiplier"):
        if len(query.getlist(name)) > 1:
            raise InvalidInput(name, f"{name} stands in this address more than once. Follow the link again.")
    subject = subject_in(legs, desk.contract_list.listed)
    return ChartAsked(
        subject,
        minutes_in(query.get("minutes", "5")),
        _period(query.get("period", "10")),
        _multiplier(query.get("multiplier", "3")),
    )


def chart_view(desk: Desk, asked: ChartAsked) -> ChartView:
    """A combined premium is made of its minutes' closes, as the rule of a run judges it. Raises InvalidInput."""
    subject = asked.subject
    try:
        view = desk.candles.view(subject, asked.minutes, of_closes=not subject.is_plain)
    except Conflict as no:
        view = CandleView(subject, asked.minutes, None, (), (), str(no), "")
    return of_candles(view, asked, _names(desk, subject))


def chart_of_run(desk: Desk, view: RunView) -> ChartView | None:
    """What its rule judges, else the premium of one structure; None where there is nothing to make candles of."""
    rule = view.exits.supertrend or SupertrendExit(TrendTurn.BREAKOUT)
    subject = subject_of(view) or premium_of(view)
    if subject is None:
        return None
    return chart_view(desk, ChartAsked(subject, rule.minutes, rule.period, rule.multiplier))


def of_candles(view: CandleView, asked: ChartAsked, names: list[str]) -> ChartView:
    lines, trend = _trend(view.candles, asked)
    complete = [each for each in view.ended if each.prices is not None]
    last = complete[-1] if complete else None
    growing = view.growing
    return ChartView(
        legs=[
            LegWords(name, ratio, text)
            for name, (_, ratio), text in zip(names, view.subject.legs, leg_texts(view.subject), strict=True)
        ],
        is_combined=not view.subject.is_plain,
        minutes=view.size,
        sizes=SIZES,
        period=asked.period,
        multiplier=asked.multiplier,
        candles=len(view.candles),
        gaps=sum(each.unseen > NOTHING for each in view.candles),
        last=None if last is None or last.prices is None else _price(last.prices.close),
        last_closed=None if last is None else f"{last.closes.astimezone(IST):%H:%M}",
        growing=None if growing is None or growing.prices is None else _price(growing.prices.close),
        line=None if trend.direction == UNKNOWN else _price(trend.line),
        trend=None if trend.direction == UNKNOWN else "up" if trend.direction == UP else "down",
        wanting=max(0, WARM_UP_PERIODS * asked.period - trend.bars),
        trouble=view.trouble,
        note=view.note,
        data=_data(view.candles, lines) if view.candles else "",
    )


def _trend(candles: Iterable[Candle], asked: ChartAsked) -> tuple[list[tuple[float, int] | None], Supertrend]:
    """Line and direction at each candle, None where there is none; of complete candles alone, as rules judge."""
    trend = Supertrend(asked.period, asked.multiplier)
    lines: list[tuple[float, int] | None] = []
    for candle in candles:
        if candle.prices is None or not candle.is_complete:
            lines.append(None)
            continue
        direction = trend.add(candle.prices.high, candle.prices.low, candle.prices.close)
        lines.append(None if direction == UNKNOWN else (trend.line, direction))
    return lines, trend


def _data(candles: Iterable[Candle], lines: Iterable[tuple[float, int] | None]) -> str:
    """For each candle: opens, open, high, low, close, line, direction, 1 where part was unseen, 1 while it grows."""
    rows = []
    for candle, line in zip(candles, lines, strict=True):
        prices = candle.prices
        four = [None] * 4 if prices is None else [prices.open, prices.high, prices.low, prices.close]
        at, way = (None, 0) if line is None else (round(line[0], 2), line[1])
        opens = int(candle.opens.timestamp())
        rows.append([opens, *four, at, way, int(candle.unseen > NOTHING), int(not candle.is_complete)])
    return json.dumps(rows)


def _names(desk: Desk, subject: Subject) -> list[str]:
    return [_name(desk, key) for key, _ in subject.legs]


def _name(desk: Desk, key: ContractKey) -> str:
    if key in _SPOTS:
        return _SPOTS[key]
    contract = desk.contract_list.listed(key)
    return key.symbol if contract is None else wording.contract_name(contract)


def _price(value: float) -> Decimal:
    return Decimal(f"{value:.2f}")


def _period(text: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", text) or not PERIODS[0] <= int(text) <= PERIODS[1]:
        raise InvalidInput("period", f"The period of the Supertrend is {PERIODS[0]} to {PERIODS[1]} candles.")
    return int(text)


def _multiplier(text: str) -> float:
    if not _MULTIPLIER.fullmatch(text) or not MULTIPLIERS[0] <= float(text) <= MULTIPLIERS[1]:
        raise InvalidInput("multiplier", f"The multiplier is {MULTIPLIERS[0]:g} to {MULTIPLIERS[1]:g} true ranges.")
    return float(text)
