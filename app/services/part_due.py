"""A part of a run that a rule of its own takes out, and how that is written down."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.domain.contracts import ContractKey
from app.domain.pnl import Mark
from app.domain.risk import RiskRule
from app.persistence.tables import RiskEvent, StrategyExecution
from app.services.journal import Journal
from app.services.run_board import RunView
from app.services.run_standing import Part

Marks = Mapping[ContractKey, Mark]

AskExits = Callable[[int, Sequence[tuple[Part, str]], Callable[[Session], None]], None]
"""Run, its parts with the reason of each, and what is written in the same transaction."""

PAISA = Decimal("0.01")

_FIRED = select(RiskEvent.rule, RiskEvent.place).where(RiskEvent.run_id == bindparam("run"))
_TO_COST = (
    update(StrategyExecution)
    .where(
        StrategyExecution.run_id == bindparam("run"),
        StrategyExecution.account_id.in_(bindparam("accounts", expanding=True)),
    )
    .values(at_cost=True)
    .execution_options(synchronize_session=False)
)


@dataclass(frozen=True, slots=True)
class PartDue:
    """An account, or one leg of it, that is to be left. `keys` are the contracts by whose prices that was judged.

    `threshold` is the rule's own figure and `value` what it was judged on: prices for a leg, else rupees. `unpriced`
    are contracts without a fresh price, where the worst was assumed of them.
    """

    rule: RiskRule
    account_id: int
    leg: int | None
    threshold: Decimal
    value: Decimal
    keys: frozenset[ContractKey]
    reason: str
    unpriced: tuple[ContractKey, ...] = ()

    @property
    def part(self) -> Part:
        """A hedge that leaves takes its shorts along."""
        return Part(self.account_id, self.leg, with_shorts=self.leg is not None)

    @property
    def place(self) -> str:
        """As risk events name it."""
        return f"account {self.account_id}" + ("" if self.leg is None else f" leg {self.leg}")


def write(session: Session, view: RunView, due: Iterable[PartDue], marks: Marks, journal: Journal) -> None:
    """One row for each rule and place, whoever sees it first.

    A leg that stops out takes the other stops of its account to cost, where its run says so.
    """
    known = set(session.execute(_FIRED, {"run": view.run_id}).tuples())
    stopped = set()
    for each in due:
        if each.rule is RiskRule.LEG_STOP:
            stopped.add(each.account_id)
        if (each.rule.value, each.place) in known:
            continue
        session.add(
            RiskEvent(
                run_id=view.run_id,
                at=journal.now(),
                rule=each.rule,
                place=each.place,
                account_id=each.account_id,
                threshold=each.threshold.quantize(PAISA),
                value=each.value.quantize(PAISA),
                prices=prices_used(each.keys, marks),
                action=each.reason,
            )
        )
        journal.note(session, view.run_id, "rule", each.reason, each.account_id)
    if view.exits.legs.to_cost and stopped:
        session.execute(_TO_COST, {"run": view.run_id, "accounts": sorted(stopped)})


def prices_used(keys: Iterable[ContractKey], marks: Marks) -> dict[str, object]:
    """What a rule judged by: last price, touch and age of each contract, None where there was no price."""
    return {key.symbol: _words(marks.get(key)) for key in sorted(keys)}


def _words(mark: Mark | None) -> dict[str, object] | None:
    if mark is None:
        return None
    return {
        "ltp": str(mark.value),
        "bid": None if mark.bid is None else str(mark.bid),
        "ask": None if mark.ask is None else str(mark.ask),
        "age_s": round(mark.age_s, 3),
    }
