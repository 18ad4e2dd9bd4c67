"""A chain that was told some time ago: every age in it has grown, and what only young prices allow is gone."""

from dataclasses import replace

from app.domain import wording
from app.domain.parity import NEAREST, Pair, middle, parity_forward
from app.services.chain_rows import straddle_of, volatility_of
from app.services.chain_view import NO_FORWARD, STALE_S, ChainRow, ChainSide, ChainTotals, ChainView, staleness
from app.services.feed_news import DOUBTED_AFTER_S


def aged(view: ChainView, seconds: float) -> ChainView:
    """The view so many seconds after it was told, by the limits under which its own process would show it then."""
    rows = tuple(replace(row, ce=_side(row.ce, seconds), pe=_side(row.pe, seconds)) for row in view.rows)
    synthetic, why_not = view.synthetic, view.no_greeks
    if synthetic is not None and _forward(rows, view) is None:
        synthetic, why_not = None, why_not or NO_FORWARD
        rows = tuple(replace(row, ce=_without(row.ce), pe=_without(row.pe)) for row in rows)
    return replace(
        view,
        spot_age_s=_later(view.spot_age_s, seconds),
        age_s=_later(view.age_s, seconds),
        synthetic=synthetic,
        no_greeks=why_not,
        note=_note(view.note, seconds),
        told_age_s=seconds,
        rows=rows,
        totals=None if view.totals is None else _totals(view.totals, rows),
    )


def _totals(totals: ChainTotals, rows: tuple[ChainRow, ...]) -> ChainTotals:
    """What rests on open interest and volume stays: that of a chain is told anew long before it would be forgotten."""
    return replace(totals, straddle=straddle_of(rows), atm_iv=volatility_of(rows))


def _side(side: ChainSide | None, seconds: float) -> ChainSide | None:
    if side is None:
        return None
    grown = replace(
        side,
        age_s=(age_s := _later(side.age_s, seconds)),
        touch_age_s=_later(side.touch_age_s, seconds),
        staleness=staleness(age_s),
    )
    is_young = _middle(grown) is not None or (age_s is not None and age_s < STALE_S)
    return grown if is_young else replace(grown, figures=None)


def _without(side: ChainSide | None) -> ChainSide | None:
    return None if side is None else replace(side, figures=None)


def _forward(rows: tuple[ChainRow, ...], view: ChainView) -> float | None:
    spot = view.spot
    if spot is None:
        return None
    nearest = sorted(rows, key=lambda row: abs(row.strike - spot))[:NEAREST]
    return parity_forward([_pair(row) for row in nearest])


def _pair(row: ChainRow) -> Pair | None:
    call, put = (None if side is None else _middle(side) for side in row.sides)
    return None if call is None or put is None else Pair(float(row.strike), call, put)


def _middle(side: ChainSide) -> float | None:
    bid, ask = (None if each is None else float(each) for each in (side.bid, side.ask))
    return middle(bid, ask, side.touch_age_s, oldest_s=STALE_S)


def _note(note: str | None, seconds: float) -> str | None:
    if seconds <= DOUBTED_AFTER_S:
        return note
    silent = f"The engine, in another process, has told nothing for {wording.age(seconds)}: all of this is that old."
    return f"{silent} {note}" if note else silent


def _later(age_s: float | None, seconds: float) -> float | None:
    return None if age_s is None else age_s + seconds
