"""The last tier of the cache on real databases: SQLite and PostgreSQL keep bytes and ages as the other tiers do."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from app.persistence.cache_rows import CacheRows
from app.persistence.database import Database
from app.persistence.tables import CacheEntry
from app.ports.cache import CacheDown, Kept
from tests.empty_database import empty_database
from tests.unit.services.market_fakes import FakeClock


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    engine = empty_database(database_url)
    yield Database(engine)
    engine.dispose()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_bytes_come_back_with_their_age_and_the_rest_of_their_life(database: Database, clock: FakeClock) -> None:
    rows = CacheRows(database, clock)
    rows.put_all({"a": Kept(b"\x00:\xff" * 20_000, 12.5, 47.5), "b": Kept(b"2", 0.0, 60.0)})
    kept = rows.get("a")
    assert kept is not None
    assert kept.value == b"\x00:\xff" * 20_000
    assert 12.5 <= kept.age_s + 0.001 < 20
    assert kept.age_s + kept.left_s == pytest.approx(60.0, abs=0.01)
    assert rows.get("c") is None


def test_each_key_has_one_row_and_an_older_value_never_takes_the_place_of_a_newer(
    database: Database, clock: FakeClock
) -> None:
    rows = CacheRows(database, clock)
    for value, age_s in ((b"1", 9.0), (b"2", 2.0), (b"from one who slept", 5.0)):
        rows.put_all({"a": Kept(value, age_s, 60.0)})
    kept = rows.get("a")
    assert kept is not None
    assert kept.value == b"2"
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(CacheEntry)) == 1


def test_what_has_expired_is_not_there_and_is_swept_away(database: Database, clock: FakeClock) -> None:
    rows = CacheRows(database, clock)
    rows.put_all({"gone": Kept(b"1", 61.0, -1.0), "there": Kept(b"2", 0.0, 60.0)})
    assert rows.get("gone") is None
    rows.sweep()
    with database.reading() as session:
        assert session.scalars(select(CacheEntry.key)).all() == ["there"]


def test_ages_are_by_the_clock_of_a_server_whatever_those_of_its_clients_say(
    database: Database, clock: FakeClock
) -> None:
    rows = CacheRows(database, clock)
    rows.put_all({"a": Kept(b"1", 3.0, 600.0)})
    clock.at += timedelta(seconds=100)
    kept = rows.get("a")
    assert kept is not None
    is_server = database.engine.dialect.name == "postgresql"
    assert (kept.age_s < 50) == is_server


def test_a_database_that_does_not_answer_is_a_tier_that_is_down(database: Database, clock: FakeClock) -> None:
    with database.transaction() as session:
        session.execute(text("DROP TABLE cache_entries"))
    rows = CacheRows(database, clock)
    with pytest.raises(CacheDown, match="cache_entries"):
        rows.get("a")
    with pytest.raises(CacheDown) as down:
        rows.put_all({"a": Kept(b"secret bytes", 0.0, 60.0)})
    assert "secret" not in str(down.value)
