"""The browser packages are pinned, come by lock file from any mirror, and only chosen files are served."""

import json
import re

import pytest

from tests.clients.contract_server import CLIENTS


def test_every_package_is_pinned_exactly() -> None:
    """A range would let two installs differ."""
    wanted = json.loads((CLIENTS / "package.json").read_text())["dependencies"]
    locked = json.loads((CLIENTS / "package-lock.json").read_text())["packages"]
    assert wanted == {name: locked[f"node_modules/{name}"]["version"] for name in wanted}


def test_the_lock_file_names_no_registry() -> None:
    """Addresses in the lock would bind installs to one mirror; integrity hashes do not."""
    lock = (CLIENTS / "package-lock.json").read_text()
    packages = json.loads(lock)["packages"]
    assert not re.search(r'"resolved"|registry\.', lock)
    assert all("integrity" in package for path, package in packages.items() if path)


def test_every_served_file_is_in_its_package() -> None:
    """The server's list of files matches what the packages contain."""
    served = json.loads((CLIENTS / "served_files.json").read_text())
    root = CLIENTS / served["root"]
    if not root.exists():
        pytest.skip("clients/node_modules is missing; run npm ci in clients")
    assert [name for name, path in served["files"].items() if not (root / path).is_file()] == []


def test_pages_load_nothing_from_elsewhere() -> None:
    """The pages work offline: no address of another host in any of their files."""
    files = [path for folder in ("shared", "tv", "phone") for path in (CLIENTS / folder).rglob("*") if path.is_file()]
    foreign = re.compile(r"https?://(?!www\.w3\.org/)")
    assert [str(path) for path in files if foreign.search(path.read_text())] == []
