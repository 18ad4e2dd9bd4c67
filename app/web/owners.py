"""Who may look at a run, and whose runs an admin looks at."""

from collections.abc import Iterable

from sqlalchemy import select

from app.domain.errors import NotFound
from app.persistence.tables import Run, User
from app.web.desk import Desk
from app.web.signed_in import SignedIn


def mine(desk: Desk, viewer: SignedIn, run_id: int) -> None:
    """Raises NotFound unless this user may look at the run: their own, or any for an admin."""
    with desk.database.reading() as session:
        run = session.get(Run, run_id)
    if run is None or not (viewer.is_admin or run.user_id == viewer.id):
        raise NotFound("There is no such run.")


def owners_of(desk: Desk, user_ids: Iterable[int]) -> dict[int, str]:
    """Their user names by id."""
    wanted = list(user_ids)
    if not wanted:
        return {}
    with desk.database.reading() as session:
        return dict(session.execute(select(User.id, User.username).where(User.id.in_(wanted))).tuples().all())
