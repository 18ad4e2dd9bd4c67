"""Whose runs an admin looks at."""

from collections.abc import Iterable

from sqlalchemy import select

from app.persistence.tables import User
from app.web.desk import Desk


def owners_of(desk: Desk, user_ids: Iterable[int]) -> dict[int, str]:
    """Their user names by id."""
    wanted = list(user_ids)
    if not wanted:
        return {}
    with desk.database.reading() as session:
        return dict(session.execute(select(User.id, User.username).where(User.id.in_(wanted))).tuples().all())
