"""Which database this is: a PostgreSQL server tells, and another one, or one that took over, tells another thing."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from app.domain.errors import Misconfigured
from app.domain.setback import Mark

# The timeline of the last checkpoint is the old one for a while after a promotion; that of what is written now is not.
# The number of the table is another one in a database that was made anew from a dump on the same server.
LINEAGE = (
    "SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE system_identifier || ':' "
    "|| left(pg_walfile_name(pg_current_wal_lsn()), 8) || ':' || 'lease'::regclass::oid END FROM pg_control_system()"
)

_HELD = (
    "SELECT (SELECT count(*) FROM intents WHERE id = {} AND sent_at IS NOT NULL), "
    "(SELECT coalesce(max(id), 0) FROM activity_log), (SELECT coalesce(max(epoch), 0) FROM lease)"
)


def lineage_of(session: Session) -> str | None:
    """Cluster, timeline and table; None for SQLite, whose file cannot tell. Raises Misconfigured when it may not ask.

    Each promotion of a replica and each recovery to a moment begins a timeline.
    """
    if session.get_bind().dialect.name != "postgresql":
        return None
    try:
        found: str | None = session.execute(text(LINEAGE)).scalar_one()
    except ProgrammingError as refused:
        raise Misconfigured(
            "The database does not tell which server it is: GRANT EXECUTE ON FUNCTION pg_control_system() and "
            f"pg_walfile_name(pg_lsn) to this desk's role. It said: {refused.orig}"
        ) from refused
    if found is None:
        raise _replica()
    return found


def still_holds(connection: Any, lineage: str | None, mark: Mark) -> bool:
    """Whether a new connection of the driver leads to the server of that lineage (None: to a file), and it holds what
    is marked. Raises OperationalError on a replica.
    """
    cursor = connection.cursor()
    try:
        if lineage is not None:
            cursor.execute(LINEAGE)
            found = cursor.fetchone()[0]
            if found is None:
                raise _replica()
            if found != lineage:
                return False
        cursor.execute(_HELD.format("?" if lineage is None else "%s"), (mark.intent_id or 0,))
        claims, activity_id, epoch = cursor.fetchone()
    finally:
        cursor.close()
    is_claimed = mark.intent_id is None or claims == 1
    return bool(is_claimed and activity_id >= mark.activity_id and epoch >= mark.epoch)


def _replica() -> OperationalError:
    return OperationalError(LINEAGE, None, Exception("this server is a replica; nothing can be written on it"))
