"""The list of runs, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select

from app.domain.plan import Mode
from app.persistence.tables import Run
from app.services.run_board import RunView
from app.trading.run_rows import run_view
from app.web.desk import Desk
from app.web.market_time import on_page
from app.web.modes import brokers_of, joint_mode, mode_called
from app.web.owners import owners_of
from app.web.run_words import run_state
from app.web.signed_in import SignedIn

MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """`mtm` is None while a held contract has no fresh price; `ended_at` is None while the run lives; `owner` for the
    viewer's own.
    """

    id: int
    strategy_name: str
    owner: str | None
    state: str
    mode: str | None
    underlying: str
    expiry: date | None
    accounts: int
    lots: int
    units: int
    mtm: Decimal | None
    asked_at: datetime | str
    ended_at: datetime | None


def runs_page(desk: Desk, viewer: SignedIn) -> dict[str, object]:
    """The newest runs of this user, at most 100; an admin sees everybody's."""
    wanted = select(Run.id).order_by(Run.id.desc()).limit(MOST)
    if not viewer.is_admin:
        wanted = wanted.where(Run.user_id == viewer.id)
    with desk.database.reading() as session:
        ids = session.scalars(wanted).all()
    views = [run_view(desk, run_id) for run_id in ids]
    owners = owners_of(desk, {view.user_id for view in views} - {viewer.id})
    brokers = brokers_of(desk, {account.account_id for view in views for account in view.accounts})
    return {"runs": [_line(desk, view, brokers, owners.get(view.user_id)) for view in views]}


def _line(desk: Desk, view: RunView, brokers: Mapping[int, str], owner: str | None) -> RunLine:
    return RunLine(
        id=view.run_id,
        strategy_name=view.name,
        owner=owner,
        state=run_state(view.state),
        mode=joint_mode(mode_called(brokers[one.account_id], Mode(one.mode)) for one in view.accounts),
        underlying=" + ".join(dict.fromkeys(cell.contract.underlying for cell in view.cells)),
        expiry=min((cell.contract.expiry for cell in view.cells), default=None),
        accounts=len(view.accounts),
        lots=sum(cell.lots for cell in view.cells),
        units=sum(cell.units for cell in view.cells),
        mtm=desk.run_board.pnl(view).total,
        asked_at=on_page(desk, view.requested_at),
        ended_at=view.closed_at,
    )
