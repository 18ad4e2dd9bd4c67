"""What every set-up step is made of: places, a stamp for finished work, a command whose failure is one line."""

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
LOG = CACHE / "setup.log"

_NO_NETWORK = (
    "name resolution",
    "Name or service not known",
    "NewConnectionError",
    "Failed to establish a new connection",
    "Network is unreachable",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ETIMEDOUT",
    "Could not resolve host",
    "Temporary failure resolving",
)

_EMPTY_WORDS = re.compile(r"^npm error( code .*)?$|complete log of this run", re.IGNORECASE)


class SetupError(Exception):
    """Something the person at the keyboard has to put right; the text is one line that says what and how."""


@dataclass(frozen=True)
class Stamp:
    """Remembers that a step was done for exactly these inputs; lives in .cache/stamps.

    A step is fresh while its inputs hash to what was recorded and everything it made is still there. Written only
    after the step ended well, so an interrupted step is simply done again.
    """

    name: str
    inputs: str
    made: tuple[Path, ...]

    @property
    def _path(self) -> Path:
        return CACHE / "stamps" / self.name

    def fresh(self) -> bool:
        return (
            all(path.exists() for path in self.made) and self._path.is_file() and self._path.read_text() == self.inputs
        )

    def write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(self.inputs)

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


def content_hash(files: Iterable[Path], *words: str) -> str:
    """One hash over the words, and over the names and contents of the files; a file that is missing counts as such."""
    digest = hashlib.sha256("\0".join(words).encode())
    for path in sorted(set(files)):
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"missing")
    return digest.hexdigest()


def files_under(folder: Path) -> list[Path]:
    """Every file below the folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def run_step(what: str, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
    """Runs a command with its output in the log. Raises SetupError, one line, when it fails or cannot start."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w+", encoding="utf-8", errors="replace") as log:
        try:
            ended = subprocess.run(
                [str(part) for part in command],
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        except OSError as error:
            raise SetupError(f"{what} could not start: {error}") from error
        log.seek(0)
        said = log.read()
    if ended.returncode != 0:
        raise SetupError(_why(what, said))


def run_pip(what: str, action: str, *arguments: str) -> None:
    """Runs pip of the virtual environment, quiet and asking nothing. Raises SetupError, one line, when it fails."""
    quiet = ("--quiet", "--no-input", "--disable-pip-version-check", "--retries", "2")
    run_step(what, [VENV_PYTHON, "-m", "pip", action, *quiet, *arguments])


def output_of(command: Sequence[str | Path]) -> str | None:
    """What the command printed, or None when it cannot run or fails: used to ask whether a program works."""
    try:
        ended = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout.strip() if ended.returncode == 0 else None


def say(sentence: str) -> None:
    print(f"· {sentence}", flush=True)


def _why(what: str, said: str) -> str:
    log = LOG.relative_to(ROOT)
    if any(sign in said for sign in _NO_NETWORK):
        return f"{what} failed: the network cannot be reached. Connect this machine and run the command again ({log})."
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() and not _EMPTY_WORDS.search(line)]
    reason = (telling or lines[-1:] or ["it said nothing"])[0]
    return f"{what} failed: {reason} (everything it said is in {log})."
