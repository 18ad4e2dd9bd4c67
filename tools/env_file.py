"""The installation's secrets: made once into a .env that only its owner can read, never changed afterwards."""

import base64
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from tools.steps import ROOT, SetupError

ENV_FILE = ROOT / ".env"
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=\s*(.*?)\s*$")
_HEADER = (
    "# Secrets of this installation. Keep a copy somewhere safe: without ENCRYPTION_KEYS stored API keys are lost.\n"
)


def _encryption_keys() -> str:
    """`id:key`, the key being 32 random bytes in URL-safe base64, as Fernet wants it."""
    return f"k1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}"


MADE: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "ENCRYPTION_KEYS": _encryption_keys,
    "SETUP_TOKEN": lambda: secrets.token_urlsafe(18),
}


def ensure(path: Path = ENV_FILE) -> dict[str, str]:
    """The settings in the file, after adding those secrets that had no value. What has a value is left as it is.

    Raises SetupError when others on the machine can read the file.
    """
    text = _read(path)
    missing = [name for name in MADE if not parse(text).get(name)]
    if missing:
        kept = [line for line in text.splitlines() if not _sets_one_of(missing, line)]
        made = [f"{name}={MADE[name]()}" for name in missing]
        text = "\n".join([*kept, *made]) + "\n"
        _write(path, text)
    return parse(text)


def parse(text: str) -> dict[str, str]:
    """KEY=value lines; quotes around a value are taken off, everything else is left out."""
    settings = {}
    for line in text.splitlines():
        if match := _LINE.match(line):
            name, value = match.groups()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
            settings[name] = value[1:-1] if quoted else value
    return settings


def _sets_one_of(names: list[str], line: str) -> bool:
    match = _LINE.match(line)
    return match is not None and match.group(1) in names


def _read(path: Path) -> str:
    if not path.exists():
        return _HEADER
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise SetupError(
            f"{path.name} can be read by others on this machine (mode {mode:o}); run: chmod 600 {path.name}"
        )
    return path.read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    """All or nothing, and never for a moment readable by others."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
