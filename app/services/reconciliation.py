"""The page of the reconciler: for each account, contract and product what the broker has and what our fills say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.adoption import foreign_units, is_ignored, why_not
from app.domain.agreement import URGENT_FIRST, Agreement, compare
from app.domain.books import BrokerPosition
from app.domain.contracts import Contract, ContractKey
from app.domain.errors import Conflict, Unavailable
from app.domain.wording import contract_name
from app.persistence.database import Database
from app.ports.clock import Clock, MarketClock
from app.services.accounts import AccountRow, Accounts, Actor
from app.services.adoption_facts import OurSides
from app.services.book_ledger import OurPosition, Place, our_positions
from app.services.book_lines import Merged, Source
from app.services.book_reader import POSITIONS, AccountBook, BookReader
from app.services.ignored_positions import Ignored, IgnoredPositions, ignored_in
from app.services.settling import PRICE_STEP

_Held = tuple[ContractKey | None, str]
"""Contract and product; a contract that the gateway could not name is None."""

UNNAMED = "a contract the gateway cannot name"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementLine:
    """`ours` and `broker` are signed units; `broker` is the last good figure when `agreement` is UNREAD, or None.

    `moving`: an order of ours may still change it. `age_s` is of the broker's figure, None when it was never read.
    `foreign` are signed units that nobody here explains, 0 where the book was not read. `average` is the broker's where
    it is that of the foreign units, None where somebody has to type it. `adopt_no` says why they cannot be adopted;
    None: they can, or there are none. `ignored_by` ignores exactly so many, None: nobody does. `exchange` and `symbol`
    name the contract on the wire, None for one that the gateway could not name.
    """

    account_id: int
    account: str
    contract: str
    exchange: str | None
    symbol: str | None
    product: str
    lot_size: int | None
    agreement: Agreement
    ours: int
    broker: int | None
    difference: int | None
    sentence: str
    run_id: int | None
    moving: bool
    age_s: float | None
    foreign: int
    average: Decimal | None
    adopt_no: str | None
    ignored_by: str | None


@dataclass(frozen=True, slots=True)
class AgreementSummary:
    positions: int
    agreeing: int
    ignored: int


@dataclass(frozen=True, slots=True)
class _Ours:
    """What our rows say of one account."""

    positions: Mapping[Place, OurPosition]
    sides: OurSides
    ignored: Mapping[Place, Ignored]


class Reconciliation:
    """Thread-safe. Each call reads the positions of the accounts that the user may see, side by side."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        reader: BookReader,
        clock: Clock,
        market_clock: MarketClock,
        *,
        ignoring: IgnoredPositions,
        contract_of: Callable[[ContractKey], Contract | None],
    ) -> None:
        """`contract_of` gives None for a contract that today's list does not have."""
        self._database = database
        self._accounts = accounts
        self._reader = reader
        self._clock = clock
        self._market_clock = market_clock
        self._ignoring = ignoring
        self._contract_of = contract_of

    def lines(self, viewer: Actor) -> Merged[AgreementLine, AgreementSummary]:
        """What disagrees first; what is flat on both sides is left out where the book was read."""
        books, rows = self._read(self._accounts.shown_to(viewer))
        rows.sort(key=lambda row: (*_urgency(row), row.account, row.contract, row.product))
        agreeing = sum(1 for row in rows if row.agreement is Agreement.MATCH)
        ignored = sum(1 for row in rows if row.ignored_by is not None)
        sources = tuple(
            Source(book.account.name, "unreadable" if book.reason else "read", book.age_s, book.at, book.reason)
            for book in books
        )
        return Merged(tuple(rows), AgreementSummary(len(rows), agreeing, ignored) if rows else None, sources)

    def at(self, viewer: Actor, place: Place) -> AgreementLine:
        """What stands at one place, its account's book read now.

        Raises NotFound for another's account, Unavailable while its book cannot be read, Conflict where nothing is.
        """
        account = self._accounts.one(viewer, place[0])
        books, rows = self._read([account])
        if books[0].reason is not None:
            raise Unavailable(f"{account.name} cannot be read now: {books[0].reason}")
        here = (row for row in rows if (row.exchange, row.symbol, row.product) == _wire(place))
        found = next(here, None)
        if found is None:
            raise Conflict(f"{account.name} holds no {place[1].symbol} in {place[2]} any more. Look again.")
        return found

    def ignore(self, by: Actor, place: Place, units: int) -> None:
        """Say no more of exactly so many foreign units. Doing it again changes nothing.

        Raises NotFound for another's account, Unavailable while its book cannot be read, Conflict when the number that
        was shown is not the number that is there.
        """
        account = self._accounts.one(by, place[0])
        books, rows = self._read([account])
        if books[0].reason is not None:
            raise Unavailable(f"{account.name} cannot be read now, so nothing is ignored there: {books[0].reason}")
        here = (row.foreign for row in rows if (row.exchange, row.symbol, row.product) == _wire(place))
        foreign = next(here, 0)
        if foreign != units:
            raise Conflict(f"Shown were {units:+d} foreign units; there are {foreign:+d} now. Look again.")
        self._ignoring.ignore(place, units, by)

    def take_back(self, by: Actor, place: Place) -> None:
        """Ignore nothing there any more. Raises NotFound for another's account, Conflict when nothing was ignored."""
        self._accounts.one(by, place[0])
        self._ignoring.take_back(place, by)

    def _read(
        self, accounts: Sequence[AccountRow]
    ) -> tuple[list[AccountBook[list[BrokerPosition]]], list[AgreementLine]]:
        books = self._reader.read(POSITIONS, accounts)
        ids, now = [account.id for account in accounts], self._clock.now()
        try:
            market_now = self._market_clock.now()
        except Unavailable:
            market_now = None
        with self._database.reading() as session:
            ours = _Ours(
                our_positions(session, ids, now),
                OurSides(session, ids, now=now, market_now=market_now),
                ignored_in(session, ids),
            )
        return books, [row for book in books for row in self._of_account(book, ours)]

    def _of_account(self, book: AccountBook[list[BrokerPosition]], ours: _Ours) -> list[AgreementLine]:
        nets = _nets(book)
        mine = [(place[1], place[2]) for place in ours.positions if place[0] == book.account.id]
        rows = []
        for held in dict.fromkeys([*mine, *(nets or {})]):
            said, average = (None, None) if nets is None else nets.get(held, (0, None))
            position = None if held[0] is None else ours.positions.get((book.account.id, held[0], held[1]))
            if said or (position is not None and position.state.units):
                rows.append(self._line(book, held, position, ours, said=said, average=average))
        return rows

    def _line(
        self,
        book: AccountBook[list[BrokerPosition]],
        held: _Held,
        position: OurPosition | None,
        ours: _Ours,
        *,
        said: int | None,
        average: Decimal | None,
    ) -> AgreementLine:
        key, product = held
        units = position.state.units if position is not None else 0
        compared = compare(units, None if book.reason is not None else said)
        contract = self._contract_of(key) if key is not None else None
        listed_lot = contract.lot_size if contract is not None else None
        name = UNNAMED if key is None else _name(key, contract)
        foreign = 0 if compared.agreement is Agreement.UNREAD or said is None else foreign_units(units, said)
        known, no = None, f"It is {UNNAMED}."
        ignored = None
        if key is not None:
            place = (book.account.id, key, product)
            standing = ours.sides.standing(
                place, contract=name, broker=said or 0, average=average, lot_size=listed_lot
            )  # fmt: skip
            refusal = why_not(standing)
            known, no = standing.known_average, "" if refusal is None else str(refusal)
            ignored = ours.ignored.get(place)
        quiet = ignored is not None and is_ignored(foreign, ignored.units)
        return AgreementLine(
            account_id=book.account.id,
            account=book.account.name,
            contract=name,
            exchange=None if key is None else key.exchange,
            symbol=None if key is None else key.symbol,
            product=product,
            lot_size=position.lot_size if position is not None else listed_lot,
            agreement=compared.agreement,
            ours=units,
            broker=said,
            difference=compared.difference,
            sentence=compared.sentence,
            run_id=position.run_id if position is not None else None,
            moving=position.moving if position is not None else False,
            age_s=book.age_s,
            foreign=foreign,
            average=known,
            adopt_no=(no or None) if foreign else None,
            ignored_by=ignored.by if quiet and ignored is not None else None,
        )


def _urgency(row: AgreementLine) -> tuple[bool, int]:
    """What somebody chose to live with comes after all that disagrees, and before what agrees."""
    agrees = row.agreement is Agreement.MATCH
    return agrees or row.ignored_by is not None, URGENT_FIRST.index(row.agreement)


def _wire(place: Place) -> tuple[str, str, str]:
    return place[1].exchange, place[1].symbol, place[2]


def _name(key: ContractKey, contract: Contract | None) -> str:
    return key.symbol if contract is None else contract_name(contract)


def _nets(book: AccountBook[list[BrokerPosition]]) -> dict[_Held, tuple[int, Decimal | None]] | None:
    """Net and average of each holding, as the reconciler keeps them."""
    if book.value is None:
        return None
    nets: dict[_Held, tuple[int, Decimal | None]] = {}
    for position in book.value:
        held = (position.contract, position.product)
        net, average = nets.get(held, (0, None))
        if average is None and position.average is not None:
            average = position.average.quantize(PRICE_STEP)
        nets[held] = (net + position.net, average)
    return nets
