"""Secrets at rest: Fernet ciphertext that names its key and belongs to one owner."""

import json
import re
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken

from app.domain.errors import Misconfigured
from app.ports.vault import KeyMissing

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_SHAPE = "ENCRYPTION_KEYS must hold `id:key`, or several with commas between, the one in use first."


class EncryptionService:
    """The Vault port. Thread-safe. Neither its repr nor its errors show a key or a secret.

    Fernet takes no associated data, so the owner goes into the plaintext: a row copied to another owner does not open.
    """

    def __init__(self, keys: str) -> None:
        """`keys` is `id:key,id2:key2`; the first locks, all unlock. Raises Misconfigured for any other form."""
        self._keys = _read(keys)
        self._current = next(iter(self._keys))

    @staticmethod
    def new_key(key_id: str) -> str:
        """A new random key in the form that `keys` takes."""
        if not _KEY_ID.fullmatch(key_id):
            raise Misconfigured("A key id is 1 to 32 letters, digits, dashes and underscores.")
        return f"{key_id}:{Fernet.generate_key().decode()}"

    @property
    def current_key_id(self) -> str:
        return self._current

    def lock(self, plain: str, *, owner: str) -> str:
        token = self._keys[self._current].encrypt(json.dumps([owner, plain]).encode())
        return f"{self._current}:{token.decode()}"

    def unlock(self, locked: str, *, owner: str) -> str:
        key_id, _, token = locked.partition(":")
        if not token:
            raise Misconfigured("A stored secret is damaged: it does not name its key. Enter it again.")
        fernet = self._keys.get(key_id)
        if fernet is None:
            raise KeyMissing(
                f"A secret is locked with the key {key_id[:32]!r}, which ENCRYPTION_KEYS does not hold. Add that key."
            )
        try:
            stored_owner, plain = json.loads(fernet.decrypt(token.encode()))
        except (InvalidToken, ValueError):
            raise Misconfigured("A stored secret is damaged, or its key was changed. Enter it again.") from None
        if stored_owner != owner:
            raise Misconfigured("A stored secret belongs to another owner. Enter it again.")
        return str(plain)

    def __repr__(self) -> str:
        return f"EncryptionService(keys={list(self._keys)})"


def _read(keys: str) -> Mapping[str, Fernet]:
    found: dict[str, Fernet] = {}
    for entry in keys.split(","):
        key_id, _, key = entry.strip().partition(":")
        if not _KEY_ID.fullmatch(key_id) or not key:
            raise Misconfigured(_SHAPE)
        if key_id in found:
            raise Misconfigured(f"ENCRYPTION_KEYS names the key {key_id!r} twice.")
        try:
            found[key_id] = Fernet(key)
        except ValueError:
            raise Misconfigured(
                f"The key {key_id!r} in ENCRYPTION_KEYS is no Fernet key: 32 bytes in base64."
            ) from None
    return found
