"""Agreement with two other composers on the shared case file, as the command in scripts/ measures it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CASE_FILE = ROOT.parent / "shared" / "cases" / "composition_dev.json.xz"


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not CASE_FILE.exists(), reason=f"{CASE_FILE} is not here")
def test_agrees_with_other_composers() -> None:
    """On every fourth case (the command without options runs all): the same verdicts and codes but for explained ones."""
    command = [sys.executable, str(ROOT / "scripts" / "composition_agreement"), str(CASE_FILE)]
    options = ["--every", "4", "--accept-threshold", "0.995", "--codes-threshold", "0.98"]

    outcome = subprocess.run([*command, *options], capture_output=True, text=True, check=False)

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
