"""How many positions of an account nobody here explains and nobody chose to ignore, for a word on other pages."""

from collections import Counter
from collections.abc import Collection

from sqlalchemy import select

from app.domain.adoption import foreign_units, is_ignored
from app.domain.contracts import ContractKey
from app.persistence.tables import Position
from app.services.book_ledger import Place
from app.services.ignored_positions import ignored_in
from app.web.desk import Desk


def foreign_positions(desk: Desk, account_ids: Collection[int]) -> Counter[int]:
    """By account, as the books were last read. What an order of ours may still change is left out."""
    ours: dict[Place, int] = {}
    moving: set[Place] = set()
    for run_id in desk.run_board.living():
        for cell in desk.run_board.view(run_id).cells:
            place = (cell.account_id, cell.contract.key, cell.product)
            ours[place] = ours.get(place, 0) + cell.net
            if cell.open_orders:
                moving.add(place)
    found: Counter[int] = Counter()
    with desk.database.reading() as session:
        ids = sorted(account_ids)
        ignored = ignored_in(session, ids)
        for row in session.scalars(select(Position).where(Position.account_id.in_(ids), Position.net != 0)):
            place = (row.account_id, ContractKey(row.exchange, row.symbol), row.product)
            foreign = foreign_units(ours.get(place, 0), row.net)
            known = ignored.get(place)
            if foreign and place not in moving and not is_ignored(foreign, known.units if known else None):
                found[row.account_id] += 1
    return found
