"""Foreign positions that somebody chose to live with: exactly so many units, until they change or it is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, exists, select
from sqlalchemy.orm import Session

from app.domain.contracts import ContractKey
from app.domain.errors import Conflict
from app.persistence.database import Database
from app.persistence.locking import lock_table
from app.persistence.tables import IgnoredPosition, Position, TradingAccount
from app.ports.clock import Clock
from app.services.account_types import Actor
from app.services.activity import Activity
from app.services.book_ledger import Place


@dataclass(frozen=True, slots=True)
class Ignored:
    """Signed units, and who wants to hear no more of them."""

    units: int
    by: str


def ignored_in(session: Session, account_ids: Sequence[int]) -> dict[Place, Ignored]:
    """By account, contract and product."""
    rows = session.scalars(select(IgnoredPosition).where(IgnoredPosition.account_id.in_(account_ids)))
    return {
        (row.account_id, ContractKey(row.exchange, row.symbol), row.product): Ignored(row.units, row.actor)
        for row in rows
    }


def forget(session: Session, account_id: int, contract: ContractKey, product: str) -> bool:
    """Whatever is ignored there is not any more. True when something was."""
    here = (
        IgnoredPosition.account_id == account_id,
        IgnoredPosition.exchange == contract.exchange,
        IgnoredPosition.symbol == contract.symbol,
        IgnoredPosition.product == product,
    )
    known = session.scalars(select(IgnoredPosition.id).where(*here)).first()
    session.execute(delete(IgnoredPosition).where(*here))
    return known is not None


_FLAT = ~exists().where(
    Position.account_id == IgnoredPosition.account_id,
    Position.exchange == IgnoredPosition.exchange,
    Position.symbol == IgnoredPosition.symbol,
    Position.product == IgnoredPosition.product,
    Position.net != 0,
)


_ANY_OF = select(IgnoredPosition.id).where(IgnoredPosition.account_id == bindparam("account_id")).limit(1)


def forget_flat(session: Session, account_id: int) -> None:
    """What is flat at the broker is over: the same number of units tomorrow is another position, and speaks up."""
    if session.scalars(_ANY_OF, {"account_id": account_id}).first() is None:
        return  # nearly always
    session.execute(delete(IgnoredPosition).where(IgnoredPosition.account_id == account_id, _FLAT))


class IgnoredPositions:
    """Thread-safe. What is ignored is only not said again: exits, caps and checks of exposure count it as before."""

    def __init__(self, database: Database, clock: Clock, activity: Activity) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity

    def ignore(self, place: Place, units: int, by: Actor) -> None:
        """Doing it again changes nothing. The caller has seen that so many units are foreign there."""
        account_id, contract, product = place
        with self._database.transaction() as session:
            lock_table(session, IgnoredPosition)
            known = ignored_in(session, [account_id]).get(place)
            if known is not None and known.units == units:
                return
            forget(session, account_id, contract, product)
            session.add(
                IgnoredPosition(
                    account_id=account_id,
                    exchange=contract.exchange,
                    symbol=contract.symbol,
                    product=product,
                    units=units,
                    user_id=by.id,
                    actor=by.username,
                    at=self._clock.now(),
                )
            )
            self._log(session, by, place, "position.ignore", f"Ignores {units:+d} foreign {contract.symbol} {product}")

    def take_back(self, place: Place, by: Actor) -> None:
        """Raises Conflict when nothing is ignored there any more."""
        with self._database.transaction() as session:
            if not forget(session, *place):
                raise Conflict("Nothing is ignored there any more.")
            words = f"Does not ignore foreign {place[1].symbol} {place[2]} any more"
            self._log(session, by, place, "position.unignore", words)

    def _log(self, session: Session, by: Actor, place: Place, action: str, words: str) -> None:
        account = session.get_one(TradingAccount, place[0]).name
        self._activity.record(
            session,
            user_id=by.id,
            actor=by.username,
            action=action,
            subject=f"account:{place[0]}",
            sentence=f"{words} in {account}.",
        )
