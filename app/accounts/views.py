"""What the account pages show."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import wording
from app.domain.orders import OPEN
from app.persistence.tables import Intent, Position
from app.services.account_health import AccountHealth, HealthState
from app.services.accounts import AccountRow, AccountState
from app.services.activity import Entry
from app.web.account_words import latency_of, mode_word, reason_of, state_word
from app.web.desk import Desk
from app.web.foreign import foreign_positions
from app.web.market_time import on_page


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """One account on the list. `order` counts from 1, the primary."""

    id: int
    name: str
    broker: str
    host: str
    state: str
    reason: str | None
    mode: str | None
    role: str | None
    order: int | None
    can_move_up: bool
    can_move_down: bool
    paused: bool
    latency_ms: int | None
    checked_at: datetime | str | None
    host_url: str
    websocket_url: str
    notes: str
    added_at: datetime
    open_orders: int | None = None
    positions: int | None = None
    foreign: int = 0


@dataclass(frozen=True, slots=True)
class FundsView:
    available: Decimal
    used: Decimal | None
    collateral: Decimal | None
    realised: Decimal | None
    unrealised: Decimal | None
    at: datetime | str | None


@dataclass(frozen=True, slots=True)
class EventView:
    at: datetime
    tone: str
    title: str
    detail: str | None
    url: str | None


def account_views(desk: Desk, accounts: list[AccountRow]) -> list[AccountView]:
    """The accounts in the order of the feed."""
    return [_view(desk, account, index, len(accounts)) for index, account in enumerate(accounts)]


def account_view(desk: Desk, accounts: list[AccountRow], account_id: int) -> AccountView:
    """One of the accounts, with what is open in it."""
    index = next(n for n, account in enumerate(accounts) if account.id == account_id)
    with desk.database.reading() as session:
        open_orders = _open_orders(session, account_id)
        positions = _positions(session, account_id, was_read=desk.health.of(account_id).state is HealthState.OK)
    view = _view(desk, accounts[index], index, len(accounts), open_orders, positions)
    return replace(view, foreign=foreign_positions(desk, [account_id])[account_id])


def funds_view(desk: Desk, health: AccountHealth) -> FundsView | None:
    """None while the funds are unknown."""
    funds = health.funds
    if funds is None:
        return None
    read_at = on_page(desk, health.funds_at)
    return FundsView(funds.available, funds.used, funds.collateral, funds.realised, funds.unrealised, read_at)


def event_views(entries: Iterable[Entry]) -> list[EventView]:
    """With their date: an account lives for longer than a day."""
    return [
        EventView(entry.at, "info", entry.sentence, f"{wording.ist_date(entry.at)}, by {entry.actor}", None)
        for entry in entries
    ]


def _view(
    desk: Desk,
    account: AccountRow,
    index: int,
    count: int,
    open_orders: int | None = None,
    positions: int | None = None,
) -> AccountView:
    health = desk.health.of(account.id)
    return AccountView(
        id=account.id,
        name=account.name,
        broker=account.broker,
        host=urlsplit(account.host_url).netloc,
        state=state_word(account, health),
        reason=reason_of(account, health, live_sending=desk.settings.live_sending),
        mode=mode_word(account, health.mode),
        role="primary" if index == 0 else "backup",
        order=index + 1,
        can_move_up=index > 0,
        can_move_down=index + 1 < count,
        paused=account.state is not AccountState.ACTIVE,
        latency_ms=latency_of(health),
        checked_at=on_page(desk, health.seen_at),
        host_url=account.host_url,
        websocket_url=account.websocket_url,
        notes=account.notes,
        added_at=account.created_at,
        open_orders=open_orders,
        positions=positions,
    )


def _open_orders(session: Session, account_id: int) -> int:
    states = [state.value for state in OPEN]
    query = select(func.count()).select_from(Intent).where(Intent.account_id == account_id, Intent.state.in_(states))
    return session.scalars(query).one()


def _positions(session: Session, account_id: int, *, was_read: bool) -> int | None:
    """Positions that are not flat as last read; None when they were never read."""
    nets = session.scalars(select(Position.net).where(Position.account_id == account_id)).all()
    return sum(1 for net in nets if net) if nets or was_read else None
