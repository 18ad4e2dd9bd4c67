"""Which processes serve pages beside the one that leads, and what is looked at there: one row each, with an end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.contracts import ContractKey
from app.persistence.database import Database
from app.persistence.moments import has_clock, moment
from app.persistence.tables import Onlooker
from app.persistence.turns import Turn
from app.ports.clock import Clock

LASTS_S = 15.0
"""How long a process counts after it last said something."""


@dataclass(frozen=True, slots=True, order=True)
class WantedCandles:
    """Of the legs with their ratios, in so many minutes; `of_closes` as CandleStore has it."""

    legs: tuple[tuple[ContractKey, float], ...]
    size: int
    of_closes: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Chains (underlying and expiry) that somebody looks at, options whose depth is open, and candles on a page."""

    chains: tuple[tuple[str, date], ...] = ()
    depths: tuple[ContractKey, ...] = ()
    candles: tuple[WantedCandles, ...] = ()


_WANTED = msgspec.json.Decoder(Wanted)


class Onlookers:
    """Thread-safe. Raises the database's errors."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def say(self, name: str, wanted: Wanted) -> None:
        """The process of that name is there, and this is looked at in it, until it says otherwise or falls silent."""
        ours = self._clock.now()
        with self._database.transaction(Turn.LATER) as session:
            insert: Any = postgresql.insert if has_clock(session) else sqlite.insert
            values = {"wanted": msgspec.json.encode(wanted).decode(), "expires_at": moment(session, ours, LASTS_S)}
            query = insert(Onlooker).values(name=name, **values)
            session.execute(query.on_conflict_do_update(index_elements=["name"], set_=values))

    def sweep(self) -> None:
        """Delete the rows of processes that are gone. Apart from `say`, or two who do both might wait in a ring."""
        with self._database.transaction(Turn.LATER) as session:
            session.execute(delete(Onlooker).where(Onlooker.expires_at <= moment(session, self._clock.now())))

    def leave(self, name: str) -> None:
        with self._database.transaction(Turn.LATER) as session:
            session.execute(delete(Onlooker).where(Onlooker.name == name))

    def wanted(self) -> Wanted | None:
        """By all of them together; None when there is none."""
        with self._database.reading() as session:
            query = select(Onlooker.wanted).where(Onlooker.expires_at > moment(session, self._clock.now()))
            found = session.scalars(query).all()
        return _together(_WANTED.decode(each) for each in found) if found else None


def _together(each: Iterable[Wanted]) -> Wanted:
    chains: dict[tuple[str, date], None] = {}
    depths: dict[ContractKey, None] = {}
    candles: dict[WantedCandles, None] = {}
    for wanted in each:
        chains |= dict.fromkeys(wanted.chains)
        depths |= dict.fromkeys(wanted.depths)
        candles |= dict.fromkeys(wanted.candles)
    return Wanted(tuple(chains), tuple(depths), tuple(candles))
