"""The books: orders, trades, positions, holdings and funds, merged over the accounts a user may see."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from flask import render_template
from flask.typing import ResponseReturnValue

from app.services.accounts import AccountRow
from app.services.book_lines import FundsLine, FundsSummary, Merged, OrderLine, PositionLine
from app.trading import trading_bp
from app.web.account_words import mode_word, reason_of, state_word
from app.web.desk import desk
from app.web.market_time import newest_first, on_page
from app.web.run_events import with_names
from app.web.signed_in import user


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsView:
    """An account's funds with its state and mode."""

    account: str
    mode: str | None
    available: Decimal | None
    collateral: Decimal | None
    used: Decimal | None
    used_pct: int | None
    realised: Decimal | None
    unrealised: Decimal | None
    at: datetime | str | None
    state: str
    reason: str | None


@trading_bp.get("/orders")
def orders() -> ResponseReturnValue:
    book = desk().book_pages.orders(user())
    rows = tuple(_order(row) for row in newest_first(desk(), book.rows))
    return render_template("trading/orders.html", book=replace(book, rows=rows))


@trading_bp.get("/trades")
def trades() -> ResponseReturnValue:
    book = desk().book_pages.trades(user())
    return render_template("trading/trades.html", book=replace(book, rows=newest_first(desk(), book.rows)))


@trading_bp.get("/positions")
def positions() -> ResponseReturnValue:
    book = desk().book_pages.positions(user())
    return render_template("trading/positions.html", book=replace(book, rows=_by_contract(book.rows)))


@trading_bp.get("/holdings")
def holdings() -> ResponseReturnValue:
    return render_template("trading/holdings.html", book=desk().book_pages.holdings(user()))


@trading_bp.get("/funds")
def funds() -> ResponseReturnValue:
    return render_template("trading/funds.html", book=_with_states(desk().book_pages.funds(user())))


@trading_bp.get("/reconciliation")
def reconciliation() -> ResponseReturnValue:
    modes = {
        account.id: mode_word(account, desk().health.of(account.id).mode)
        for account in desk().accounts.shown_to(user())
    }
    book, asked = desk().reconciliation.lines(user()), desk().adoptions.recent(user())
    names = {(row.exchange, row.symbol): row.contract for row in book.rows}
    return render_template("trading/reconciliation.html", book=book, asked=asked, modes=modes, names=names)


def _by_contract(rows: tuple[PositionLine, ...]) -> tuple[PositionLine, ...]:
    """Open ones first, account after account as they came, and in each the contracts in the same order."""
    places = {name: place for place, name in enumerate(dict.fromkeys(row.account for row in rows))}
    return tuple(sorted(rows, key=lambda row: (row.net == 0, places[row.account], row.contract, row.product)))


def _order(line: OrderLine) -> OrderLine:
    message = None if line.message is None else with_names(line.message, {})
    return replace(line, at=on_page(desk(), line.at), message=message)


def _with_states(book: Merged[FundsLine, FundsSummary]) -> Merged[FundsView, FundsSummary]:
    accounts = {account.id: account for account in desk().accounts.shown_to(user())}
    rows = tuple(_view(accounts[line.account_id], line) for line in book.rows if line.account_id in accounts)
    return Merged(rows, book.summary, book.sources)


def _view(account: AccountRow, line: FundsLine) -> FundsView:
    health = desk().health.of(account.id)
    return FundsView(
        account=line.account,
        mode=mode_word(account, health.mode),
        available=line.available,
        collateral=line.collateral,
        used=line.used,
        used_pct=line.used_pct,
        realised=line.realised,
        unrealised=line.unrealised,
        at=on_page(desk(), line.at),
        state=state_word(account, health),
        reason=line.reason or reason_of(account, health, live_sending=desk().settings.live_sending),
    )
