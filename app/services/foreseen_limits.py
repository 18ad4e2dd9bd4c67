"""What a preview foresees of limits that a claim would meet: who has no room for all of its orders takes no part."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from app.domain.gate import Stop
from app.domain.plan import AccountPlan
from app.persistence.tables import TradingAccount
from app.services.limit_facts import LimitFacts, limited


def foreseen(
    session: Session, plans: Iterable[tuple[TradingAccount, AccountPlan]], today: date
) -> tuple[AccountPlan, ...]:
    """The plans, where open lots and orders of a day leave room for the whole of each.

    Accounts of a group share its room in the order of the plans: the first that fit take part. Part of a structure is
    never entered for want of room. What other runs take between this and the send is met by the claim.
    """
    facts = LimitFacts(session)
    return tuple(_judged(facts, account, plan, today) for account, plan in plans)


def _judged(facts: LimitFacts, account: TradingAccount, plan: AccountPlan, today: date) -> AccountPlan:
    if plan.skipped is not None:
        return plan
    lots, orders = sum(leg.lots for leg in plan.legs), sum(len(leg.orders) for leg in plan.legs)
    stop = facts.refusal(limited(account), today, lots, orders)
    if stop is not None:
        return _stopped(plan, stop)
    facts.claimed(account.id, lots, orders)
    return plan


def _stopped(plan: AccountPlan, stop: Stop) -> AccountPlan:
    said = (*plan.explanation, stop.sentence)
    return replace(plan, legs=(), pace=None, explanation=said, skipped=stop.sentence, skip_code=stop.code)
