"""A desk on a database in memory, as good as new for each schedule, and brokers that report every call they get."""

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, create_engine, event, select
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import StaticPool

from app.domain.books import BrokerOrder, BrokerTrade
from app.domain.contracts import ContractKey, PriceType, Product, Side
from app.domain.money import Units
from app.domain.orders import OrderRequest
from app.domain.outcomes import Outcome
from app.domain.plan import Mode
from app.persistence.database import Database, Table
from app.services.order_desk import OrderDesk
from tests.unit.services.market_fakes import FakeClock
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import BY_HAND, PretendBroker

ACCOUNTS = 2


class _QuickSession(Session):
    """As any session, with queries by id made once for each table: making them takes longer than asking them."""

    def get_one(self, entity: Any, ident: Any, **how: Any) -> Any:
        if how.keys() - {"with_for_update"}:
            return super().get_one(entity, ident, **how)
        known = None if how else self.identity_map.get((entity, (ident,), None))
        return self.scalars(_by_id(entity, to_write=bool(how)), {"id": ident}).one() if known is None else known


@cache
def _by_id(entity: Any, *, to_write: bool) -> Select[Any]:
    return select(entity).where(entity.id == bindparam("id")).execution_options(populate_existing=to_write)


@dataclass
class WatchedBroker(PretendBroker):
    """`asked` hears of each call before it is answered. `shuffle` is the dice that reorder its books, None for none.

    `omits` order rows are left out of the next read. `touched` are symbols in which people traded past us, `alike` ids
    of their orders of today that look like one of ours, `mimicked` the units of those of all days.
    """

    asked: Callable[[OrderRequest], None] = lambda _request: None
    shuffle: random.Random | None = None
    omits: int = 0
    touched: set[str] = field(default_factory=set)
    alike: set[str] = field(default_factory=set)
    mimicked: dict[tuple[ContractKey, Side], int] = field(default_factory=dict)

    def place(self, request: OrderRequest, *, expected: Mode) -> Outcome:
        self.asked(request)
        return super().place(request, expected=expected)

    def order_book(self, expected: Mode | None = None) -> list[BrokerOrder]:
        rows = super().order_book(expected)
        if self.shuffle is not None:
            self.shuffle.shuffle(rows)
        if self.omits:
            rows, self.omits = rows[: -self.omits], 0
        return rows

    def trade_book(self, expected: Mode | None = None) -> list[BrokerTrade]:
        rows = list(super().trade_book(expected))
        if self.shuffle is not None:
            self.shuffle.shuffle(rows)
        return rows

    def by_hand(self, key: ContractKey, side: Side, units: int) -> None:
        self.touched.add(key.symbol)
        super().by_hand(key, side, units)

    def mimic(self, key: ContractKey, side: Side, units: int, price: Decimal) -> None:
        """A stranger's order that nobody can tell from ours."""
        request = OrderRequest(key, side, Units(units), Product.MIS, PriceType.LIMIT, price, Decimal(0), BY_HAND)
        self.touched.add(key.symbol)
        order_id = self.accept(request)
        self.alike.add(order_id)
        self.fill(self.standing[-1], price=price)
        self.mimicked[key, side] = self.mimicked.get((key, side), 0) + units

    def next_day(self) -> None:
        super().next_day()
        self.alike.clear()


class ChaosWorld(OrderWorld):
    """Two accounts. `begin` makes it new, whatever happened in it before; `rows` are read again only after a write."""

    def __init__(self) -> None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        self.connection = _prepare(engine)
        Table.metadata.create_all(engine)
        self.former: OrderDesk | None = None
        self.sending: int | None = None
        self._read: dict[Any, tuple[int, list[Any]]] = {}
        database = Database(engine)
        database._sessions = sessionmaker(engine, class_=_QuickSession, expire_on_commit=False)
        self.prepare(database, ACCOUNTS)
        self._new = sqlite3.connect(":memory:", check_same_thread=False)
        self.connection.backup(self._new)

    def begin(self, asked: Callable[[int, OrderRequest], None]) -> None:
        """A new day at new brokers; `asked` hears of each call with the number of its account."""
        self._new.backup(self.connection)
        self._read.clear()
        self.clock = FakeClock()
        self.hours.now = type(self.hours)().now
        watched = {number: WatchedBroker() for number in self.brokers}
        for number, broker in watched.items():
            broker.asked = lambda request, number=number: asked(number, request)  # type: ignore[misc]
        self.brokers = dict(watched)
        self.watched = watched
        self.epoch, self.sending = 1, None
        self.restart()
        self.former = None

    def restart(self) -> None:
        self.former = getattr(self, "desk", None)
        self.sending = None
        super().restart()

    def send(self, intent_id: int) -> None:
        self.send_from(self.desk, intent_id)

    def send_from(self, desk: OrderDesk, intent_id: int) -> None:
        """A desk of an engine that is gone may be asked too."""
        self.sending = intent_id
        desk.send(intent_id)
        self.sending = None

    def rows(self, table: Any) -> list[Any]:
        """Plain rows with the columns of the table."""
        return self.read_once(select(table.__table__).order_by(table.id), table)

    def read_once(self, query: Select[Any], name: Any) -> list[Any]:
        """The rows of a query that is always the same under this name."""
        changes = self.connection.total_changes
        known = self._read.get(name)
        if known is None or known[0] != changes:
            with self.database.engine.connect() as connection:
                known = self._read[name] = (changes, list(connection.execute(query)))
        return known[1]


def _prepare(engine: Any) -> sqlite3.Connection:
    """As `prepare_sqlite`, for a database that never reaches a disk. Gives its one connection."""
    made: list[sqlite3.Connection] = []

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")
        made.append(connection)

    @event.listens_for(engine, "begin")
    def _on_begin(_connection: Any) -> None:
        made[0].execute("BEGIN")

    engine.connect().close()
    return made[0]
