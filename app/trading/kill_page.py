"""The page of the kill switch: what it would do, and once it is pressed what is left of it in each account."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from app.domain.account_groups import Group
from app.domain.trading_states import Scope, TradingState
from app.persistence.tables import AccountGroup, Run, Strategy, User
from app.services.account_health import HealthState
from app.services.accounts import AccountRow
from app.services.foreign_positions import foreign_positions
from app.services.kill_orders import ALARM_AFTER
from app.services.kill_parts import GOING, Part
from app.services.kill_switch import Kill, Target
from app.services.run_board import CellView, RunView
from app.services.taken_along import Along, adopted_parts
from app.services.trading_states import Standing
from app.trading.kill_words import kill_sentence, left_words, pressed_words, totals
from app.trading.run_rows import run_view
from app.web import account_choice
from app.web.account_choice import Choice
from app.web.desk import Desk
from app.web.market_time import on_page
from app.web.modes import mode_called
from app.web.signed_in import SignedIn

AWAY = frozenset({HealthState.UNREACHABLE, HealthState.LOGIN_EXPIRED, HealthState.WRONG_KEY})


@dataclass(frozen=True, slots=True)
class HaltLine:
    """A state that stands. `word`: Halted, or Only exits. `can_release` is False where only an admin lifts it."""

    value: str
    label: str
    word: str
    sentence: str
    can_release: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """`orders` and `units` are what of ours is open; `units` unsigned. `state`: open (nobody asked), closing, flat,
    alarm (not flat after 30 s), away (nothing of ours there, but it does not answer), idle.
    """

    name: str
    mode: str
    orders: int
    positions: int
    units: int
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class AlongLine:
    """A foreign position that was ticked. `state`: waiting, ours, stays; `reason` says why it stays, None otherwise."""

    words: str
    state: str
    reason: str | None
    run_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KillPage:
    """What docs/view-models.md calls `kill`. `others` counts accounts that answer and hold nothing of ours.

    `foreign` are those that no tick takes along; `ticks` those that one does, `along` those that were ticked.
    """

    choices: list[Choice]
    halts: list[HaltLine]
    sentence: str
    under_way: bool
    alarms: list[str]
    engine_leads: bool
    accounts: list[AccountLine]
    others: int
    foreign: list[str]
    ticks: list[Choice]
    along: list[AlongLine]


def kill_page(desk: Desk, viewer: SignedIn) -> dict[str, object]:
    """The context of the page and of its fragment."""
    standings = desk.kill_switch.standings(viewer)
    kill = _current(desk.kill_switch.kills(viewer), standings)
    accounts = desk.accounts.shown_to(viewer)
    views = _views(desk, viewer, kill)
    groups = desk.groups.shown_to(viewer)
    halted = kill.target.id if kill is not None and kill.target.scope is Scope.GROUP else None
    grouped = {each for group in groups if group.id == halted for each in group.members}
    lines = [_line(desk, account, views, kill, grouped) for account in accounts]
    shown = [line for line in lines if line.state != "idle"]
    pressed = "" if kill is None else pressed_words(kill, on_page(desk, kill.asked_at))
    foreign = foreign_positions(desk.database, desk.run_board, accounts)
    along = () if kill is None else kill.along
    taken = {each.ticked for each in along if each.waits}
    page = KillPage(
        choices=choices_of(viewer, groups, accounts),
        halts=[_halt(desk, each, viewer, accounts) for each in standings],
        sentence=kill_sentence(kill, totals(shown), pressed),
        under_way=kill is not None and kill.flat_at is None,
        alarms=[f"{line.name} {left_words(line.orders, line.units)}" for line in shown if line.state == "alarm"],
        engine_leads=desk.engine_leads(),
        accounts=sorted(shown, key=lambda line: (line.state != "alarm", line.reason is None, line.name)),
        others=len(lines) - len(shown),
        foreign=[each.words() for each in foreign if each.ticked not in taken],
        ticks=[Choice(each.ticked.name, each.words()) for each in foreign if each.ticked and each.ticked not in taken],
        along=[_along(each, accounts) for each in along],
    )
    return {"kill": page}


def halts_of(desk: Desk, viewer: SignedIn) -> list[HaltLine]:
    """The states that stand and concern this user."""
    accounts = desk.accounts.shown_to(viewer)
    return [_halt(desk, each, viewer, accounts) for each in desk.kill_switch.standings(viewer)]


def _current(kills: Sequence[Kill], standings: Sequence[Standing]) -> Kill | None:
    """The newest use of the switch that was not released since; one that is not flat yet comes first."""
    halted = {Target(each.scope, each.scope_id) for each in standings if each.state is TradingState.HALTED}
    living = [kill for kill in kills if kill.target in halted or kill.flat_at is None]
    return next((kill for kill in living if kill.flat_at is None), living[0] if living else None)


def _views(desk: Desk, viewer: SignedIn, kill: Kill | None) -> list[RunView]:
    """The runs that live, and those that the kill has closed."""
    wanted = select(Run.id).where(Run.state.in_(GOING))
    if not viewer.is_admin:
        wanted = wanted.where(Run.user_id == viewer.id)
    with desk.database.reading() as session:
        ids = set(session.scalars(wanted))
    if kill is not None:
        ids |= {part.run_id for part in _parts(kill)}
    return [run_view(desk, run_id) for run_id in sorted(ids)]


def _line(
    desk: Desk, account: AccountRow, views: Iterable[RunView], kill: Kill | None, grouped: Collection[int]
) -> AccountLine:
    meant: list[CellView] = []
    other: list[CellView] = []
    for view in views:
        mine = [cell for cell in view.cells if cell.account_id == account.id]
        (meant if kill is not None and _is_meant(kill, view, account.id, grouped) else other).extend(mine)
    health = desk.health.of(account.id)
    away = health.state in AWAY
    every = [*meant, *other]
    state = _state(desk, kill, meant, other, away=away)
    return AccountLine(
        name=account.name,
        mode=mode_called(account.broker, account.expected_mode),
        orders=sum(cell.open_orders for cell in every),
        positions=sum(1 for cell in every if cell.net),
        units=sum(abs(cell.net) for cell in every),
        state=state,
        reason=_reason(health.reason, every, away=away, state=state),
    )


def _is_meant(kill: Kill, view: RunView, account_id: int, grouped: Collection[int]) -> bool:
    """`grouped` are the accounts of the group that was halted, if one was."""
    if kill.parts is not None:
        return any(part.run_id == view.run_id and part.account_id in {None, account_id} for part in _parts(kill))
    target = kill.target
    if target.scope is Scope.GROUP:
        return account_id in grouped
    theirs = {Scope.USER: view.user_id, Scope.ACCOUNT: account_id, Scope.STRATEGY: view.strategy_id}
    return target.scope is Scope.ALL or theirs[target.scope] == target.id


def _parts(kill: Kill) -> tuple[Part, ...]:
    return (*(kill.parts or ()), *adopted_parts(kill.along))


def _along(each: Along, accounts: Sequence[AccountRow]) -> AlongLine:
    ticked = each.ticked
    name = next((account.name for account in accounts if account.id == ticked.account_id), "another account")
    state = "waiting" if each.waits else "stays" if each.run_id is None else "ours"
    words = f"{name}: {ticked.units:+d} units of {ticked.symbol} {ticked.product}"
    return AlongLine(words, state, each.refused, each.run_id)


def _state(desk: Desk, kill: Kill | None, meant: Sequence[CellView], other: Sequence[CellView], *, away: bool) -> str:
    if kill is not None and _left(meant):
        late: timedelta = desk.clock.now() - kill.asked_at
        return "alarm" if late >= ALARM_AFTER else "closing"
    if _left(other):
        return "open"
    if away:
        return "away"
    return "flat" if meant else "idle"


def _left(cells: Sequence[CellView]) -> bool:
    """As the run says it: not flat while units may still change hands, or have and their trades are not read."""
    return any(cell.net or cell.open_orders for cell in cells)


def _reason(health: str, cells: Sequence[CellView], *, away: bool, state: str) -> str | None:
    if away:
        goes_on = " It is closed as soon as it answers; if that cannot wait, close it at the broker."
        return f"Takes no orders now: {health or 'no answer'}" + (goes_on if _left(cells) else "")
    if any(cell.unknown for cell in cells):
        return "An order's outcome is unknown; it is settled from the broker's books first."
    notes = [cell.note for cell in cells if cell.note and (cell.net or cell.open_orders)]
    return notes[0] if notes and state in {"closing", "alarm"} else None


def choices_of(viewer: SignedIn, groups: Sequence[Group], accounts: Sequence[AccountRow]) -> list[Choice]:
    """What this user may halt or reduce, the widest first."""
    mine = Choice(Target(Scope.USER, viewer.id).name, "My runs")
    if not viewer.is_admin:
        return [mine]
    return [Choice(Target().name, "Everything, in all accounts"), mine, *account_choice.choices_of(groups, accounts)]


def _halt(desk: Desk, standing: Standing, viewer: SignedIn, accounts: Sequence[AccountRow]) -> HaltLine:
    with desk.database.reading() as session:
        if standing.scope is Scope.USER:
            label = f"runs of {session.get_one(User, standing.scope_id).username}"
        elif standing.scope is Scope.GROUP:
            label = f"the group {session.get_one(AccountGroup, standing.scope_id).name}"
        elif standing.scope is Scope.STRATEGY:
            label = session.get_one(Strategy, standing.scope_id).name
        else:
            label = next((one.name for one in accounts if one.id == standing.scope_id), "everything")
    return HaltLine(
        value=Target(standing.scope, standing.scope_id).name,
        label=label,
        word="Halted" if standing.state is TradingState.HALTED else "Only exits",
        sentence=standing.sentence,
        can_release=viewer.is_admin or standing.user_id == viewer.id,
    )
