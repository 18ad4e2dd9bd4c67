"""What the list of strategies shows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from app.domain.calendar import trading_date
from app.domain.copied import copy_name
from app.domain.entry_times import next_start
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeRule
from app.domain.trading_states import Scope, TradingState
from app.services.run_board import RunView
from app.services.scheduled_starts import LastStart
from app.services.strategies import SavedStrategy
from app.strategies.typed import plain
from app.web.desk import Desk
from app.web.market_time import market_now
from app.web.run_words import run_state
from app.web.signed_in import SignedIn

HALT_WORDS = {TradingState.HALTED: "Halted", TradingState.REDUCE_ONLY: "Only exits"}
_OVER = frozenset({"CLOSED", "REFUSED"})


@dataclass(frozen=True, slots=True)
class RunLine:
    """The run a strategy is in now. `mtm` is None while a held contract has no fresh price."""

    id: int
    state: str
    mtm: Decimal | None


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """When it starts next by itself, None for never more; what became of the last one, in words, None before any."""

    next: str | None
    last: str | None
    last_run: int | None
    is_armed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyLine:
    """`halted` says what holds entries of this strategy back, `Only exits` or `Halted`; None for nothing of its own.

    `note` is the first line of its notes, `notes` all of them, empty for none; `copy_name` a free name for a copy.
    """

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
    schedule: ScheduleLine | None
    halted: str | None = None
    note: str = ""
    notes: str = ""
    copy_name: str


def list_page(desk: Desk, viewer: SignedIn) -> dict[str, object]:
    runs: dict[int, RunView] = {}
    for run in desk.today.runs(viewer):  # newest first: an older one of the same strategy does not replace it
        if run.state not in _OVER and run.user_id == viewer.id and run.strategy_id is not None:
            runs.setdefault(run.strategy_id, run)
    kept = desk.strategies.all_of(viewer.id)
    last = desk.scheduled.last_of(saved.id for saved in kept)
    members = {group.id: group.members for group in desk.groups.shown_to(viewer)}
    halted = {
        each.scope_id: HALT_WORDS[each.state]
        for each in desk.kill_switch.standings(viewer)
        if each.scope is Scope.STRATEGY
    }
    names = {saved.spec.name for saved in kept}
    lines = [
        replace(
            _line(desk, saved, runs.get(saved.id), last.get(saved.id), names),
            accounts=_accounts(saved, members),
            halted=halted.get(saved.id),
        )
        for saved in kept
    ]
    return {"strategies": lines}


def _accounts(saved: SavedStrategy, members: Mapping[int, frozenset[int]]) -> int:
    """How many take part, each once."""
    return len(set(saved.multipliers).union(*(members.get(each, frozenset()) for each in saved.groups)))


def _schedule(desk: Desk, saved: SavedStrategy, last: LastStart | None) -> ScheduleLine | None:
    """None for a strategy that does not start by itself and never did."""
    now = market_now(desk)
    if saved.spec.times.start is None and last is None:
        return None
    is_over = now is not None and last is not None and last.day == trading_date(now)
    coming = None if now is None else next_start(saved.spec.times, now, is_today_over=is_over)
    words = None if coming is None else f"{coming:%d %b %H:%M}"
    return ScheduleLine(words, None if last is None else last.words(), last.run_id if last else None, saved.is_armed)


def _line(
    desk: Desk, saved: SavedStrategy, run: RunView | None, last: LastStart | None, names: Collection[str]
) -> StrategyLine:
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
        schedule=_schedule(desk, saved, last),
        note=saved.notes.partition("\n")[0],
        notes=saved.notes,
        copy_name=copy_name(saved.spec.name, names),
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
