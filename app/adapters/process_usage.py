"""What this process takes of the machine, as the kernel tells."""

import os
import time
from pathlib import Path

_STATM = Path("/proc/self/statm")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


class KernelUsage:
    """The ProcessUsage port. Where there is no /proc the memory is not known."""

    def memory_mb(self) -> float | None:
        try:
            _, resident, *_ = _STATM.read_text().split()
        except OSError:
            return None
        return int(resident) * _PAGE_MB

    def cpu_s(self) -> float:
        return time.process_time()
