"""Prepares itself and becomes another program: run by child_process.py, never imported.

    python -I -S child_launcher.py <parent's pid> <niceness> <largest file in bytes> <program> <arguments…>

A function between fork and exec would do the same in less time, but our processes run gRPC's threads, and Python
code in the fork of such a process can crash. Only the standard library is at hand here.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel to end us with our parent, take limits, step back, become the program."""
    parent_pid, niceness, max_file_bytes = (int(text) for text in sys.argv[1:4])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        sys.exit("the parent is gone already")
    os.nice(niceness)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))
    os.execv(sys.argv[4], sys.argv[4:])  # noqa: S606  # the program is one of ours, and no shell is wanted


main()
