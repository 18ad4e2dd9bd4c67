"""What a live message says of each cell: the same words that the page was rendered with."""

from collections.abc import Mapping
from decimal import Decimal

from app.domain import wording
from app.services.chain_view import ChainSide, ChainTotals, ChainView
from app.services.feed_state import FeedPhase

Cell = str | Mapping[str, object]
Cells = dict[str, Cell]

FEED_WORDS = {
    FeedPhase.LIVE: "Feed live",
    FeedPhase.LATE: "Feed late",
    FeedPhase.LOST: "Feed lost",
    FeedPhase.OFF: "No feed",
}


def tone(value: Decimal | None) -> str:
    if value is None:
        return "none"
    if value == 0:
        return "flat"
    return "up" if value > 0 else "down"


def delta(value: Decimal | None) -> str:
    """Two decimals with a sign: `+1.25`, `−0.40`, `0.00`."""
    plus = "+" if value is not None and value > 0 else ""
    return plus + wording.price(value)


def percent(value: Decimal | None) -> Cell:
    return {"text": delta(value) + ("" if value is None else "%"), "tone": tone(value)}


def profit(value: Decimal | None) -> Cell:
    """Profit and loss in whole rupees; one that nobody can say is unknown and not 0."""
    return {"text": "unknown" if value is None else wording.signed(value), "tone": tone(value)}


def chain_cells(view: ChainView) -> Cells:
    """Everything on a chain page that changes, ages left out: those are told by `ages`."""
    cells: Cells = {"spot.ltp": wording.price(view.spot), "spot.chg": _spot_change(view)}
    for row in view.rows:
        for kind, side in (("CE", row.ce), ("PE", row.pe)):
            if side is not None:
                cells |= _side_cells(f"{row.strike}.{kind}", side)
    return cells | _total_cells(view.totals)


def ages(view: ChainView) -> dict[str, float | None]:
    """Age in seconds of each price on the page, by the key of its cell; None where there is no price."""
    found: dict[str, float | None] = {"chain.age": view.age_s}
    for row in view.rows:
        for kind, side in (("CE", row.ce), ("PE", row.pe)):
            if side is not None:
                found[f"{row.strike}.{kind}.age"] = side.age_s
    return found


def marks(view: ChainView) -> dict[str, str]:
    """Which rows carry the ATM mark and the spot line; left out where there is none."""
    found: dict[str, str] = {}
    if view.atm is not None:
        found["atm"] = str(view.atm)
    for row in view.rows:
        if row.spot_before:
            found["spot_before"] = str(row.strike)
    return found


def _side_cells(key: str, side: ChainSide) -> Cells:
    return {
        f"{key}.ltp": wording.price(side.ltp),
        f"{key}.chg": {"text": delta(side.change), "tone": tone(side.change)},
        f"{key}.bid": wording.price(side.bid),
        f"{key}.ask": wording.price(side.ask),
        f"{key}.vol": wording.inr_short(side.volume),
        f"{key}.oi": {"text": wording.inr_short(side.oi), "bar": side.oi_bar},
    }


def _total_cells(totals: ChainTotals | None) -> Cells:
    if totals is None:
        return {}
    return {
        "totals.pcr": wording.price(totals.pcr),
        "totals.max_pain": wording.price(totals.max_pain).removesuffix(".00"),
        "totals.straddle": wording.price(totals.straddle),
        "totals.call_oi": wording.inr_short(totals.call_oi),
        "totals.put_oi": wording.inr_short(totals.put_oi),
    }


def _spot_change(view: ChainView) -> Cell:
    change = view.spot_change
    if change is None:
        return {"text": wording.UNKNOWN, "tone": "none"}
    arrow = {"up": "▲ ", "down": "▼ "}.get(tone(change), "")
    return {"text": f"{arrow}{delta(change)} ({delta(view.spot_change_pct)}%)", "tone": tone(change)}
