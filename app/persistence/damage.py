"""Whether the file of an SQLite database is as SQLite left it."""

from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError


def damage_of(engine: Engine) -> str | None:
    """What is wrong with it in SQLite's words, None when nothing is. Reads the whole file once.

    What a crash or a cut WAL leaves is whole: SQLite takes back what was not committed. PostgreSQL watches its pages
    itself; here it is never damaged.
    """
    if engine.dialect.name != "sqlite":
        return None
    try:
        with engine.connect() as connection:
            said = str(connection.execute(text("PRAGMA quick_check(1)")).scalar_one())
    except DatabaseError as broken:
        return str(broken.orig)
    return None if said == "ok" else said
