"""Has a system come to rest? Else its start would be measured: what it reads, learns and builds behind readiness."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from benchmarks.home.deployment import Usage

__all__ = ["DEADLINE_S", "Watched", "wait_until_quiet"]

QUIET_CORE_RATIO = 0.15
"""At rest ten processes, one of them a monitor of the others, take a twentieth of a core."""
SAMPLE_S, QUIET_SAMPLES = 2.0, 3
DEADLINE_S = 240.0


class Watched(Protocol):
    """What tells how a system is; see Deployment."""

    def usage(self) -> Usage: ...

    def preparing(self) -> Sequence[str]: ...


def wait_until_quiet(system: Watched, pause: Callable[[float], None] = time.sleep) -> bool:
    """Whether it came to rest: nothing is being prepared any more, and hardly any processor time is used for a while.

    Either alone is not enough: between two tries to learn something the processors rest for a minute.
    """
    quiet_count = 0
    for _ in range(round(DEADLINE_S / SAMPLE_S)):
        before = sum(system.usage().cpu_s.values())
        pause(SAMPLE_S)
        used = (sum(system.usage().cpu_s.values()) - before) / SAMPLE_S
        is_quiet = used < QUIET_CORE_RATIO and not system.preparing()
        quiet_count = quiet_count + 1 if is_quiet else 0
        if quiet_count == QUIET_SAMPLES:
            return True
    return False
