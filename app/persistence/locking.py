"""Making "look, then insert" safe where a unique column cannot say the rule."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.persistence.database import Table


def lock_table(session: Session, table: type[Table]) -> None:
    """Let this transaction be the only writer of the table until it ends; readers go on.

    On SQLite a transaction of `Database` is the only writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f'LOCK TABLE "{table.__tablename__}" IN SHARE ROW EXCLUSIVE MODE'))
