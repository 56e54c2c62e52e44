"""No process outlives the one that started it.

A child holds the reading end of a pipe whose only writing end is in the supervisor. However the supervisor ends,
`kill -9` included, the kernel closes that end, the child reads end-of-file and stops itself: first as if asked to
(SIGTERM), then, after a grace, at once. Programs that are not ours (Valkey, ffmpeg) get the kernel's parent-death
signal where the kernel has one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection

__all__ = ["STOP_GRACE_S", "die_with_parent", "hold_lifeline"]

STOP_GRACE_S = 5.0
"""Time for a process to finish its requests before it is ended the hard way."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def hold_lifeline(reader: Connection) -> None:
    """Stop this process when the other end of the pipe closes."""

    def wait_for_the_end() -> None:
        with contextlib.suppress(OSError):
            reader.poll(None)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_GRACE_S)
        os._exit(1)

    threading.Thread(target=wait_for_the_end, name="lifeline", daemon=True).start()


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """For `preexec_fn`: the kernel ends this program when its parent dies (Linux; elsewhere the lifeline must do)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
