"""What the brokers hold that no living run of ours explains and nobody ignores, by the books that were read last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.domain.adoption import foreign_units, is_ignored
from app.domain.contracts import ContractKey
from app.persistence.database import Database
from app.persistence.tables import Position
from app.services.account_types import AccountRow
from app.services.book_ledger import Place
from app.services.ignored_positions import ignored_in
from app.services.run_board import RunBoard
from app.services.taken_along import Ticked


@dataclass(frozen=True, slots=True)
class ForeignPosition:
    """`ticked` names exactly these units to the kill switch; None where the broker holds less than our fills say."""

    account: str
    symbol: str
    product: str
    units: int
    ticked: Ticked | None

    def words(self) -> str:
        return f"{self.account}: {self.units:+d} units of {self.symbol} {self.product}"


def foreign_positions(
    database: Database, run_board: RunBoard, accounts: Sequence[AccountRow]
) -> tuple[ForeignPosition, ...]:
    """In these accounts, in the order in which they were first seen."""
    names = {account.id: account.name for account in accounts}
    broker: dict[Place, int] = {}
    with database.reading() as session:
        for row in session.scalars(select(Position).where(Position.account_id.in_(names)).order_by(Position.id)):
            broker[row.account_id, ContractKey(row.exchange, row.symbol), row.product] = row.net
        ignored = ignored_in(session, list(names))
    ours = _ours(run_board, broker)
    return tuple(
        _line(names[place[0]], place, ours.get(place, 0), net)
        for place, net in broker.items()
        if net != ours.get(place, 0)
        and not (place in ignored and is_ignored(net - ours.get(place, 0), ignored[place].units))
    )


def _ours(run_board: RunBoard, held: Mapping[Place, int]) -> dict[Place, int]:
    nets: dict[Place, int] = {}
    for run_id in run_board.living():
        for cell in run_board.view(run_id).cells:
            place = (cell.account_id, cell.contract.key, cell.product)
            if place in held:
                nets[place] = nets.get(place, 0) + cell.net
    return nets


def _line(account: str, place: Place, ours: int, broker: int) -> ForeignPosition:
    account_id, contract, product = place
    beyond = foreign_units(ours, broker)
    named = Ticked(account_id, contract.exchange, contract.symbol, product, beyond) if beyond else None
    return ForeignPosition(account, contract.symbol, product, broker - ours, named)
