"""What a live message says of each cell: the same words that the page was rendered with."""

from collections.abc import Mapping
from decimal import Decimal

from app.domain import wording
from app.services.chain_view import ChainTotals, ChainView
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


def percent(value: Decimal | None) -> Cell:
    return {"text": wording.signed_price(value) + ("" if value is None else "%"), "tone": tone(value)}


def profit(value: Decimal | None) -> Cell:
    """Profit and loss in whole rupees; one that nobody can say is unknown and not 0."""
    return {"text": "unknown" if value is None else wording.signed(value), "tone": tone(value)}


def chain_cells(view: ChainView) -> Cells:
    """What a chain page shows beside its rows, ages left out."""
    synthetic, future = view.synthetic, view.future
    cells: Cells = {
        "spot.ltp": wording.price(view.spot),
        "spot.chg": _spot_change(view),
        "synthetic.price": wording.price(None if synthetic is None else synthetic.price),
        "synthetic.basis": wording.signed_price(None if synthetic is None else synthetic.basis),
        "synthetic.atm": _strike(None if synthetic is None else synthetic.atm),
        "future.ltp": wording.price(None if future is None else future.ltp),
        "future.basis": wording.signed_price(None if future is None else future.basis),
        "chain.no_greeks": view.no_greeks or "",
        "chain.oi_doubted": "" if not view.oi_doubted else f"{view.oi_doubted} figures of open interest not believed",
    }
    return cells | _total_cells(view.totals)


def marks(view: ChainView) -> dict[str, str]:
    """Which rows carry the ATM mark and the spot line; left out where there is none."""
    found: dict[str, str] = {}
    if view.atm is not None:
        found["atm"] = str(view.atm)
    for row in view.rows:
        if row.spot_before:
            found["spot_before"] = str(row.strike)
    return found


def _total_cells(totals: ChainTotals | None) -> Cells:
    if totals is None:
        return {}
    return {
        "totals.pcr": wording.price(totals.pcr),
        "totals.pcr_volume": wording.price(totals.pcr_volume),
        "totals.max_pain": _strike(totals.max_pain),
        "totals.straddle": wording.price(totals.straddle),
        "totals.atm_iv": wording.fixed(totals.atm_iv, 1) + ("" if totals.atm_iv is None else "%"),
        "totals.call_oi": wording.inr_short(totals.call_oi),
        "totals.put_oi": wording.inr_short(totals.put_oi),
        "totals.oi_strikes": f"{totals.oi_strikes} of {totals.listed} strikes",
        "totals.volume_strikes": f"{totals.volume_strikes} of {totals.listed} strikes",
    }


def _strike(value: Decimal | None) -> str:
    return wording.price(value).removesuffix(".00")


def _spot_change(view: ChainView) -> Cell:
    change = view.spot_change
    if change is None:
        return {"text": wording.UNKNOWN, "tone": "none"}
    arrow = {"up": "▲ ", "down": "▼ "}.get(tone(change), "")
    return {
        "text": f"{arrow}{wording.signed_price(change)} ({wording.signed_price(view.spot_change_pct)}%)",
        "tone": tone(change),
    }
