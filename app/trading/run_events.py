"""The events of a run: its fills together, everything else once, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.contracts import ContractKey, Side
from app.trading.run_rows import Fired, Happening, RunRows
from app.trading.run_rules import fired_words
from app.web.run_events import Filled, Said, fills_together, once, with_names
from app.web.run_words import event_tone


@dataclass(frozen=True, slots=True)
class EventView:
    at: datetime
    tone: str
    title: str
    detail: str | None


def events_of(rows: RunRows, labels: Mapping[ContractKey, str]) -> list[EventView]:
    """Newest first. Fills are told from the fills themselves; beside a rule that fired stands what it judged by."""
    names = {key.symbol: label for key, label in labels.items()}
    said = [_said(event, names) for event in rows.events if event.kind not in {"filled", "rule"}]
    views = [
        *(_view(line) for line in fills_together(_fills(rows, labels))),
        *(_view(line) for line in once(said)),
        *_rules(rows, names),
    ]
    return sorted(views, key=lambda view: view.at)[::-1]


def _said(event: Happening, names: Mapping[str, str]) -> Said:
    who = () if event.account is None else (event.account,)
    return Said(event.at, event.kind, with_names(event.sentence, names), who)


def _fills(rows: RunRows, labels: Mapping[ContractKey, str]) -> list[Filled]:
    accounts = {account.account_id: account.name for account in rows.view.accounts}
    cells = {cell.execution_id: cell for cell in rows.view.cells}
    return [
        Filled(
            at=fill.at,
            account=accounts[cells[fill.execution_id].account_id],
            side=Side(fill.side),
            contract=labels[cells[fill.execution_id].contract.key],
            units=fill.units,
            lot_size=cells[fill.execution_id].contract.lot_size,
            price=Decimal(fill.price),
        )
        for fill in rows.fills
        if fill.execution_id in cells  # written after the view was read: on the next look
    ]


def _rules(rows: RunRows, names: Mapping[str, str]) -> list[EventView]:
    """Each rule that fired was written with one event of kind `rule`."""
    told: list[Fired | None] = [*rows.fired]
    events = [event for event in rows.events if event.kind == "rule"]
    told += [None] * (len(events) - len(told))
    return [
        EventView(
            event.at,
            event_tone(event.kind),
            with_names(event.sentence, names),
            None if fired is None else with_names(fired_words(fired), names),
        )
        for event, fired in zip(events, told, strict=False)
    ]


def _view(line: Said) -> EventView:
    return EventView(line.at, event_tone(line.kind), line.sentence, line.detail)
