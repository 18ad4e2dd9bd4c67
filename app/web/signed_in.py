"""The user of a request, detached from the database, and how a session finds them again."""

from dataclasses import dataclass
from typing import cast

from flask import session
from flask_login import current_user, login_user, logout_user

from app.domain.errors import NotFound
from app.services.people import People, Person
from app.web.desk import desk
from app.web.extensions import login_manager

LONGEST_SESSION_S = 12 * 3600
"""A session ends after a trading day, however busy it is."""

_SINCE = "since"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody signed in, as flask-login and the templates see them."""

    id: int
    username: str
    role: str
    stamp: str

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    def get_id(self) -> str:
        """What the cookie holds. The stamp changes with the password, which ends older sessions."""
        return f"{self.id}.{self.stamp}"


@dataclass(frozen=True, slots=True)
class Nobody:
    """Whoever is not signed in."""

    username = ""
    role = ""
    is_authenticated = False
    is_active = False
    is_anonymous = True
    is_admin = False

    def get_id(self) -> None:
        return None


login_manager.anonymous_user = Nobody


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(cookie_id: str) -> SignedIn | None:
    since = session.get(_SINCE)
    if not isinstance(since, int | float) or not 0 <= _now() - since < LONGEST_SESSION_S:
        return None
    return signed_in_by(desk().people, cookie_id)


def signed_in_by(people: People, cookie_id: str) -> SignedIn | None:
    """The user whom the cookie names, None when they are gone or their password has changed since."""
    number, _, stamp = cookie_id.partition(".")
    if not number.isdecimal():
        return None
    try:
        person = people.person(int(number))
    except NotFound:
        return None
    return _of(person) if person.stamp == stamp else None


def begin(person: Person) -> None:
    """Start a session for this person. Whatever the old one held is gone, its token too."""
    session.clear()
    session[_SINCE] = _now()
    login_user(_of(person))


def end() -> None:
    """Sign out and forget the session."""
    logout_user()
    session.clear()


def user() -> SignedIn:
    """The user of this request; only behind the gate, where there always is one."""
    return cast("SignedIn", current_user._get_current_object())  # noqa: SLF001 - flask-login's way to unwrap its proxy


def _of(person: Person) -> SignedIn:
    return SignedIn(person.id, person.username, person.role, person.stamp)


def _now() -> float:
    return desk().clock.now().timestamp()
