"""What the list of strategies shows."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeRule
from app.services.run_board import RunView
from app.services.strategies import SavedStrategy
from app.strategies.typed import plain
from app.web.desk import Desk
from app.web.run_words import run_state
from app.web.signed_in import SignedIn

_OVER = frozenset({"CLOSED", "REFUSED"})


@dataclass(frozen=True, slots=True)
class RunLine:
    """The run a strategy is in now. `mtm` is None while a held contract has no fresh price."""

    id: int
    state: str
    mtm: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyLine:
    id: int
    name: str
    summary: str
    legs: int
    accounts: int
    structures: int
    max_loss: Decimal | None
    max_profit: Decimal | None
    updated_at: datetime
    run: RunLine | None


def list_page(desk: Desk, viewer: SignedIn) -> dict[str, object]:
    runs: dict[int, RunView] = {}
    for run in desk.today.runs(viewer):  # newest first: an older one of the same strategy does not replace it
        if run.state not in _OVER and run.user_id == viewer.id and run.strategy_id is not None:
            runs.setdefault(run.strategy_id, run)
    return {"strategies": [_line(desk, saved, runs.get(saved.id)) for saved in desk.strategies.all_of(viewer.id)]}


def _line(desk: Desk, saved: SavedStrategy, run: RunView | None) -> StrategyLine:
    return StrategyLine(
        id=saved.id,
        name=saved.spec.name,
        summary=summary(saved.spec),
        legs=len(saved.spec.legs),
        accounts=len(saved.multipliers),
        structures=saved.spec.structures,
        max_loss=saved.spec.max_loss,
        max_profit=saved.spec.max_profit,
        updated_at=saved.changed_at,
        run=None if run is None else RunLine(run.run_id, run_state(run.state), desk.run_board.pnl(run).total),
    )


def summary(spec: StrategySpec) -> str:
    """The legs in one line: `NIFTY current week MIS: sell ATM CE, sell 2 x OTM 4 PE`."""
    groups: dict[str, list[str]] = {}
    for leg in spec.legs:
        when = leg.expiry.value.replace("_", " ") if isinstance(leg.expiry, ExpiryWord) else f"{leg.expiry:%d %b %y}"
        groups.setdefault(f"{leg.underlying} {when} {leg.product.value}", []).append(_leg(leg))
    return "; ".join(f"{group}: {', '.join(legs)}" for group, legs in groups.items())


def _leg(leg: LegSpec) -> str:
    times = f"{leg.ratio} x " if leg.ratio > 1 else ""
    strike = "" if leg.strike is None else f"{_strike(leg.strike)} "
    return f"{leg.side.value.lower()} {times}{strike}{leg.kind.value}"


def _strike(rule: StrikeRule) -> str:
    if rule.value is None:
        return rule.method.value
    words = {"STRIKE": "", "PREMIUM_NEAR": "near ₹"}
    return f"{words.get(rule.method.value, f'{rule.method.value} ')}{plain(rule.value)}"
