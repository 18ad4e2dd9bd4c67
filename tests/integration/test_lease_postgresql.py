"""The lease between processes on a real PostgreSQL: a dead holder is replaced at once, a sleeping one fenced."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text, update
from sqlalchemy.exc import InternalError, ProgrammingError

from app.adapters.clock import SystemClock
from app.domain.contracts import Side
from app.domain.orders import IntentState
from app.engine.engine import Engine
from app.engine.lease import Build, DatabaseLease
from app.engine.supervisor import Supervisor
from app.persistence.database import Database, Table
from app.persistence.leading import until
from app.persistence.tables import LeaseRow
from tests.live_desk import eventually
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL

BUILD = Build((1, 0, 0))
TTL_S = 0.6

HOLDER = """
import sys, time
from sqlalchemy import create_engine
from app.adapters.clock import SystemClock
from app.engine.lease import Build, DatabaseLease
from app.persistence.database import Database
lease = DatabaseLease(Database(create_engine(sys.argv[1])), SystemClock(), Build((1, 0, 0)), ttl_s=float(sys.argv[2]))
assert lease.take()
print("leads", lease.epoch, flush=True)
while lease.renew():
    time.sleep(0.1)
print("lost", flush=True)
"""


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    engine = create_engine(postgres_url)
    Table.metadata.drop_all(engine)
    Table.metadata.create_all(engine)
    yield Database(engine)
    engine.dispose()


def lease_on(database: Database, *, ttl_s: float = 60.0, sure_s: float = 30.0) -> DatabaseLease:
    return DatabaseLease(database, SystemClock(), BUILD, ttl_s=ttl_s, sure_s=sure_s)


class Holder:
    """Another process that leads and renews ten times a second."""

    def __init__(self, url: str, ttl_s: float) -> None:
        command = [sys.executable, "-c", HOLDER, url, str(ttl_s)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.says() == "leads 1"

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def signal(self, which: signal.Signals) -> None:
        os.kill(self.process.pid, which)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def holder(database: Database, postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Holder]:
    made = Holder(postgres_url, getattr(request, "param", TTL_S))
    yield made
    made.end()


def test_the_second_waits_until_the_first_gives_back(database: Database) -> None:
    first, second = lease_on(database), lease_on(database)
    assert first.take()
    assert not second.take()
    assert (first.epoch, second.epoch) == (1, None)
    first.give_back()
    assert second.take()
    assert second.epoch == 2
    second.give_back()


def test_who_gives_back_keeps_no_guard_in_a_pool(database: Database) -> None:
    """Else the next one would lead without a guard, and be taken for dead when the pool lets the connection go."""
    lease = lease_on(database)
    assert lease.take()
    assert guards(database) == 1
    lease.give_back()
    assert guards(database) == 0


def guards(database: Database) -> int:
    """How many connections of this database hold an advisory lock."""
    held = text(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
        "WHERE locktype = 'advisory' AND granted AND datname = current_database()"
    )
    with database.reading() as session:
        count: int = session.scalars(held).one()
    return count


@pytest.mark.parametrize("holder", [60.0], indirect=True)
def test_a_killed_holder_is_replaced_long_before_its_lease_ends(database: Database, holder: Holder) -> None:
    mine = lease_on(database)
    assert not mine.take()
    holder.signal(signal.SIGKILL)
    eventually(mine.take, "the lease of a dead process is free", within_s=10)
    assert mine.epoch == 2
    mine.give_back()


def test_row_14_a_stopped_holder_is_replaced_when_its_lease_ends_and_finds_that_out(
    database: Database, holder: Holder
) -> None:
    mine = lease_on(database)
    holder.signal(signal.SIGSTOP)
    eventually(mine.take, "the lease of a sleeping process ends", within_s=10)
    assert mine.epoch == 2
    holder.signal(signal.SIGCONT)
    assert holder.says() == "lost"
    assert mine.renew()
    mine.give_back()


def test_a_holder_that_stopped_within_its_renewal_cannot_keep_the_row_locked(
    database: Database, postgres_url: str
) -> None:
    """A stopped process is, for the database, a connection that never says another word."""
    asleep = lease_on(Database(create_engine(postgres_url)), ttl_s=TTL_S)
    mine = lease_on(database, sure_s=1.0)
    assert asleep.take()
    sleeper = Database(create_engine(postgres_url))
    with sleeper.reading() as session:
        session.execute(update(LeaseRow).values(expires_at=until(TTL_S)))
        assert eventually(mine.take, "the lease ends and the sleeper's lock is taken from it", within_s=20)
        with pytest.raises(InternalError, match="idle-in-transaction"):
            session.commit()
    assert mine.renew(), "it is not sure before it has asked again: the wait was longer than its lease"
    assert mine.epoch == 2
    assert not asleep.renew()
    mine.give_back()
    asleep.give_back()


def test_row_14_who_cannot_renew_stops_sending_before_anybody_else_begins(database: Database) -> None:
    first, second = lease_on(database, sure_s=1.0), lease_on(database)
    assert first.take()
    moment_of_doubt = eventually(lambda: first.epoch is None, "not renewed, it is not sure any more")
    assert moment_of_doubt
    assert not second.take(), "the row has not ended yet"
    assert first.renew()
    assert first.epoch == 1, "nobody took over meanwhile"
    first.give_back()


def test_row_14_claims_of_a_leader_that_was_replaced_change_no_row(tmp_path: Path, postgres_url: str) -> None:
    world = OrderWorld(tmp_path, url=postgres_url)
    run_id = world.start((CALL, Side.BUY, 1))
    world.executor.step()
    sleeper = world.desk  # has decided to send, and sleeps
    world.restart()
    (intent,) = world.intents(run_id=run_id)
    sleeper.send(intent.id)
    assert world.broker.placed == 0
    assert world.intents()[0].state == IntentState.READY
    world.read()
    world.turn()
    assert world.broker.placed == 1, "the new leader sends it"
    world.database.engine.dispose()


def cut_connections(of: Database) -> None:
    """As a database does that is restarted: every connection but the one that asks."""
    with of.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "  # waits until it is gone
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def test_a_holder_whose_connections_were_cut_is_not_taken_for_dead(database: Database, postgres_url: str) -> None:
    """Its guard went with them: it takes that again, before somebody who comes later finds it free."""
    there = Database(create_engine(postgres_url, pool_pre_ping=True))
    holder, late = lease_on(there), lease_on(database)
    assert holder.take()
    cut_connections(database)
    assert holder.renew()
    assert not late.take()
    assert (holder.renew(), holder.epoch) == (True, 1)
    holder.give_back()
    there.engine.dispose()


def test_a_guard_that_was_cut_gives_nobody_the_lease(database: Database, postgres_url: str) -> None:
    """Who got the guard and could not go on may have lost it since, and somebody else leads."""
    there = Database(create_engine(postgres_url, pool_pre_ping=True))
    schema: list[str | None] = ["of tables that are not there"]
    waiting = DatabaseLease(there, SystemClock(), Build((1, 0, 0), lambda: schema[0]))
    with pytest.raises(ProgrammingError):
        waiting.take()
    cut_connections(database)
    leading = lease_on(database)
    assert leading.take()
    schema[0] = None
    assert not waiting.take()
    assert leading.renew()
    leading.give_back()
    there.engine.dispose()


def test_an_engine_that_lost_the_lease_ends_its_process(database: Database) -> None:
    lease, lost = lease_on(database), []
    engine = Engine(Supervisor(), lease, recover=lambda _: 0, loops=[], on_lost=lambda: lost.append("ended"))
    engine.start()
    eventually(lambda: engine.leads, "it leads")
    with database.transaction() as session:
        row = session.get_one(LeaseRow, 1)
        row.epoch, row.owner = row.epoch + 1, "another"
    eventually(lambda: lost, "it notices")
    assert not engine.leads
    assert lease.epoch is None
    engine.stop()
