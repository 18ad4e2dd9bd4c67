"""A PostgreSQL server that took over, or whose older files were put back, is told from the one that was written to."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import OperationalError

from app.adapters.clock import SystemClock
from app.domain.gate import Code
from app.domain.setback import ELSEWHERE
from app.engine.lease import Build, DatabaseLease
from app.persistence.database import Database, Table
from app.persistence.mark import MarkFile
from app.persistence.tables import ActivityLog, LeaseRow, Setback, User
from app.services.account_health import HealthBoard
from app.services.activity import Activity
from app.services.doubt import Doubt
from app.services.entry_locks import EntryLocks
from app.services.journal import Journal
from app.services.setback_watch import SetbackWatch
from app.services.setbacks import Setbacks
from tests.databases import PostgresCluster, postgres_cluster
from tests.live_desk import Trader, eventually

CLOCK = SystemClock()


@dataclass
class Leader:
    """What of an engine looks after the lease and the mark. `others` counts how often it found itself elsewhere."""

    folder: Path
    engine: Engine
    others: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database = Database(self.engine)
        self.activity = Activity(self.database, CLOCK)
        self.locks = EntryLocks(HealthBoard(CLOCK))
        self.lease = DatabaseLease(self.database, CLOCK, Build((1, 0, 0)))
        self.watch = SetbackWatch(
            self.database, CLOCK, CLOCK, MarkFile(self.folder / "engine.mark", CLOCK), activity=self.activity,
            journal=Journal(CLOCK), locks=self.locks, doubt=Doubt(CLOCK), on_other=lambda: self.others.append("it"),
        )  # fmt: skip

    def lead(self) -> None:
        eventually(self.lease.take, "it leads")
        assert self.lease.epoch is not None
        self.watch.began(self.lease.epoch)

    @property
    def is_held(self) -> bool:
        stop = self.locks.of(1)
        return stop is not None and stop.code == Code.DATABASE_BEHIND

    def found(self) -> list[str]:
        with self.database.reading() as session:
            return list(session.scalars(select(Setback.sentence).order_by(Setback.id)))


@pytest.fixture
def cluster() -> Iterator[PostgresCluster]:
    with postgres_cluster() as made:
        yield made


@contextmanager
def leading(cluster: PostgresCluster, marks: Path) -> Iterator[Leader]:
    """Made anew with each use, as a process is; `marks` is the folder of its machine."""
    engine = create_engine(f"postgresql+psycopg://postgres@/postgres?host={cluster.folder}", pool_pre_ping=True)
    Table.metadata.create_all(engine)
    leader = Leader(marks, engine)
    try:
        leader.lead()
        yield leader
    finally:
        with suppress(OperationalError):
            leader.lease.give_back()
        engine.dispose()


def copied(cluster: PostgresCluster, name: str) -> Path:
    copy = cluster.folder / name
    cluster.run("cp", "-a", cluster.folder / "cluster", copy)
    return copy


def put_back(cluster: PostgresCluster, copy: Path) -> None:
    cluster.run("rm", "-rf", cluster.folder / "cluster")
    cluster.run("mv", copy, cluster.folder / "cluster")


@contextmanager
def promoted(cluster: PostgresCluster) -> Iterator[None]:
    """Its files run as a replica's do that takes over."""
    cluster.run("touch", cluster.folder / "cluster" / "standby.signal")
    with cluster.running():
        admin = create_engine(
            f"postgresql+psycopg://postgres@/postgres?host={cluster.folder}", isolation_level="AUTOCOMMIT"
        )
        with admin.connect() as connection:
            assert connection.scalar(text("SELECT pg_promote()"))
        admin.dispose()
        yield


def test_row_36_a_replica_that_took_over_holds_entries_until_somebody_acknowledges(
    cluster: PostgresCluster, tmp_path: Path
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    with cluster.running():
        for machine in (here, elsewhere, here):
            with leading(cluster, machine) as leader:
                assert not leader.is_held, "machines that take turns on one server"
    with promoted(cluster):
        with leading(cluster, elsewhere) as leader:
            assert leader.is_held
            assert leader.found() == [ELSEWHERE]
        with leading(cluster, here) as leader:
            assert leader.is_held, "whoever leads next"
            assert leader.found() == [ELSEWHERE], "and it is found once"
            setbacks = Setbacks(leader.database, CLOCK, leader.activity)
            found = setbacks.standing()
            assert found is not None
            with leader.database.transaction() as session:
                session.add(User(username="asha", password_hash="none", role="admin", created_at=CLOCK.now()))
            setbacks.acknowledge(found.id, actor=Trader())
            leader.watch.step()
            assert leader.locks.of(1) is None
        with leading(cluster, elsewhere) as leader:
            assert not leader.is_held


def test_row_36_a_leader_does_not_go_on_with_the_server_that_took_over(
    cluster: PostgresCluster, tmp_path: Path
) -> None:
    """What it has in mind may be missing there: it reads and writes nothing on it, and ends."""
    with cluster.running():
        engine = create_engine(f"postgresql+psycopg://postgres@/postgres?host={cluster.folder}", pool_pre_ping=True)
        Table.metadata.create_all(engine)
        leader = Leader(tmp_path, engine)
        leader.lead()
    with cluster.running():
        eventually(lambda: _renews(leader), "after a plain restart of the server it goes on")
        assert leader.others == []
    with promoted(cluster):
        with (
            pytest.raises(OperationalError, match="another database than before"),
            leader.database.transaction() as session,
        ):
            session.execute(text("SELECT 1"))
        assert leader.others == ["it"]
        with pytest.raises(OperationalError):
            leader.lease.renew()
        with leading(cluster, tmp_path) as next_one:
            assert next_one.is_held
            with next_one.database.reading() as session:
                assert session.get_one(LeaseRow, 1).epoch == 2
        engine.dispose()


def test_row_36_a_leader_does_not_go_on_with_older_files_of_its_server(
    cluster: PostgresCluster, tmp_path: Path
) -> None:
    """Taken while it led, so that its epoch stands in them too, as when the server's machine is set back."""
    with cluster.running():
        engine = create_engine(f"postgresql+psycopg://postgres@/postgres?host={cluster.folder}", pool_pre_ping=True)
        Table.metadata.create_all(engine)
        leader = Leader(tmp_path, engine)
        leader.lead()
    older = copied(cluster, "older")
    with cluster.running():
        eventually(lambda: _renews(leader), "it goes on")
        with leader.database.transaction() as session:
            leader.activity.record(
                session, user_id=None, actor="engine", action="kill.ask", subject="desk", sentence="Halted."
            )
        leader.watch.step()
    put_back(cluster, older)
    with cluster.running():
        assert not _renews(leader)
        assert leader.others
    engine.dispose()


def _renews(leader: Leader) -> bool:
    try:
        return leader.lease.renew()
    except OperationalError:
        return False


def test_row_36_older_files_of_the_same_server_are_told_by_the_mark(cluster: PostgresCluster, tmp_path: Path) -> None:
    """A copy of the server's files that is put back calls itself what it was called."""
    with cluster.running(), leading(cluster, tmp_path) as leader:
        assert not leader.is_held
    older = copied(cluster, "older")
    with cluster.running(), leading(cluster, tmp_path) as leader:
        with leader.database.transaction() as session:
            leader.activity.record(
                session, user_id=None, actor="engine", action="kill.ask", subject="desk", sentence="Halted."
            )
        leader.watch.step()
        with leader.database.reading() as session:
            assert session.scalars(select(ActivityLog.action)).all() == ["kill.ask"]
    put_back(cluster, older)
    with cluster.running(), leading(cluster, tmp_path) as leader:
        assert leader.is_held
        assert "the engine that led last, under epoch 2" in leader.found()[0]


def test_row_36_a_dump_that_was_read_in_again_is_another_database(cluster: PostgresCluster, tmp_path: Path) -> None:
    """Its tables are made anew, on the same server, with the rows of before."""
    with cluster.running():
        with leading(cluster, tmp_path) as leader:
            assert not leader.is_held
            with leader.database.transaction() as session:
                session.execute(text("CREATE TABLE dumped AS SELECT * FROM lease"))
                session.execute(text("DROP TABLE lease"))
                session.execute(text("ALTER TABLE dumped RENAME TO lease"))
        with leading(cluster, tmp_path) as leader:
            assert leader.found() == [ELSEWHERE]
