"""Where secrets are locked and unlocked."""

from typing import Protocol

from app.domain.errors import Misconfigured


class KeyMissing(Misconfigured):
    """The secret was locked with a key that this installation does not hold. Names the key id, never a secret."""


class Vault(Protocol):
    """Locks text for one owner, so that a row copied to another owner cannot be opened. Thread-safe."""

    def lock(self, plain: str, *, owner: str) -> str:
        """Ciphertext prefixed with the id of the key in use."""
        ...

    def unlock(self, locked: str, *, owner: str) -> str:
        """Raises KeyMissing when the key id is unknown, Misconfigured when the text is not of this owner or damaged."""
        ...
