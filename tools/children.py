"""Starts programs that never outlive the program that started them."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def start(
    command: Sequence[str | Path],
    *,
    output: int | IO[Any],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    user: int | None = None,
) -> subprocess.Popen[str]:
    """Starts a program in a process group of its own, with its output and errors going to `output`.

    On Linux it is sent SIGTERM when this process ends in whatever way, `kill -9` included. Elsewhere only `stop` ends
    it. `environment` is added to ours. Only root may name another `user` (a uid). Raises OSError when it cannot start.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        start_new_session=True,
        preexec_fn=_end_with(os.getpid()),  # noqa: PLW1509  it takes no lock: two system calls, nothing more
    )


def stop(child: subprocess.Popen[str], *, within_s: float, ask: signal.Signals = signal.SIGTERM) -> None:
    """Asks the program to end by the signal `ask`; kills its whole group when it has not within the time."""
    _signal_group(child, ask, leader_only=True)
    try:
        child.wait(within_s)
    except subprocess.TimeoutExpired:
        _signal_group(child, signal.SIGKILL)
        child.wait()
        return
    _signal_group(child, signal.SIGKILL)  # what it started and left behind


def _signal_group(child: subprocess.Popen[str], number: signal.Signals, *, leader_only: bool = False) -> None:
    try:
        if leader_only:
            os.kill(child.pid, number)
        else:
            os.killpg(child.pid, number)
    except ProcessLookupError:
        return  # already gone, which is what was wanted


def _end_with(parent: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died between the fork and the call
            os._exit(1)

    return ask_the_kernel
