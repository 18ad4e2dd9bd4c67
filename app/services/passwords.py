"""What a password must be, and how it is kept: argon2id with the low-memory profile of RFC 9106."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from app.domain.errors import InvalidInput

SHORTEST = 12
LONGEST = 256

_AT_ONCE = 3
"""Hashes made at the same time: each takes 64 MiB, so that a storm of sign-ins must not eat the machine."""

COMMON = frozenset(
    {
        "123456789012", "1234567890123", "12345678901234", "123456123456", "123123123123", "111111111111",
        "000000000000", "012345678901", "098765432109", "987654321098", "112233445566", "121212121212",
        "password1234", "password12345", "passwordpassword", "password@123", "password@1234", "passw0rd1234",
        "p@ssw0rd1234", "p@ssword1234", "password!234", "mypassword123", "changeme1234", "changemechangeme",
        "welcome12345", "welcome@1234", "welcomewelcome", "letmein12345", "letmeinletmein", "iloveyou1234",
        "iloveyouiloveyou", "qwertyuiop12", "qwertyuiop123", "qwertyuiopas", "qwertyuiopasdf", "qwertyqwerty",
        "qwerty123456", "1q2w3e4r5t6y", "1qaz2wsx3edc", "1qaz2wsx3edc4rfv", "qazwsxedcrfv", "zaq12wsxcde3",
        "asdfghjkl123", "asdfasdfasdf", "zxcvbnm12345", "abcdefghijkl", "abcdefghijklm", "abc123abc123",
        "abcd1234abcd", "abcd12345678", "a1b2c3d4e5f6", "admin1234567", "administrator", "adminadminadmin",
        "superuser1234", "rootrootroot", "trustno1trustno1", "monkeymonkey", "dragondragon", "footballfootball",
        "cricketcricket", "india1234567", "indiaindiaindia", "bharat123456", "jaihind12345", "omnamahshivaya",
        "hanuman12345", "krishna12345", "ganesha12345", "sachin123456", "mumbai123456", "algomirror12",
        "algomirror123", "openalgo1234", "openalgoopenalgo", "banknifty1234", "niftybanknifty", "tradingtrading",
        "trader123456", "correcthorsebatterystaple",
    }
)  # fmt: skip
"""The passwords of this length that lists of leaked ones put first, and those this product invites."""


class Passwords:
    """Makes and checks hashes. Thread-safe."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._nobody = self.hash("nobody has this password")

    def hash(self, password: str) -> str:
        with self._room:
            return self._hasher.hash(password)

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether the password is the stored one. None, for a user who is not there, takes as long and is never it."""
        with self._room:
            try:
                self._hasher.verify(stored or self._nobody, password)
            except VerifyMismatchError:
                return False
            except (InvalidHashError, VerificationError) as damaged:
                raise ValueError("A stored password hash cannot be read.") from damaged
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with weaker settings than today's."""
        return self._hasher.check_needs_rehash(stored)


def check_password(password: str, username: str) -> None:
    """Raises InvalidInput when it is too short, too long, well known, or the username. No rules of composition."""
    if len(password) < SHORTEST:
        raise InvalidInput("password", f"Use at least {SHORTEST} characters; a few words are easy to remember.")
    if len(password) > LONGEST:
        raise InvalidInput("password", f"Use at most {LONGEST} characters.")
    lowered = password.lower()
    if lowered in COMMON or len(set(lowered)) == 1:
        raise InvalidInput("password", "This password is on every list of leaked ones. Choose another.")
    if lowered == username.lower() * (len(lowered) // max(len(username), 1)):
        raise InvalidInput("password", "The password must not be the username. Choose another.")
