"""Starting and stopping: what a user sees who presses Ctrl-C, or whose machine is less kind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.running_stack import (
    PORT_NAMES,
    REPOSITORY,
    RunningStack,
    environment,
    free_ports,
    is_listening,
    listener_pid,
    processes_of,
)

GRACE_S = 15.0
"""A child may finish its requests before it goes; then nothing may be left."""


def left_running(running: RunningStack) -> list[str]:
    """Processes and listening ports of the stack that are still there after the grace."""
    deadline = time.monotonic() + GRACE_S
    while True:
        left = [f"pid {pid}" for pid in processes_of(running.state_dir)]
        left += [f"port {port}" for port in running.ports.values() if is_listening(port)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to see what is left running")


@linux_only
def test_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    """Ctrl-C ends every process, Valkey too, and the exit is clean."""
    running = RunningStack.start(tmp_path / "state", demo=False)
    assert len(processes_of(tmp_path / "state")) > len(PORT_NAMES)

    exit_code = running.stop(signal.SIGINT)

    assert exit_code == 0
    assert left_running(running) == []
    assert "Everything has ended" in running.console


@linux_only
def test_kill_9_of_the_parent_leaves_nothing_running(tmp_path: Path) -> None:
    """When the supervisor can't say goodbye, its children notice by themselves."""
    running = RunningStack.start(tmp_path / "state", demo=False)

    running.stop(signal.SIGKILL)

    assert left_running(running) == []


@linux_only
def test_a_killed_process_comes_back(tmp_path: Path) -> None:
    """One subgraph is killed; the gateway answers again without it being told."""
    running = RunningStack.start(tmp_path / "state", demo=False)
    try:
        os.kill(listener_pid(running.state_dir, running.ports["TITLES"]), signal.SIGKILL)

        deadline = time.monotonic() + 30
        answer = None
        while time.monotonic() < deadline:
            answer = running.graphql("{ genres { id } }")
            if "errors" not in answer.body:
                break
            time.sleep(0.2)

        assert answer is not None
        assert "errors" not in answer.body
    finally:
        running.stop()


def test_a_port_in_use_is_named_with_its_setting(tmp_path: Path) -> None:
    """The message says which port, which process wanted it and which variable moves it; nothing is started."""
    ports = dict(zip(PORT_NAMES, free_ports(len(PORT_NAMES)), strict=True))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports["DELIVERY"]))
        taken.listen()
        result = subprocess.run(
            [sys.executable, "-m", "stack", "up"],
            cwd=REPOSITORY,
            env=environment(tmp_path / "state", ports),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert result.returncode == 1
    assert f"port {ports['DELIVERY']}" in result.stderr
    assert "delivery" in result.stderr
    assert "MARQUEE_DELIVERY_PORT" in result.stderr
    if sys.platform == "linux":
        assert processes_of(tmp_path / "state") == []


def test_a_misspelt_setting_is_refused_by_name(tmp_path: Path) -> None:
    """A variable with a process's prefix that names no setting stops the start and suggests the right one."""
    ports = dict(zip(PORT_NAMES, free_ports(len(PORT_NAMES)), strict=True))

    result = subprocess.run(
        [sys.executable, "-m", "stack", "up"],
        cwd=REPOSITORY,
        env={**environment(tmp_path / "state", ports), "MARQUEE_GATEWAY_PROT": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 1
    assert "MARQUEE_GATEWAY_PROT" in result.stderr
    assert "MARQUEE_GATEWAY_PORT" in result.stderr
