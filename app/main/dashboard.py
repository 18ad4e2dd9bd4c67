"""What the dashboard shows: today's money, accounts with trouble first, runs, events."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from math import ceil

from flask import url_for
from sqlalchemy import select

from app.domain.calendar import trading_date
from app.persistence.tables import Position
from app.services.account_health import AccountHealth, HealthState
from app.services.accounts import AccountRow
from app.services.run_board import RunView
from app.services.run_charges import FREE, Cost, costs_together
from app.services.today import Worth
from app.web.account_choice import chosen_accounts
from app.web.account_words import latency_of, mode_word, reason_of, state_word, trouble_rank
from app.web.contract_names import contract_labels
from app.web.desk import Desk
from app.web.foreign import foreign_positions
from app.web.owners import owners_of
from app.web.run_cost import RunCost, cost_view
from app.web.run_events import Said, once, with_names
from app.web.run_words import event_tone, run_state
from app.web.signed_in import SignedIn

LOOKED_AT = 200
SHOWN = 10
OF_ORDERS = frozenset({"filled", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerView:
    """Money of the accounts that report, since the day's baseline; `missing` names the others. `cost` is the day's.

    `baseline` is what `carried` runs of earlier days were worth when the day began.
    """

    total: Decimal | None
    cost: RunCost
    realised: Decimal | None
    unrealised: Decimal | None
    accounts_counted: int
    accounts_total: int
    missing: list[str]
    trades: int | None
    positions: int | None
    baseline: Decimal
    carried: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """`is_stale` says that funds and margin are the last known ones, not the present. `foreign` counts positions that
    nobody here explains and nobody ignores. Money is since the day's baseline, which is `baseline` for `carried` runs.
    """

    id: int
    name: str
    broker: str
    state: str
    reason: str | None
    mode: str | None
    funds: Decimal | None
    used: Decimal | None
    used_pct: int | None
    realised: Decimal | None
    unrealised: Decimal | None
    mtm: Decimal | None
    baseline: Decimal
    carried: int
    cost: RunCost
    positions: int | None
    foreign: int
    latency_ms: int | None
    is_stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryView:
    count: int
    in_sync: int
    trouble: int
    funds: Decimal | None
    used: Decimal | None
    used_pct: int | None
    realised: Decimal | None
    unrealised: Decimal | None
    mtm: Decimal | None
    cost: RunCost
    positions: int | None
    latency_ms: int | None


@dataclass(frozen=True, slots=True)
class RuleView:
    name: str
    threshold: Decimal
    distance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """`mtm` is since the run began, as its rules count it; `carried_from` is that day where it is an earlier one."""

    id: int
    strategy_name: str
    owner: str | None
    state: str
    underlying: str
    expiry: date | None
    accounts: int
    lots: int
    units: int
    mtm: Decimal | None
    carried_from: date | None
    trouble: str | None
    nearest_rule: RuleView | None


@dataclass(frozen=True, slots=True)
class EventView:
    at: datetime
    tone: str
    title: str
    detail: str | None
    url: str | None


def dashboard_page(desk: Desk, viewer: SignedIn, asked: str = "") -> dict[str, object]:
    """`asked` names accounts, as `group:1`; empty for all. Raises InvalidInput for what is not there or not theirs."""
    chosen = chosen_accounts(desk, viewer, asked)
    accounts, ids = chosen.accounts, chosen.ids if asked else None
    whole = {run.run_id: run for run in desk.today.runs(viewer)}
    runs = [part for run in whole.values() if (part := _within(run, ids)) is not None]
    positions = _positions(desk)
    foreign = foreign_positions(desk, [account.id for account in accounts])
    today = desk.today.market_date()
    costs = {} if today is None else desk.days.costs.of(runs, today)
    lines = [
        _account(desk, account, runs, positions.get(account.id), foreign[account.id], costs.get(account.id, FREE))
        for account in accounts
    ]
    cost = costs_together(costs[line.id] for line in lines if line.mtm is not None and line.id in costs)
    living = [run for run in runs if run.state not in {"CLOSED", "REFUSED"}]
    owners = owners_of(desk, {run.user_id for run in living} - {viewer.id})
    lines.sort(key=lambda line: (trouble_rank(line.state), natural(line.name)))
    return {
        "chosen": chosen if asked or desk.groups.shown_to(viewer) else None,
        "banner": _banner(desk, runs, lines, cost, desk.today.fills(viewer, ids) if lines else None),
        "accounts": lines,
        "accounts_summary": _summary(lines, cost) if lines else None,
        "runs": [_run(desk, run, owners.get(run.user_id), whole[run.run_id], today) for run in living],
        "events": _events(desk, viewer, runs, only_these=bool(asked)),
        "simulator_offered": viewer.is_admin and desk.accounts.simulator_offered(),
    }


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sorts as people count: `Simulator 2` before `Simulator 10`."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def _within(run: RunView, account_ids: frozenset[int] | None) -> RunView | None:
    """The part of a run that is in these accounts, None where it has none; all of it where any account is meant."""
    if account_ids is None:
        return run
    accounts = tuple(account for account in run.accounts if account.account_id in account_ids)
    return replace(run, accounts=accounts) if accounts else None


def _positions(desk: Desk) -> dict[int, int]:
    """Positions that are not flat as last read, by account; an account never read is not in it."""
    with desk.database.reading() as session:
        rows = session.execute(select(Position.account_id, Position.net)).all()
    counts: dict[int, int] = {}
    for account_id, net in rows:
        counts[account_id] = counts.get(account_id, 0) + (1 if net else 0)
    return counts


def _account(
    desk: Desk, account: AccountRow, runs: list[RunView], positions: int | None, foreign: int, cost: Cost
) -> AccountLine:
    health = desk.health.of(account.id)
    worth = desk.today.worth(runs, account.id)
    available, used = _funds(health)
    return AccountLine(
        id=account.id,
        name=account.name,
        broker=account.broker,
        state=state_word(account, health),
        reason=reason_of(account, health, live_sending=desk.settings.live_sending),
        mode=mode_word(account, health.mode),
        funds=available,
        used=used,
        used_pct=_share(used, available),
        realised=worth.realised,
        unrealised=worth.unrealised,
        mtm=worth.total,
        baseline=worth.baseline,
        carried=worth.carried,
        cost=cost_view(cost, worth.total),
        positions=0 if positions is None and health.state is HealthState.OK else positions,
        foreign=foreign,
        latency_ms=latency_of(health),
        is_stale=health.state is HealthState.UNREACHABLE,
    )


def _funds(health: AccountHealth) -> tuple[Decimal | None, Decimal | None]:
    return (None, None) if health.funds is None else (health.funds.available, health.funds.used)


def _share(used: Decimal | None, available: Decimal | None) -> int | None:
    """Used margin in whole percent of what there is in all; None when either is unknown or there is nothing."""
    if used is None or available is None or used + available <= 0:
        return None
    return max(0, min(100, round(used * 100 / (used + available))))


def _sum(figures: list[Decimal | None]) -> Decimal | None:
    """Of the known ones; None when none is."""
    known = [figure for figure in figures if figure is not None]
    return sum(known, Decimal(0)) if known else None


def _banner(desk: Desk, runs: list[RunView], lines: list[AccountLine], cost: Cost, trades: int | None) -> BannerView:
    """An account whose figures cannot be known is left out of the total, and named."""
    missing = [line for line in lines if line.mtm is None]
    counted = [line for line in lines if line.mtm is not None]
    worth = Worth(None, None, None)
    if not missing:
        worth = desk.today.worth(runs)
    elif counted:
        these = frozenset(line.id for line in counted)
        worth = desk.today.worth([part for run in runs if (part := _within(run, these)) is not None])
    known = [line.positions for line in lines if line.positions is not None]
    total = worth.total if lines else None
    return BannerView(
        total=total,
        cost=cost_view(cost, total),
        realised=worth.realised if counted else None,
        unrealised=worth.unrealised if lines else None,
        accounts_counted=len(counted),
        accounts_total=len(lines),
        missing=[line.name for line in missing],
        trades=trades,
        positions=sum(known) if known else None,
        baseline=worth.baseline,
        carried=worth.carried,
    )


def _summary(lines: list[AccountLine], cost: Cost) -> SummaryView:
    well = sum(1 for line in lines if line.state == "in_sync")
    funds, used = _sum([line.funds for line in lines]), _sum([line.used for line in lines])
    latencies = sorted(line.latency_ms for line in lines if line.latency_ms is not None)
    known = [line.positions for line in lines if line.positions is not None]
    mtm = _sum([line.mtm for line in lines])
    return SummaryView(
        count=len(lines),
        in_sync=well,
        trouble=sum(1 for line in lines if line.state not in {"in_sync", "paused", "catching_up"}),
        funds=funds,
        used=used,
        used_pct=_share(used, funds),
        realised=_sum([line.realised for line in lines]),
        unrealised=_sum([line.unrealised for line in lines]),
        mtm=mtm,
        cost=cost_view(cost, mtm),
        positions=sum(known) if known else None,
        latency_ms=latencies[ceil(len(latencies) * 0.95) - 1] if latencies else None,
    )


def _run(desk: Desk, run: RunView, owner: str | None, whole: RunView, today: date | None) -> RunLine:
    """Figures of the part that is shown; its rules judge the whole of it."""
    mtm = desk.today.since_begun(run)
    begun = trading_date(run.started_at or run.requested_at)
    contracts = [cell.contract for cell in run.cells]
    return RunLine(
        id=run.run_id,
        strategy_name=run.name,
        owner=owner,
        state=run_state(run.state),
        underlying=" + ".join(dict.fromkeys(contract.underlying for contract in contracts)),
        expiry=min((contract.expiry for contract in contracts), default=None),
        accounts=len(run.accounts),
        lots=sum(cell.lots for cell in run.cells),
        units=sum(cell.units for cell in run.cells),
        mtm=mtm,
        carried_from=begun if today is not None and begun < today else None,
        trouble=_trouble(run),
        nearest_rule=_nearest_rule(run, mtm if run is whole else desk.today.since_begun(whole)),
    )


def _trouble(run: RunView) -> str | None:
    unknown = sum(1 for cell in run.cells if cell.unknown)
    if unknown:
        return f"{unknown} {'order' if unknown == 1 else 'orders'} unknown"
    return run.reason if run.state == "ATTENTION" else None


def _nearest_rule(run: RunView, total: Decimal | None) -> RuleView | None:
    """The rule that would fire first; None without rules, or while the total is not known."""
    if total is None:
        return None
    rules = []
    if run.max_loss is not None:
        rules.append(RuleView("Max loss", -run.max_loss, total + run.max_loss))
    if run.max_profit is not None:
        rules.append(RuleView("Max profit", run.max_profit, run.max_profit - total))
    return min(rules, key=lambda rule: rule.distance, default=None)


def _events(desk: Desk, viewer: SignedIn, runs: Sequence[RunView], *, only_these: bool) -> list[EventView]:
    """The newest 10, without the fills and cancels of orders: each run's own page tells those."""
    shown = {run.run_id for run in runs}
    labels = contract_labels(cell.contract for run in runs for cell in run.cells)
    names = {key.symbol: label for key, label in labels.items()}
    by_run: dict[int, list[Said]] = {}
    for one in reversed(desk.today.happenings(viewer, LOOKED_AT)):
        if one.kind not in OF_ORDERS and (not only_these or one.run_id in shown):
            said = Said(one.at, one.kind, with_names(one.sentence, names), (one.run_name,))
            by_run.setdefault(one.run_id, []).append(said)
    views = [_event(run_id, line) for run_id, lines in by_run.items() for line in once(lines)]
    return sorted(views, key=lambda view: view.at)[::-1][:SHOWN]


def _event(run_id: int, line: Said) -> EventView:
    return EventView(line.at, event_tone(line.kind), line.sentence, line.detail, url_for("trading.run", run_id=run_id))
