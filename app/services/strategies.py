"""Strategies as people keep them: saved whole, found by their owner, archived when nothing of them is open."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.account_groups import WHOLE, Part, Share
from app.domain.contracts import Kind, PriceType, Product, Side
from app.domain.copied import unscheduled
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.failure_policy import FailurePolicy, GroupPolicy, LegPolicy
from app.domain.planning import check_strategy
from app.domain.price_types import PriceTerms
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeMethod, StrikeRule
from app.persistence.database import Database
from app.persistence.tables import Run, Strategy, StrategyAccount, StrategyGroup, StrategyLeg, TradingAccount
from app.ports.clock import Clock
from app.services import entry_time_text, exit_rule_text, floor_text, size_rule_text
from app.services.activity import Activity
from app.services.group_facts import groups_in, shares_in

OVER = ("CLOSED", "REFUSED")


@dataclass(frozen=True, slots=True)
class SavedStrategy:
    """A strategy with the accounts that take part; `multipliers` maps account id to a positive multiplier.

    `groups` are ids of groups, whose accounts take part as they are at the time. `part` is all of them but for a start
    by schedule that says otherwise. A ticket is an order of one contract, written once: no list shows it.
    """

    id: int
    spec: StrategySpec
    multipliers: dict[int, Decimal]
    archived: bool
    changed_at: datetime
    is_armed: bool = False
    groups: tuple[int, ...] = ()
    part: Part = WHOLE
    notes: str = ""
    is_ticket: bool = False


class Strategies:
    """Thread-safe. Every method sees only what belongs to that user: another's looks like none."""

    def __init__(self, database: Database, clock: Clock, activity: Activity) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity

    def all_of(self, user_id: int) -> list[SavedStrategy]:
        """Those not archived, newest change first; no tickets."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(Strategy)
                .where(Strategy.owner_id == user_id, Strategy.archived.is_(False), Strategy.is_ticket.is_(False))
                .order_by(Strategy.changed_at.desc(), Strategy.id.desc())
            ).all()
            return [_saved(row) for row in rows]

    def one(self, strategy_id: int, user_id: int) -> SavedStrategy:
        """Raises NotFound."""
        with self._database.reading() as session:
            return _saved(_mine(session, strategy_id, user_id))

    def shares(self, saved: SavedStrategy) -> dict[int, Share]:
        """Who takes part now, each account once, and by how much."""
        with self._database.reading() as session:
            return shares_in(session, saved.multipliers, saved.groups, saved.part)

    def save(
        self,
        spec: StrategySpec,
        multipliers: dict[int, Decimal],
        *,
        groups: Collection[int] = (),
        notes: str = "",
        user_id: int,
        username: str,
        strategy_id: int | None = None,
    ) -> int:
        """The id under which the strategy is kept. Raises InvalidInput naming the field; then nothing was changed."""
        check_strategy(spec)
        try:
            with self._database.transaction() as session:
                _check_accounts(session, multipliers, {*groups, *spec.times.part.groups}, named=bool(groups))
                row = self._row(session, strategy_id, user_id)
                self._fill(row, spec, multipliers, groups)
                row.notes = notes
                session.flush()
                self._activity.record(
                    session,
                    user_id=user_id,
                    actor=username,
                    action="strategy.save",
                    subject=f"strategy:{row.id}",
                    sentence=f"Saved the strategy {spec.name}.",
                )
                return row.id
        except IntegrityError as taken:
            raise InvalidInput(
                "name", f"You have a strategy named {spec.name} already. Choose another name."
            ) from taken

    def write_ticket(
        self,
        spec: StrategySpec,
        multipliers: dict[int, Decimal],
        *,
        groups: Collection[int] = (),
        user_id: int,
        username: str,
    ) -> int:
        """The id under which this order is written down; its number is added to its name, so that any may be written
        again. Raises InvalidInput as `save` does.
        """
        check_strategy(spec)
        with self._database.transaction() as session:
            _check_accounts(session, multipliers, groups, named=bool(groups))
            row = self._row(session, None, user_id)
            self._fill(row, replace(spec, name=uuid4().hex), multipliers, groups)
            row.is_ticket = True
            session.flush()
            row.name = f"{spec.name} · T{row.id}"
            self._activity.record(
                session,
                user_id=user_id,
                actor=username,
                action="strategy.ticket",
                subject=f"strategy:{row.id}",
                sentence=f"Wrote the ticket {row.name}. Nothing was sent.",
            )
            return row.id

    def duplicate(self, strategy_id: int, name: str, *, user_id: int, username: str) -> SavedStrategy:
        """A copy under that name with nothing of its runs, and without its schedule: see domain.copied.

        Raises NotFound, and InvalidInput naming `name`.
        """
        known = self.one(strategy_id, user_id)
        spec = unscheduled(replace(known.spec, name=name))
        copy = self.save(
            spec, known.multipliers, groups=known.groups, notes=known.notes, user_id=user_id, username=username
        )
        return self.one(copy, user_id)

    def archive(self, strategy_id: int, *, user_id: int, username: str) -> None:
        """Take it off the list. Raises Conflict while a run of it is open."""
        with self._database.transaction() as session:
            row = _mine(session, strategy_id, user_id)
            still_open = session.scalars(
                select(Run.id).where(Run.strategy_id == row.id, Run.state.not_in(OVER))
            ).first()
            if still_open is not None:
                raise Conflict(f"Run {still_open} of this strategy is still open. Exit it first.")
            row.archived = True
            row.name = f"{row.name[:80]} (archived {row.id})"  # frees the name for a new strategy
            self._activity.record(
                session,
                user_id=user_id,
                actor=username,
                action="strategy.archive",
                subject=f"strategy:{row.id}",
                sentence=f"Archived the strategy {row.name}.",
            )

    def arm(self, strategy_id: int, *, armed: bool, user_id: int, username: str) -> None:
        """Whether its schedule may trade real money; saving it takes that back. Raises NotFound."""
        with self._database.transaction() as session:
            row = _mine(session, strategy_id, user_id)
            row.armed_at = self._clock.now() if armed else None
            words = "may trade real money by its schedule" if armed else "trades no real money by its schedule any more"
            self._activity.record(
                session,
                user_id=user_id,
                actor=username,
                action="strategy.arm",
                subject=f"strategy:{row.id}",
                sentence=f"{row.name} {words}.",
            )

    def _row(self, session: Session, strategy_id: int | None, user_id: int) -> Strategy:
        now = self._clock.now()
        if strategy_id is None:
            row = Strategy(owner_id=user_id, created_at=now, archived=False)
            session.add(row)
        else:
            row = _mine(session, strategy_id, user_id)
            row.legs.clear()
            row.accounts.clear()
            row.groups.clear()
            session.flush()
        row.changed_at = now
        return row

    def _fill(
        self, row: Strategy, spec: StrategySpec, multipliers: dict[int, Decimal], groups: Collection[int]
    ) -> None:
        row.name, row.structures = spec.name, spec.structures
        row.max_loss, row.max_profit = spec.max_loss, spec.max_profit
        row.max_workers, row.square_off = spec.max_workers, spec.square_off
        row.floors, row.exits = floor_text.written(spec.floors), exit_rule_text.written(spec.exits)
        row.times, row.armed_at = entry_time_text.written(spec.times), None
        row.size_rule = size_rule_text.written(spec.size_rule)
        failure = spec.failure
        row.leg_failure, row.retries, row.group_failure = failure.leg.value, failure.retries, failure.group.value
        row.legs = [_leg_row(leg) for leg in spec.legs]
        row.accounts = [StrategyAccount(account_id=a, multiplier=m) for a, m in sorted(multipliers.items())]
        row.groups = [StrategyGroup(group_id=each) for each in sorted(groups)]


def _check_accounts(session: Session, multipliers: dict[int, Decimal], groups: Collection[int], *, named: bool) -> None:
    """`named`: a group takes part, so that no account has to be chosen by itself."""
    if not multipliers and not named:
        raise InvalidInput("accounts", "Choose at least one account or group.")
    if len(groups_in(session, ids=groups)) != len(groups):
        raise InvalidInput("groups", "One of these groups is not there any more. Reload the page and choose again.")
    found = set(
        session.scalars(
            select(TradingAccount.id).where(TradingAccount.id.in_(multipliers), TradingAccount.state != "ARCHIVED")
        )
    )
    for account_id, multiplier in multipliers.items():
        if account_id not in found:
            raise InvalidInput(
                "accounts", f"There is no account {account_id} any more. Reload the page and choose again."
            )
        if not (multiplier.is_finite() and Decimal(0) < multiplier <= 100 and _places(multiplier) <= 3):
            sentence = "The multiplier must be above 0 and at most 100, with at most 3 decimal places."
            raise InvalidInput(f"accounts[{account_id}].multiplier", sentence)


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _mine(session: Session, strategy_id: int, user_id: int) -> Strategy:
    row = session.get(Strategy, strategy_id)
    if row is None or row.owner_id != user_id or row.archived:
        raise NotFound("There is no such strategy.")
    return row


def _leg_row(leg: LegSpec) -> StrategyLeg:
    return StrategyLeg(
        number=leg.number,
        underlying=leg.underlying,
        kind=leg.kind.value,
        expiry=leg.expiry.value if isinstance(leg.expiry, ExpiryWord) else leg.expiry.isoformat(),
        strike_method=leg.strike.method.value if leg.strike else None,
        strike_value=leg.strike.value if leg.strike else None,
        side=leg.side.value,
        ratio=leg.ratio,
        product=leg.product.value,
        price_type=leg.pricing.type.value,
        limit_price=leg.pricing.limit,
        trigger_price=leg.pricing.trigger,
    )


def _saved(row: Strategy) -> SavedStrategy:
    legs = tuple(_leg(leg) for leg in row.legs)
    failure = FailurePolicy(LegPolicy(row.leg_failure), row.retries, GroupPolicy(row.group_failure))
    spec = StrategySpec(
        row.name, legs, row.structures, row.max_loss, row.max_profit, row.max_workers, failure, row.square_off,
        floor_text.read(row.floors), exit_rule_text.read(row.exits), size_rule_text.read(row.size_rule),
        times=entry_time_text.read(row.times),
    )  # fmt: skip
    multipliers = {a.account_id: a.multiplier for a in row.accounts}
    groups = tuple(sorted(each.group_id for each in row.groups))
    return SavedStrategy(
        row.id, spec, multipliers, row.archived, row.changed_at, row.armed_at is not None, groups, notes=row.notes,
        is_ticket=row.is_ticket,
    )  # fmt: skip


def _leg(row: StrategyLeg) -> LegSpec:
    words = {word.value for word in ExpiryWord}
    strike = StrikeRule(StrikeMethod(row.strike_method), row.strike_value) if row.strike_method else None
    return LegSpec(
        number=row.number,
        underlying=row.underlying,
        kind=Kind(row.kind),
        expiry=ExpiryWord(row.expiry) if row.expiry in words else date.fromisoformat(row.expiry),
        strike=strike,
        side=Side(row.side),
        ratio=row.ratio,
        product=Product(row.product),
        pricing=PriceTerms(PriceType(row.price_type), row.limit_price, row.trigger_price),
    )
