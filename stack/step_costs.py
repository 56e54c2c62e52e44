"""What the steps of a long computation cost: processor time, and the most memory that the process took during each."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

__all__ = ["StepCosts"]

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"
"""To `clear_refs`: the peak is counted anew from the present size (proc(5))."""


class StepCosts:
    """Told when a step begins; steps of one name are added up, their peaks are not.

    Where the system can't count a peak anew (anything but Linux) a step's is that of the process until its end.
    """

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}
        self.peak_mb: dict[str, int] = {}
        self._step: str | None = None
        self._begun_s = 0.0

    def begin(self, step: str) -> None:
        """End the step before and begin this one; its name is what stands before " of "."""
        self.end()
        self._step = step.partition(" of ")[0]
        if _RESET.exists():
            _RESET.write_text(_RESET_PEAK, encoding="ascii")
        self._begun_s = time.process_time()

    def end(self) -> None:
        """End the step before, if there is one."""
        if self._step is None:
            return
        spent_s = time.process_time() - self._begun_s
        self.cpu_s[self._step] = self.cpu_s.get(self._step, 0.0) + spent_s
        self.peak_mb[self._step] = max(self.peak_mb.get(self._step, 0), _peak_mb())
        self._step = None


def _peak_mb() -> int:
    if _STATUS.exists():
        (line,) = (line for line in _STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) // 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)
