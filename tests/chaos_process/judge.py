"""Compares what the broker really has with what our ledger says, when everything has come to rest.

Exactly one broker order for each intent that names one, none besides, the same fills at the same prices on both sides,
each leg out as it came in, both books flat.
"""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.domain.contracts import Side
from app.domain.orders import FINAL
from app.persistence.tables import FillRow, Intent, StrategyExecution
from tests.live_desk import LiveDesk


@dataclass
class Verdict:
    """`troubles` are sentences; the numbers are counted over all accounts."""

    duplicates: int = 0
    lost: int = 0
    over_closed: int = 0
    orders: int = 0
    troubles: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return not self.troubles


def judge(desk: LiveDesk) -> Verdict:
    verdict = Verdict()
    intents, fills = desk.rows(Intent), desk.rows(FillRow)
    for number, account_id in enumerate(desk.account_ids, start=1):
        truth = desk.simulator.truth(number)
        mine = [intent for intent in intents if intent.account_id == account_id]
        _orders(verdict, number, mine, truth)
        _fills(verdict, number, {intent.id for intent in mine}, fills, truth)
        if net := {p["symbol"]: p["quantity"] for p in truth["positions"] if int(p["quantity"])}:
            verdict.troubles.append(f"account {number} is not flat at its broker: {net}")
    _legs(verdict, intents, fills, desk.rows(StrategyExecution))
    return verdict


def _orders(verdict: Verdict, number: int, intents: list[Any], truth: dict[str, Any]) -> None:
    there = [str(order["orderid"]) for order in truth["orders"]]
    ours = Counter(str(intent.order_id) for intent in intents if intent.order_id)
    verdict.orders += len(there)
    if nobodys := sorted(set(there) - set(ours)):
        verdict.duplicates += len(nobodys)
        verdict.troubles.append(f"account {number}: orders {nobodys} belong to no intent")
    if gone := sorted(set(ours) - set(there)):
        verdict.lost += len(gone)
        verdict.troubles.append(f"account {number}: orders {gone} are in our ledger alone")
    if twice := sorted(order_id for order_id, count in ours.items() if count > 1):
        verdict.duplicates += len(twice)
        verdict.troubles.append(f"account {number}: orders {twice} are counted for two intents")
    if open_still := [f"{i.id} {i.state}" for i in intents if i.state not in FINAL]:
        verdict.lost += len(open_still)
        verdict.troubles.append(f"account {number}: intents are not settled: {open_still}")


def _fills(verdict: Verdict, number: int, intents: set[int], fills: list[Any], truth: dict[str, Any]) -> None:
    ours: dict[str, tuple[int, Decimal]] = {}
    for fill in fills:
        if fill.intent_id in intents:
            units, worth = ours.get(fill.order_id, (0, Decimal(0)))
            ours[fill.order_id] = (units + fill.units, worth + fill.units * fill.price)
    theirs: dict[str, tuple[int, Decimal]] = {}
    for row in truth["fills"]:
        units, worth = theirs.get(str(row["orderid"]), (0, Decimal(0)))
        filled = int(row["quantity"])
        theirs[str(row["orderid"])] = (units + filled, worth + filled * Decimal(str(row["price"])))
    for order_id in sorted(set(ours) | set(theirs)):
        if ours.get(order_id) != theirs.get(order_id):
            verdict.lost += 1
            said = f"fills of order {order_id}: ours {ours.get(order_id)}, the broker's {theirs.get(order_id)}"
            verdict.troubles.append(f"account {number}: {said}")


def _legs(verdict: Verdict, intents: list[Any], fills: list[Any], executions: list[Any]) -> None:
    purpose = {intent.id: intent.purpose for intent in intents}
    moved = Counter[tuple[int, str]]()
    for fill in fills:
        moved[fill.execution_id, purpose[fill.intent_id]] += fill.units
    for execution in executions:
        came, went = moved[execution.id, "ENTRY"], moved[execution.id, "EXIT"]
        what = f"{Side(execution.side).value} {execution.symbol} of run {execution.run_id}"
        if came > execution.units:
            verdict.duplicates += 1
            verdict.troubles.append(f"{what}: {came} units came in, {execution.units} were wanted")
        if went > came:
            verdict.over_closed += 1
        elif went < came:
            verdict.lost += 1
        if went != came:
            verdict.troubles.append(f"{what}: {came} units came in, {went} went out")
