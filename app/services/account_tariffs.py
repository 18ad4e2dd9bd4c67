"""Brokerage of single accounts, dated: typed by admins, used wherever a run's charges are worked out."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import InvalidInput, NotFound
from app.domain.tariffs import DatedTariff, Tariff, tariff_on
from app.persistence.database import Database
from app.persistence.locking import lock_table
from app.persistence.tables import AccountTariff
from app.ports.clock import Clock
from app.services.accounts import Accounts, Actor
from app.services.activity import Activity

Tariffs = Mapping[int, tuple[DatedTariff, ...]]
"""By account; one without any goes by the market rules."""


@dataclass(frozen=True, slots=True)
class KeptTariff:
    """With the number it is removed by, and who typed it."""

    id: int
    dated: DatedTariff
    by: str


class AccountTariffs:
    """Thread-safe. Every method sees only accounts that the actor may see."""

    def __init__(self, database: Database, clock: Clock, accounts: Accounts, activity: Activity) -> None:
        self._database = database
        self._clock = clock
        self._accounts = accounts
        self._activity = activity

    def kept(self, viewer: Actor, account_id: int) -> tuple[KeptTariff, ...]:
        """The newest first. Raises NotFound."""
        self._accounts.one(viewer, account_id)
        query = select(AccountTariff).where(AccountTariff.account_id == account_id)
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(AccountTariff.valid_from.desc()))
            return tuple(KeptTariff(row.id, _dated(row), row.actor) for row in rows)

    def on(self, account_ids: Collection[int], day: date) -> dict[int, Tariff]:
        """Of the accounts that have one of their own that day."""
        with self._database.reading() as session:
            return tariffs_on(tariffs_in(session, account_ids), day)

    def add(self, by: Actor, account_id: int, dated: DatedTariff) -> None:
        """From its first day on it holds instead of the one before. Raises InvalidInput naming the field, NotFound."""
        account = self._accounts.one(by, account_id)
        dated.tariff.check()
        with self._database.transaction() as session:
            lock_table(session, AccountTariff)
            same = select(AccountTariff.id).where(
                AccountTariff.account_id == account_id, AccountTariff.valid_from == dated.valid_from
            )
            if session.scalars(same).first() is not None:
                day = f"{dated.valid_from:%d %b %Y}"
                raise InvalidInput(
                    "valid_from", f"There is one of {day} already. Remove it first, or take another day."
                )
            tariff = dated.tariff
            session.add(
                AccountTariff(
                    account_id=account_id, valid_from=dated.valid_from, flat=tariff.flat, percent=tariff.percent,
                    cap=tariff.cap, user_id=by.id, actor=by.username, at=self._clock.now(),
                )
            )  # fmt: skip
            words = f"Brokerage of {account.name}: {tariff.words()} from {dated.valid_from:%d %b %Y}."
            self._log(session, by, account_id, words)

    def remove(self, by: Actor, account_id: int, tariff_id: int) -> None:
        """The one before it holds again, or the market rules. Raises NotFound."""
        account = self._accounts.one(by, account_id)
        with self._database.transaction() as session:
            row = session.get(AccountTariff, tariff_id)
            if row is None or row.account_id != account_id:
                raise NotFound("This brokerage is gone. Somebody removed it.")
            words = f"Brokerage of {account.name}: the one from {row.valid_from:%d %b %Y} on is removed."
            session.delete(row)
            self._log(session, by, account_id, words)

    def _log(self, session: Session, by: Actor, account_id: int, sentence: str) -> None:
        self._activity.record(
            session, user_id=by.id, actor=by.username, action="account.brokerage", subject=f"account:{account_id}",
            sentence=sentence,
        )  # fmt: skip


def tariffs_in(session: Session, account_ids: Iterable[int]) -> Tariffs:
    """Every tariff of these accounts."""
    found: dict[int, list[DatedTariff]] = defaultdict(list)
    for row in session.scalars(select(AccountTariff).where(AccountTariff.account_id.in_(set(account_ids)))):
        found[row.account_id].append(_dated(row))
    return {account_id: tuple(dated) for account_id, dated in found.items()}


def tariffs_on(tariffs: Tariffs, day: date) -> dict[int, Tariff]:
    every = {account_id: tariff_on(dated, day) for account_id, dated in tariffs.items()}
    return {account_id: tariff for account_id, tariff in every.items() if tariff is not None}


def _dated(row: AccountTariff) -> DatedTariff:
    return DatedTariff(row.valid_from, Tariff(row.flat, row.percent, row.cap))
