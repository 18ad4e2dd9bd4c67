"""More people for a desk that runs as a process: its pages make only the first."""

from sqlalchemy import create_engine

from app.adapters.clock import SystemClock
from app.persistence.database import Database, prepare_sqlite
from app.services.activity import Activity
from app.services.people import People
from tests.desk_visitor import PASSWORD


def add_person(database_url: str, username: str, role: str) -> int:
    """Their id; they sign in with `PASSWORD` of tests.desk_visitor."""
    engine = create_engine(database_url)
    prepare_sqlite(engine)
    database, clock = Database(engine), SystemClock()
    try:
        return People(database, clock, Activity(database, clock), "").create(username, PASSWORD, role).id
    finally:
        engine.dispose()
