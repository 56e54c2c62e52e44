"""The contract with the media services: generated code is fresh, the protos are clean, the error table is whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from common.errors import ErrorKind
from grpc_protos.error_kinds import STATUS_BY_KIND, kind_of_status

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str, folder: Path = ROOT) -> None:
    outcome = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_generated_code_is_what_the_protos_say():
    run(sys.executable, "scripts/protos", "--check")


def test_the_protos_follow_the_rules():
    run(str(Path(sys.executable).parent / "buf"), "lint", folder=ROOT / "grpc_protos" / "proto")


def test_every_error_kind_has_its_own_status_and_comes_back():
    assert set(STATUS_BY_KIND) == set(ErrorKind)
    assert len(set(STATUS_BY_KIND.values())) == len(ErrorKind)
    for kind, status in STATUS_BY_KIND.items():
        assert kind_of_status(status) is kind


def test_every_status_but_ok_is_some_kind():
    for status in grpc.StatusCode:
        if status is not grpc.StatusCode.OK:
            assert kind_of_status(status) in ErrorKind
    with pytest.raises(ValueError, match="OK"):
        kind_of_status(grpc.StatusCode.OK)
