"""The dated market rules of this installation: read from their table and kept until they change; admins add to them."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import InvalidInput, NotFound
from app.domain.market_rules import MarketRule, RuleBook, RuleKind
from app.domain.rule_typing import FACTS, TypedRule, rule_of
from app.persistence.database import Database
from app.persistence.locking import lock_table
from app.persistence.tables import MarketRuleRow, SettingChange
from app.ports.clock import Clock
from app.services.account_types import Actor
from app.services.activity import Activity

READ_AGAIN_S = 60.0
AREA = "market_rule"


@dataclass(frozen=True, slots=True)
class KeptRule:
    """A rule with the number it is removed by."""

    id: int
    rule: MarketRule


class MarketRuleTable:
    """Thread-safe: the book is replaced whole. What an admin saves counts here at once, elsewhere within a minute."""

    def __init__(self, database: Database, clock: Clock, activity: Activity) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity
        self._book: tuple[RuleBook, float] | None = None

    def book(self) -> RuleBook:
        """The rules, at most a minute old."""
        now = self._clock.monotonic()
        if self._book is not None and now - self._book[1] < READ_AGAIN_S:
            return self._book[0]
        book = RuleBook(each.rule for each in self.kept())
        self._book = (book, now)
        return book

    def kept(self) -> tuple[KeptRule, ...]:
        """Every rule of the table, the newest of each kind first."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(MarketRuleRow).order_by(MarketRuleRow.valid_from.desc(), MarketRuleRow.id.desc())
            )
            return tuple(KeptRule(row.id, _rule(row)) for row in rows)

    def add(self, by: Actor, typed: TypedRule) -> MarketRule:
        """From its first day on it holds instead of the one before. Raises InvalidInput naming the field."""
        rule = rule_of(typed)
        with self._database.transaction() as session:
            lock_table(session, MarketRuleRow)
            if _same_day(session, rule) is not None:
                raise InvalidInput(
                    "valid_from",
                    f"There is a rule of {rule.valid_from:%d %b %Y} already. Remove it first, or take another day.",
                )
            session.add(
                MarketRuleRow(
                    kind=rule.kind.value,
                    underlying=rule.underlying,
                    value=rule.value,
                    valid_from=rule.valid_from,
                    source=rule.source,
                )
            )
            self._changed(session, by, rule, None, _words(rule))
        self._book = None
        return rule

    def remove(self, by: Actor, rule_id: int) -> MarketRule:
        """The one before it holds again, if there is one. Raises NotFound."""
        with self._database.transaction() as session:
            row = session.get(MarketRuleRow, rule_id)
            if row is None:
                raise NotFound("This rule is gone. Somebody removed it.")
            rule = _rule(row)
            session.delete(row)
            self._changed(session, by, rule, _words(rule), None)
        self._book = None
        return rule

    def _changed(self, session: Session, by: Actor, rule: MarketRule, was: str | None, now: str | None) -> None:
        subject = f"{FACTS[rule.kind].label}{'' if rule.underlying is None else f', {rule.underlying}'}"
        session.add(
            SettingChange(
                area=AREA, subject=subject, was=was, now=now, user_id=by.id, actor=by.username, at=self._clock.now()
            )
        )
        self._activity.record(
            session,
            user_id=by.id,
            actor=by.username,
            action="market_rule.change",
            subject=f"market_rule:{rule.kind.value}",
            sentence=f"Market rule {subject}: from {was or 'nothing'} to {now or 'nothing'}.",
            detail={"was": was, "now": now},
        )


def _rule(row: MarketRuleRow) -> MarketRule:
    return MarketRule(RuleKind(row.kind), row.underlying, row.value, row.valid_from, row.source)


def _words(rule: MarketRule) -> str:
    return f"{FACTS[rule.kind].words(rule.value)} from {rule.valid_from:%d %b %Y} ({rule.source})"[:200]


def _same_day(session: Session, rule: MarketRule) -> MarketRuleRow | None:
    wanted = select(MarketRuleRow).where(
        MarketRuleRow.kind == rule.kind.value,
        MarketRuleRow.valid_from == rule.valid_from,
        MarketRuleRow.underlying.is_(None) if rule.underlying is None else MarketRuleRow.underlying == rule.underlying,
    )
    return session.scalars(wanted).first()
