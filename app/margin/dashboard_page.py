"""What the margin dashboard shows: each account's funds, what is spoken for, and what each grade may use of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.money import ZERO
from app.domain.sizing import Figure, Grade, Profile, Sizing
from app.services.accounts import AccountRow
from app.services.book_lines import FundsLine, FundsSummary
from app.services.reserved_margin import NOTHING, Reserved, reserved
from app.web.account_choice import chosen_accounts
from app.web.account_words import mode_word, reason_of, state_word
from app.web.desk import Desk
from app.web.market_time import on_page
from app.web.signed_in import SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMargin:
    """Rupees, None where nobody says. `usable` is by grade, after what is reserved."""

    account_id: int
    account: str
    state: str
    reason: str | None
    mode: str | None
    available: Decimal | None
    collateral: Decimal | None
    used: Decimal | None
    used_pct: int | None
    reserved: Decimal | None
    reserved_for: tuple[int, ...]
    usable: dict[str, Decimal | None]
    at: datetime | str | None


UNKNOWN = FundsSummary(None, None, None, None, None)


def dashboard_page(desk: Desk, viewer: SignedIn, asked: str) -> dict[str, object]:
    """Of the accounts that were asked for. Raises InvalidInput for those that are not there."""
    chosen = chosen_accounts(desk, viewer, asked)
    accounts = {account.id: account for account in chosen.accounts}
    book = desk.book_pages.funds(viewer, chosen.ids)
    with desk.database.reading() as session:
        held = reserved(session)
    grades = desk.margin_settings.grades()
    rows = [
        _row(desk, accounts[line.account_id], line, held.get(line.account_id, NOTHING), grades)
        for line in book.rows
        if line.account_id in accounts
    ]
    return {
        "chosen": chosen,
        "rows": rows,
        "summary": book.summary or UNKNOWN,
        "sources": book.sources,
        "grades": {grade.value: grades.get(grade) for grade in Grade},
        "usable": {grade.value: _total([row.usable[grade.value] for row in rows]) for grade in Grade},
    }


def _row(
    desk: Desk, account: AccountRow, line: FundsLine, held: Reserved, grades: Mapping[Grade, Decimal]
) -> AccountMargin:
    health = desk.health.of(account.id)
    return AccountMargin(
        account_id=account.id,
        account=line.account,
        state=state_word(account, health),
        reason=line.reason or reason_of(account, health, live_sending=desk.settings.live_sending),
        mode=mode_word(account, health.mode),
        available=line.available,
        collateral=line.collateral,
        used=line.used,
        used_pct=line.used_pct,
        reserved=None if held.unknown else held.amount,
        reserved_for=(*held.runs, *held.unknown),
        usable={grade.value: _usable(line.available, held, grades.get(grade)) for grade in Grade},
        at=on_page(desk, line.at),
    )


def _usable(available: Decimal | None, held: Reserved, percent: Decimal | None) -> Decimal | None:
    """As a sizing would have it; None where any part of it is not known."""
    if available is None or percent is None or held.unknown:
        return None
    sizing = Sizing(
        profile=Profile.BALANCED,
        free=Figure(available, "broker"),
        reserved=Figure(held.amount, "runs"),
        percent=Figure(percent, "grade"),
    )
    return sizing.usable


def _total(amounts: list[Decimal | None]) -> Decimal | None:
    """None as soon as one is not known: a sum that leaves one out says something else."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if known and len(known) == len(amounts) else None
