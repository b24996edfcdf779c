"""Peak resident memory of this process; needs the standard library only."""

import resource
import sys
from pathlib import Path


def peak_mib() -> float:
    """Largest resident memory of this process so far, in MiB.

    `getrusage` alone would mislead where one program starts another: on Linux its `ru_maxrss` outlives `execve`, so a
    child of a large parent starts from the parent's memory. The kernel's `VmHWM` belongs to the program itself.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    per_mib = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, others KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_mib
