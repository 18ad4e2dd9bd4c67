"""Which database this is: a PostgreSQL server tells, and another one, or one that took over, tells another thing."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from app.domain.errors import Misconfigured

# The timeline of the last checkpoint is the old one for a while after a promotion; that of what is written now is not.
# The number of the table is another one in a database that was made anew from a dump on the same server.
LINEAGE = (
    "SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE system_identifier || ':' "
    "|| left(pg_walfile_name(pg_current_wal_lsn()), 8) || ':' || 'lease'::regclass::oid END FROM pg_control_system()"
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


def asked_of(connection: Any) -> str:
    """The same of a new connection of the driver. Raises OperationalError on a replica."""
    with connection.cursor() as cursor:
        cursor.execute(LINEAGE)
        found: str | None = cursor.fetchone()[0]
    if found is None:
        raise _replica()
    return found


def _replica() -> OperationalError:
    return OperationalError(LINEAGE, None, Exception("this server is a replica; nothing can be written on it"))
