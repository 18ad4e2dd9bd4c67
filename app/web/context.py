"""What the frame of every page shows: mode, indices, clock, feed and today's MTM."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask import Flask, g
from flask_login import current_user

from app.web.idempotency import new_key


@dataclass(frozen=True, slots=True)
class IndexView:
    """`change_pct` against the previous close."""

    name: str
    ltp: Decimal | None
    change_pct: Decimal | None


@dataclass(frozen=True, slots=True)
class ClockView:
    now: datetime | None
    phase: str
    note: str


@dataclass(frozen=True, slots=True)
class FeedView:
    """`state`: live, late, lost or off. `source` is the account it comes from, None when there is none."""

    state: str
    age_s: float | None
    source: str | None


@dataclass(frozen=True, slots=True)
class FrameView:
    """`mode` is LIVE as soon as one account of real money is there, then PAPER, then SIM."""

    mode: str
    indices: tuple[IndexView, ...]
    clock: ClockView
    feed: FeedView
    mtm: Decimal | None


BLANK = FrameView("PAPER", (), ClockView(None, "unknown", "Session unknown"), FeedView("off", None, None), None)
"""For whoever is not signed in, and for pages about errors: nobody's figures."""


def install_context(app: Flask) -> None:
    app.jinja_env.globals["idempotency_key"] = new_key
    app.context_processor(_frame)


def _frame() -> dict[str, object]:
    if g.get("bare_page") or not current_user.is_authenticated:
        return {"desk": BLANK}
    return {"desk": BLANK}
