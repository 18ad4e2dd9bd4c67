"""What an account may be: its fields, what no two may share, and when it must stay as it is."""

from dataclasses import replace
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.account_groups import check_leg_lots, check_multiplier
from app.domain.errors import InvalidInput
from app.domain.orders import OPEN
from app.domain.pacing import LEAST_PER_SECOND, MOST_PER_SECOND
from app.persistence.tables import Intent, Run, StrategyExecution, TradingAccount
from app.services.account_check import checked_address
from app.services.account_types import AccountForm, AccountState


def checked_form(form: AccountForm, *, key_needed: bool) -> AccountForm:
    name = form.name.strip()
    if not 1 <= len(name) <= 100:
        raise InvalidInput("name", "Give the account a name of at most 100 characters.")
    key = form.api_key.strip()
    if key_needed and not key:
        raise InvalidInput("api_key", "Copy the API key from OpenAlgo's API key page.")
    if len(key) > 256 or not key.isascii() or any(not letter.isprintable() or letter.isspace() for letter in key):
        raise InvalidInput("api_key", "This is not an API key: it is one word of at most 256 plain characters.")
    host = checked_address("host_url", form.host_url.strip(), ("http", "https"))
    websocket = checked_address("websocket_url", form.websocket_url.strip(), ("ws", "wss"))
    most = form.orders_per_second
    if most is not None and not LEAST_PER_SECOND <= most <= MOST_PER_SECOND:
        raise InvalidInput("orders_per_second", f"Take {LEAST_PER_SECOND} to {MOST_PER_SECOND} calls in a second.")
    form.limits.check()
    check_leg_lots(form.max_leg_lots)
    check_multiplier(form.multiplier)
    return replace(form, name=name, host_url=host, websocket_url=websocket, api_key=key, notes=form.notes.strip())


def refuse_taken(session: Session, form: AccountForm, *, but: int | None) -> None:
    """One gateway is one broker account: the same gateway twice would send every order twice."""
    for account in listed(session):
        if account.id == but:
            continue
        if account.name.casefold() == form.name.casefold():
            raise InvalidInput("name", f"There is an account {account.name} already. Choose another name.")
        if _gateway_place(account.host_url) == _gateway_place(form.host_url):
            raise InvalidInput(
                "host_url", f"{account.name} uses this gateway already. Each account has a gateway of its own."
            )


def _gateway_place(host_url: str) -> tuple[str, int]:
    """Host and port; this machine by whatever name is one host."""
    parts = urlsplit(host_url)
    host = parts.hostname or ""
    usual = 443 if parts.scheme == "https" else 80
    return ("127.0.0.1" if host in {"localhost", "::1"} else host, parts.port or usual)


def open_reason(session: Session, account_id: int) -> str | None:
    run = session.scalars(
        select(Run)
        .join(StrategyExecution, StrategyExecution.run_id == Run.id)
        .where(StrategyExecution.account_id == account_id, Run.state.not_in(("CLOSED", "REFUSED")))
        .limit(1)
    ).first()
    if run is not None:
        return f"the run {run.name} is open in it. Exit that first."
    intent = session.scalars(
        select(Intent.id)
        .where(Intent.account_id == account_id, Intent.state.in_([state.value for state in OPEN]))
        .limit(1)
    ).first()
    return (
        "an order of it is not settled yet. Wait for that, or look at the order book." if intent is not None else None
    )


_IN_ORDER = (TradingAccount.feed_rank, TradingAccount.id)
_LISTED = select(TradingAccount).where(TradingAccount.state != AccountState.ARCHIVED).order_by(*_IN_ORDER)
_LISTED_IDS = select(TradingAccount.id).where(TradingAccount.state != AccountState.ARCHIVED).order_by(*_IN_ORDER)


def listed(session: Session) -> list[TradingAccount]:
    return list(session.scalars(_LISTED))


def listed_ids(session: Session) -> list[int]:
    """Of the same accounts in the same order: loops ask each second, and need no more."""
    return list(session.scalars(_LISTED_IDS))


def number(accounts: list[TradingAccount]) -> None:
    for rank, account in enumerate(accounts):
        account.feed_rank = rank
