"""Puts an adopted position under the rules of a strategy, as they were shown, and never on a guessed average."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.adoption import AverageFrom
from app.domain.contracts import Contract, Kind
from app.domain.errors import Denied, NotFound, Refused, Unavailable
from app.domain.given_rules import NOTHING, Fit, Given, RulesCode, Watched, fit
from app.domain.strategy import StrategySpec
from app.domain.wording import price as price_words
from app.persistence.database import Database
from app.persistence.leading import holds_lease
from app.persistence.tables import AccountPeak, Adoption, CommandRow, Run, Strategy, StrategyExecution
from app.ports.clock import Clock
from app.services import exit_rule_text, floor_text
from app.services.activity import Activity
from app.services.journal import Journal
from app.services.strategies import Strategies


class Times(Protocol):
    """The square-off times: whether one that somebody asked for is over today."""

    def is_past(self, exchange: str, asked: time, now: datetime) -> bool: ...


@dataclass(frozen=True, slots=True)
class Chosen:
    """A strategy whose rules somebody wants, and the digest of what was shown to them of it."""

    strategy_id: int
    digest: str

    def payload(self) -> dict[str, object]:
        """As a command keeps it."""
        return {"strategy_id": self.strategy_id, "rules": self.digest}


@dataclass(frozen=True, slots=True)
class Recipe:
    """A strategy as it was read, and whether its square-off is over today on the exchange of the position."""

    strategy_id: int
    spec: StrategySpec
    square_off_passed: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """What a strategy's rules come to for a position. `digest` names exactly this: nothing else is given for it."""

    strategy_id: int
    strategy: str
    average: Decimal | None
    fit: Fit
    digest: str


class RuleOffers:
    """Thread-safe. A strategy is only ever that of whoever asks; another's looks like none."""

    def __init__(self, strategies: Strategies, times: Times, journal: Journal) -> None:
        self._strategies = strategies
        self._times = times
        self._journal = journal

    def recipe(self, strategy_id: int, user_id: int, exchange: str) -> Recipe:
        """Read before anything is locked. Raises NotFound, and Unavailable while the market's time is not known."""
        spec = self._strategies.one(strategy_id, user_id).spec
        asked = spec.square_off
        passed = asked is not None and self._times.is_past(exchange, asked, self._journal.now())
        return Recipe(strategy_id, spec, passed)


def offer_of(recipe: Recipe, at: Watched) -> Offer:
    found = fit(recipe.spec, at, square_off_passed=recipe.square_off_passed)
    return Offer(recipe.strategy_id, recipe.spec.name, at.average, found, _digest(recipe.strategy_id, at, found))


def agreed(recipe: Recipe, chosen: Chosen, at: Watched) -> Offer:
    """Raises Denied when it is not what was shown, or nothing of it can watch the position."""
    offer = offer_of(recipe, at)
    if offer.digest != chosen.digest:
        words = f"The rules of {offer.strategy} are not for this position what was shown. Look again."
        raise Denied(RulesCode.CHANGED, words)
    if offer.fit.given == NOTHING:
        raise Denied(RulesCode.NONE, f"{offer.strategy} has no rule that can watch this position.")
    return offer


class RuleGiver:
    """The engine's half. `do` belongs to the intake loop."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        journal: Journal,
        activity: Activity,
        offers: RuleOffers,
        *,
        epoch: Callable[[], int | None],
        on_change: Callable[[int], None],
    ) -> None:
        """`on_change` is told of the run that has rules now."""
        self._database = database
        self._clock = clock
        self._journal = journal
        self._activity = activity
        self._offers = offers
        self._epoch = epoch
        self._on_change = on_change

    def recipe(self, chosen: Chosen, user_id: int, exchange: str) -> Recipe:
        """Raises Denied where the strategy is gone, Unavailable while the market's time is not known."""
        try:
            return self._offers.recipe(chosen.strategy_id, user_id, exchange)
        except NotFound as gone:
            raise Denied(RulesCode.STRATEGY, "The strategy whose rules were chosen is not there any more.") from gone

    def put(self, session: Session, run: Run, offer: Offer, *, by: str, account_id: int) -> str:
        """Written with whatever else this transaction writes. The sentence that was noted.

        Rules that it was under before end with that; its peak stays, so that no floor falls for it.
        """
        given, before = offer.fit.given, _rules_before(session, run)
        _forget_distances(session, run, given)
        run.max_loss, run.max_profit, run.square_off = given.max_loss, given.max_profit, given.square_off
        run.floors, run.exits = floor_text.written(given.floors), exit_rule_text.written(given.exits)
        run.rules_of, run.rules_at = offer.strategy_id, self._journal.now()
        words = _words(offer, by, before)
        self._journal.note(session, run.id, "rules", words, account_id)
        return words

    def do(self, command_id: int) -> str:
        """What became of it, as a sentence. Doing it again changes nothing.

        Raises Unavailable while another engine leads or the market's time is not known, Refused with the code of why.
        """
        try:
            run_id, words = self._give(command_id)
        except Denied as no:
            raise Refused(f"{no.code}: {no}") from no
        self._on_change(run_id)
        return words

    def _give(self, command_id: int) -> tuple[int, str]:
        """The run, and what is said of it. Raises Denied; then nothing was written."""
        with self._database.reading() as session:
            command = session.get_one(CommandRow, command_id)
            run = session.get_one(Run, command.run_id)
            if command.state != "ASKED":
                return run.id, command.answer or "This was done before."
            _, exchange = watched_run(session, run)
        chosen, by = _chosen(command.payload), str(command.payload["by"])
        recipe = self.recipe(chosen, command.user_id, exchange)
        with self._database.transaction() as session:
            if not holds_lease(session, self._epoch()):
                raise Unavailable("Another engine leads; it does this.")
            command = session.get_one(CommandRow, command_id, with_for_update=True, populate_existing=True)
            run = session.get_one(Run, command.run_id, with_for_update=True, populate_existing=True)
            if command.state != "ASKED":
                return run.id, command.answer or "This was done before."
            at, _ = watched_run(session, run)
            words = self.put(session, run, agreed(recipe, chosen, at), by=by, account_id=at.account_id)
            self._activity.record(
                session, user_id=command.user_id, actor=by, action="run.rules", subject=f"run:{run.id}",
                sentence=f"{run.name}: {words}",
            )  # fmt: skip
            command.state, command.answer, command.done_at = "DONE", words, self._clock.now()
            return run.id, words


def watched_run(session: Session, run: Run) -> tuple[Watched, str]:
    """The position of an adopted run and its exchange. Raises Denied for a run that no rules can be given to."""
    adoption = session.scalars(select(Adoption).where(Adoption.run_id == run.id)).one_or_none()
    if adoption is None:
        raise Denied(RulesCode.RUN, "This run has the rules of the strategy that it was entered by.")
    execution = session.scalars(select(StrategyExecution).where(StrategyExecution.run_id == run.id)).one()
    if run.state != "OPEN" or execution.exit_wanted is not None:
        raise Denied(RulesCode.RUN, "This run is being left, or was: there is nothing to watch any more.")
    is_brokers = adoption.average_from == AverageFrom.BROKER
    watched = Watched(
        account_id=adoption.account_id,
        underlying=execution.underlying,
        kind=Kind(execution.kind),
        units=adoption.units,
        average=adoption.average if is_brokers else None,
        ruled_since=run.rules_at,
    )
    return watched, adoption.exchange


def watched_position(account_id: int, contract: Contract, units: int, average: Decimal | None) -> Watched:
    """A foreign position; `average` is the broker's, None where it tells none of these units alone."""
    return Watched(
        account_id=account_id, underlying=contract.underlying, kind=contract.kind, units=units, average=average
    )


def chosen_of(payload: Mapping[str, object]) -> Chosen | None:
    """What a stored command asks for; None for no rules."""
    return None if "strategy_id" not in payload else _chosen(payload)


def _chosen(payload: Mapping[str, object]) -> Chosen:
    return Chosen(int(str(payload["strategy_id"])), str(payload["rules"]))


def _digest(strategy_id: int, at: Watched, found: Fit) -> str:
    given = found.given
    parts = [
        strategy_id, at.account_id, at.units, at.average, at.ruled_since, given.max_loss, given.max_profit,
        given.square_off,
        floor_text.written(given.floors), exit_rule_text.written(given.exits), [each.words() for each in found.misfits],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, default=_text).encode()).hexdigest()


def _text(value: object) -> str:
    """Numbers that are equal are one text, whatever their zeros."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _rules_before(session: Session, run: Run) -> str | None:
    """The name of the strategy whose rules it is under; None for none."""
    return None if run.rules_of is None else session.get_one(Strategy, run.rules_of).name


def _forget_distances(session: Session, run: Run, given: Given) -> None:
    """A share of the premium is worked out anew where another trailing stop is given; by rows, so once for good."""
    if floor_text.read(run.floors).trail != given.floors.trail:
        run.trail_distance = None
    exits = exit_rule_text.read(run.exits)
    for row in session.scalars(select(AccountPeak).where(AccountPeak.run_id == run.id)):
        old, new = exits.of_account(row.account_id), given.exits.of_account(row.account_id)
        if (None if old is None else old.trailing) != (None if new is None else new.trailing):
            row.trail_distance = None


def _words(offer: Offer, by: str, before: str | None) -> str:
    known = offer.average
    average = "no average, since its broker tells none" if known is None else f"the broker's {price_words(known)}"
    left = "".join(f" Without its {each.words()}" for each in offer.fit.misfits)
    instead = "" if before is None else f" instead of those of {before}"
    return (
        f"{by} put it under the rules of {offer.strategy}{instead}, from {average}. {' '.join(offer.fit.words)}{left}"
    )
