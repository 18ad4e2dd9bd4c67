"""The rules of a strategy for a position that it did not open: which of them can watch it, which cannot, and why."""

from dataclasses import dataclass, field, replace
from datetime import datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from app.domain.contracts import Kind, Side
from app.domain.errors import Refused
from app.domain.exit_rules import NO_EXIT_RULES, AccountRule, ExitRules
from app.domain.leg_rules import NO_LEG_RULES, LegRule, LegRules, Level, Measure, level_words, levels
from app.domain.money import ZERO
from app.domain.strategy import LegSpec, StrategySpec
from app.domain.supertrend import SupertrendExit, TrendOf
from app.domain.trailing import NO_FLOORS, Floors, ProfitLock, Trail, distance_of
from app.domain.wording import inr
from app.domain.wording import price as price_words

LEG = 1
"""The one leg of the run that a position becomes."""

_UNKNOWN = "it is measured from the average, and the broker tells none of these units alone."

Value = TypeVar("Value")


class RulesCode(StrEnum):
    """Why rules are not given. Stable, as the codes of the gate are; see docs/reason-codes.md."""

    CHANGED = "RULES_CHANGED"
    NONE = "RULES_NONE"
    RUN = "RULES_RUN"
    STRATEGY = "RULES_STRATEGY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A position of one account in one contract. `units` are signed.

    `average` is the account's own as its broker tells it of exactly these units; None where it tells none, and what
    somebody typed instead is not taken for it. `ruled_since` is when its run was put under the rules that it is under.
    """

    account_id: int
    underlying: str
    kind: Kind
    units: int
    average: Decimal | None
    ruled_since: datetime | None = None

    @property
    def side(self) -> Side:
        return Side.BUY if self.units > 0 else Side.SELL


@dataclass(frozen=True, slots=True)
class Given:
    """What watches the position: as the rules of a strategy, of a run whose only leg is number 1."""

    max_loss: Decimal | None = None
    max_profit: Decimal | None = None
    square_off: time | None = None
    floors: Floors = NO_FLOORS
    exits: ExitRules = NO_EXIT_RULES


NOTHING = Given()


@dataclass(frozen=True, slots=True)
class Misfit:
    """A rule that cannot watch the position. `why` goes on from the rule's name."""

    rule: str
    why: str

    def words(self) -> str:
        return f"{self.rule}: {self.why}"


@dataclass(frozen=True, slots=True)
class Fit:
    """`words` are a sentence for each rule that is given, `misfits` those that are not."""

    given: Given
    words: tuple[str, ...]
    misfits: tuple[Misfit, ...]


@dataclass(slots=True)
class _Said:
    words: list[str] = field(default_factory=list)
    misfits: list[Misfit] = field(default_factory=list)

    def takes(self, rule: str, value: Value | None, words: str, no: str | None) -> Value | None:
        """The rule when there is one and nothing speaks against it."""
        if value is None:
            return None
        if no is not None:
            self.misfits.append(Misfit(rule, no))
            return None
        self.words.append(words)
        return value


def fit(spec: StrategySpec, at: Watched, *, square_off_passed: bool) -> Fit:
    """What of the strategy's rules can watch this position. Nothing is put in the place of what cannot.

    `square_off_passed`: the strategy's time of day is over today, so that it would be left by that at once.
    """
    said = _Said()
    no = None if at.average is not None else _UNKNOWN
    given = Given(
        max_loss=_limit(said, "Max loss", spec.max_loss, "loss", no),
        max_profit=_limit(said, "Max profit", spec.max_profit, "profit", no),
        floors=Floors(_trail(said, spec.floors.trail, at), _lock(said, spec.floors, no)),
        exits=ExitRules(_legs(said, spec, at), _own(said, spec, at, no), _trend(said, spec, at)),
        square_off=said.takes(
            "Square-off",
            spec.square_off,
            "" if spec.square_off is None else f"Leaves at {spec.square_off:%H:%M}.",
            f"{spec.square_off:%H:%M} is over today, so it would be left at once." if square_off_passed else None,
        ),
    )
    return Fit(given, tuple(said.words), tuple(said.misfits))


def leaves_at_once(given: Given, total: Decimal | None) -> str | None:
    """The sentence for a limit that a P&L of so many rupees has reached already; None for none, or not known."""
    if total is None:
        return None
    limits = [(given.max_loss, given.max_profit), *((own.max_loss, own.max_profit) for own in given.exits.accounts)]
    for loss, profit in limits:
        if loss is not None and total <= -loss:
            return f"Its P&L is {inr(total)} now: the max loss of {inr(loss)} takes it out at once."
        if profit is not None and total >= profit:
            return f"Its P&L is {inr(total)} now: the max profit of {inr(profit)} takes it out at once."
    return None


def _limit(said: _Said, rule: str, amount: Decimal | None, what: str, no: str | None) -> Decimal | None:
    return said.takes(rule, amount, "" if amount is None else f"Leaves at a {what} of {inr(amount)}.", no)


def _trail(said: _Said, trail: Trail | None, at: Watched) -> Trail | None:
    if trail is None:
        return None
    no = _UNKNOWN
    if at.average is not None:
        try:
            distance_of(trail, -at.average * at.units)
        except Refused as refusal:
            no = str(refusal)
        else:
            return said.takes("Trailing stop", trail, Floors(trail).words()[0], None)
    return said.takes("Trailing stop", trail, "", no)


def _lock(said: _Said, floors: Floors, no: str | None) -> ProfitLock | None:
    words = "" if floors.lock is None else Floors(None, floors.lock).words()[0]
    return said.takes("Locked profit", floors.lock, words, no)


def _own(said: _Said, spec: StrategySpec, at: Watched, no: str | None) -> tuple[AccountRule, ...]:
    """The limits of its account by itself. Those of other accounts have no part in this and are not spoken of."""
    rule = spec.exits.of_account(at.account_id)
    if rule is not None and rule.square_off is not None:
        said.misfits.append(Misfit("Square-off of its account by itself", "an adopted run has one time for all of it."))
        rule = replace(rule, square_off=None)
        rule = None if rule.says_nothing else rule
    words = "" if rule is None else ". ".join(rule.words()) + "."
    taken = said.takes("Limits of its account by itself", rule, words, no)
    return () if taken is None else (taken,)


def _legs(said: _Said, spec: StrategySpec, at: Watched) -> LegRules:
    """The stop and target of the one leg that is this position; of no leg where nobody can say which it is."""
    leg = _leg_of(spec, at)
    found = None
    for rule in spec.exits.legs.legs:
        no = leg if isinstance(leg, str) else None if leg.number == rule.leg else f"this position is leg {leg.number}."
        stop, target = (
            said.takes(f"{what} of leg {rule.leg}", level, _level_words(what, level, at), no or _reach(what, level, at))
            for what, level in (("Stop", rule.stop), ("Target", rule.target))
        )
        if stop is not None or target is not None:
            found = LegRule(LEG, stop, target)
    if spec.exits.legs.to_cost:
        said.misfits.append(Misfit("Moving stops to cost", "the run of this position has no other leg."))
    return NO_LEG_RULES if found is None else LegRules((found,))


def _leg_of(spec: StrategySpec, at: Watched) -> LegSpec | str:
    """The only leg of that index, type and side, or why there is none."""
    same = [leg for leg in spec.legs if (leg.underlying, leg.kind, leg.side) == (at.underlying, at.kind, at.side)]
    if len(same) == 1:
        return same[0]
    what = f"{'bought' if at.side is Side.BUY else 'sold'} {at.underlying} {at.kind.value}"
    if not same:
        return f"no leg of the strategy is a {what}, as this position is."
    numbers = " and ".join(str(leg.number) for leg in same)
    return f"legs {numbers} are each a {what}, and nobody can say which of them this position is."


def _at(what: str, level: Level, at: Watched) -> Decimal | None:
    """The price at which it leaves, rupees; None where that would be 0 or less. A premium needs no average."""
    rule = LegRule(LEG, stop=level) if what == "Stop" else LegRule(LEG, target=level)
    found = levels(rule, at.side, at.average or ZERO)
    return found.stop if what == "Stop" else found.target


def _reach(what: str, level: Level | None, at: Watched) -> str | None:
    if level is None or level.measure is Measure.PREMIUM:
        return None
    if at.average is None:
        return _UNKNOWN
    return None if _at(what, level, at) is not None else f"it would lie below 0, from {price_words(at.average)}."


def _level_words(what: str, level: Level | None, at: Watched) -> str:
    if level is None:
        return ""
    found = _at(what, level, at)
    if level.measure is Measure.PREMIUM or found is None:
        return f"{what} {level_words(level)}."
    unit = " %" if level.measure is Measure.PERCENT else " points"
    return f"{what} {level.size.normalize():f}{unit} from its average: at {price_words(found)}."


def _trend(said: _Said, spec: StrategySpec, at: Watched) -> SupertrendExit | None:
    rule = spec.exits.supertrend
    if rule is None:
        return None
    leg, no = _leg_of(spec, at), None
    if rule.of is TrendOf.UNDERLYING:
        index = min(spec.legs, key=lambda each: each.number).underlying
        if index != at.underlying:
            no = f"it is judged on {index}, and this position is of {at.underlying}."
    elif isinstance(leg, str):
        no = leg
    elif rule.of is TrendOf.LEG:
        if leg.number != rule.leg:
            no = f"it is judged on leg {rule.leg}, and this position is leg {leg.number}."
        rule = replace(rule, leg=LEG)
    elif len(spec.legs) > 1:
        no = f"the combined premium of {len(spec.legs)} legs is not the price of this position."
    return said.takes("Supertrend", rule, rule.words(), no)
