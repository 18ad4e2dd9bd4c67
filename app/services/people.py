"""Who may sign in: the first user by setup token, passwords, and the slow-down after wrong ones."""

import hashlib
import hmac
import re
import threading
from dataclasses import dataclass

from cachetools import TTLCache
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput, NotFound, Refused
from app.persistence.database import Database
from app.persistence.locking import lock_table
from app.persistence.tables import User
from app.ports.clock import Clock
from app.services.activity import Activity
from app.services.passwords import Passwords, check_password

ROLES = ("admin", "trader", "viewer")

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}")
_WRONG = "Username and password do not match. Check both and try again."


class TooManyTries(Refused):
    """Wrong passwords came too fast. `wait_s` is how long until the next one is looked at."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"Too many wrong passwords. Wait {wait_s} s and try again.")
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in. `stamp` changes with the password, so that older sessions end."""

    id: int
    username: str
    role: str
    stamp: str


class People:
    """Thread-safe."""

    def __init__(
        self, database: Database, clock: Clock, activity: Activity, setup_token: str, passwords: Passwords | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity
        self._setup_token = setup_token
        self._passwords = passwords or Passwords()
        self._tries = SlowDown(clock)
        self._has_users = False

    def anybody(self) -> bool:
        """Whether a first user exists. Once true it stays true: users are never deleted."""
        if not self._has_users:
            with self._database.reading() as session:
                self._has_users = _first(session) is not None
        return self._has_users

    def setup_token(self) -> str | None:
        """The token that makes the first user, None once there is one."""
        return None if self.anybody() else self._setup_token

    def register_first(self, token: str, username: str, password: str, address: str | None = None) -> Person:
        """Make the first user, an admin. Raises InvalidInput naming the field, Conflict when there is one already."""
        if self.anybody():
            raise Conflict("This desk has its first user already. Sign in, or ask the admin for an account.")
        if not self._setup_token:
            raise InvalidInput("setup_token", "No setup token is set. Put SETUP_TOKEN into .env and start again.")
        if not hmac.compare_digest(token.strip().encode(), self._setup_token.encode()):
            raise InvalidInput("setup_token", "This is not the setup token. It is printed where the desk was started.")
        return self._insert(username, password, "admin", only_first=True, address=address)

    def create(self, username: str, password: str, role: str) -> Person:
        """Add a user from the command line. Raises InvalidInput naming the field."""
        if role not in ROLES:
            raise InvalidInput("role", f"{role} is not a role. Choose one of {', '.join(ROLES)}.")
        return self._insert(username, password, role, only_first=False, address=None)

    def reset_password(self, username: str, password: str) -> None:
        """Set a new password from the command line; sessions of that user end. Raises NotFound, InvalidInput."""
        name = username.strip().lower()
        check_password(password, name)
        made = self._passwords.hash(password)
        with self._database.transaction() as session:
            user = session.scalars(select(User).where(User.username == name)).one_or_none()
            if user is None:
                raise NotFound(f"There is no user {name}.")
            user.password_hash = made
            self._activity.record(
                session,
                user_id=None,
                actor="command line",
                action="user.reset_password",
                subject=f"user:{user.id}",
                sentence=f"Set a new password for {name}.",
            )

    def sign_in(self, username: str, password: str, address: str) -> Person:
        """Who this is. Raises InvalidInput when the two do not match, TooManyTries when wrong ones came too fast.

        An unknown user takes as long as a wrong password and gives the same sentence.
        """
        name = username.strip().lower()[:64]
        self._tries.check(name, address)
        with self._database.reading() as session:
            user = session.scalars(select(User).where(User.username == name, User.active)).one_or_none()
        right = self._passwords.matches(user.password_hash if user else None, password)
        if user is None or not right:
            self._tries.failed(name, address)
            self._log(user, "user.sign_in_failed", "A sign-in failed.", address)
            raise InvalidInput("password", _WRONG)
        self._tries.succeeded(name, address)
        if self._passwords.is_outdated(user.password_hash):
            self._store_hash(user.id, self._passwords.hash(password))
        self._log(user, "user.sign_in", f"{user.username} signed in.", address)
        return self.person(user.id)

    def confirm(self, user_id: int, password: str, address: str) -> None:
        """Somebody signed in types their password again. Raises InvalidInput, and TooManyTries as `sign_in` does."""
        with self._database.reading() as session:
            user = session.get_one(User, user_id)
        self._tries.check(user.username, address)
        if not (self._passwords.matches(user.password_hash, password) and user.active):
            self._tries.failed(user.username, address)
            self._log(user, "user.confirm_failed", f"{user.username} typed a wrong password to confirm.", address)
            raise InvalidInput("password", "This is not your password. Nothing was changed; type it again.")
        self._tries.succeeded(user.username, address)

    def first_admin(self) -> Person:
        """Whose name the command line acts under. Raises NotFound when there is none yet."""
        query = select(User).where(User.role == "admin", User.active).order_by(User.id).limit(1)
        with self._database.reading() as session:
            user = session.scalars(query).first()
        if user is None:
            raise NotFound("There is no admin yet. Set up the desk first.")
        return _person(user)

    def person(self, user_id: int) -> Person:
        """Raises NotFound when there is no such user or they may not sign in any more."""
        with self._database.reading() as session:
            user = session.get(User, user_id)
        if user is None or not user.active:
            raise NotFound("There is no such user.")
        return _person(user)

    def _insert(self, username: str, password: str, role: str, *, only_first: bool, address: str | None) -> Person:
        name = _checked_name(username)
        check_password(password, name)
        made = self._passwords.hash(password)
        try:
            with self._database.transaction() as session:
                lock_table(session, User)
                if only_first and _first(session) is not None:
                    raise Conflict("This desk has its first user already. Sign in instead.")
                user = User(username=name, password_hash=made, role=role, created_at=self._clock.now())
                session.add(user)
                session.flush()
                self._activity.record(
                    session,
                    user_id=user.id,
                    actor=name,
                    action="user.create",
                    subject=f"user:{user.id}",
                    sentence=f"{name} became the first user and admin." if only_first else f"Added {role} {name}.",
                    address=address,
                )
        except IntegrityError:
            raise InvalidInput("username", f"There is a user {name} already. Choose another name.") from None
        return _person(user)

    def _store_hash(self, user_id: int, made: str) -> None:
        with self._database.transaction() as session:
            session.get_one(User, user_id).password_hash = made

    def _log(self, user: User | None, action: str, sentence: str, address: str) -> None:
        """A name nobody has is not kept: it may be a password typed into the wrong box."""
        with self._database.transaction() as session:
            self._activity.record(
                session,
                user_id=user.id if user else None,
                actor=user.username if user else "unknown user",
                action=action,
                subject=f"user:{user.id}" if user else "user",
                sentence=sentence,
                address=address,
            )


class SlowDown:
    """Makes guessing slow: 1, 2, 4 ... 300 s after each wrong password of one username from one address.

    Kept in memory, bounded, forgotten after an hour. Thread-safe.
    """

    LONGEST_S = 300

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: TTLCache[tuple[str, str], tuple[int, float]] = TTLCache(10_000, 3600, timer=clock.monotonic)
        self._guard = threading.Lock()

    def check(self, username: str, address: str) -> None:
        """Raises TooManyTries while the wait is not over."""
        with self._guard:
            count, last = self._failures.get((username, address), (0, 0.0))
        left = self._wait_s(count) - (self._clock.monotonic() - last)
        if count and left > 0:
            raise TooManyTries(int(left) + 1)

    def failed(self, username: str, address: str) -> None:
        with self._guard:
            count, _ = self._failures.get((username, address), (0, 0.0))
            self._failures[username, address] = (count + 1, self._clock.monotonic())

    def succeeded(self, username: str, address: str) -> None:
        with self._guard:
            self._failures.pop((username, address), None)

    def _wait_s(self, count: int) -> int:
        return min(self.LONGEST_S, 2 ** min(count - 1, 10)) if count else 0


def _checked_name(username: str) -> str:
    name = username.strip().lower()
    if not _USERNAME.fullmatch(name):
        raise InvalidInput("username", "Use 3 to 40 letters, digits, dots or dashes, beginning with a letter or digit.")
    return name


def _first(session: Session) -> int | None:
    return session.scalars(select(User.id).limit(1)).first()


def _person(user: User) -> Person:
    stamp = hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]
    return Person(user.id, user.username, user.role, stamp)
