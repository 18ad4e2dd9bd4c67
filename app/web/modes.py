"""How the mode of several accounts is called together, archived ones too."""

from collections.abc import Iterable

from sqlalchemy import select

from app.domain.plan import Mode
from app.persistence.tables import TradingAccount
from app.services.accounts import SIMULATOR
from app.web.desk import Desk

_WEIGHTIEST_FIRST = ("LIVE", "PAPER", "SIM")


def brokers_of(desk: Desk, account_ids: Iterable[int]) -> dict[int, str]:
    """The broker of each account, whether it still takes part or not."""
    with desk.database.reading() as session:
        rows = session.execute(
            select(TradingAccount.id, TradingAccount.broker).where(TradingAccount.id.in_(list(account_ids)))
        ).all()
    return {row.id: row.broker for row in rows}


def mode_called(broker: str, mode: Mode) -> str:
    """SIM, PAPER or LIVE."""
    if broker == SIMULATOR:
        return "SIM"
    return "LIVE" if mode is Mode.LIVE else "PAPER"


def joint_mode(modes: Iterable[str]) -> str | None:
    """LIVE as soon as one is, then PAPER, then SIM; None of none."""
    found = set(modes)
    return next((mode for mode in _WEIGHTIEST_FIRST if mode in found), None)
