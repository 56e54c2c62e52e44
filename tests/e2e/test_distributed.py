"""docker-compose.yml without containers: each process alone, with the environment, keys and volumes written there.

Nothing is shared but what the file shares, so that a key, an address or a setting that it forgets is found here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.deployment_secrets import make_secrets
from stack.lifeline import die_with_parent
from stack.processes import PROCESS_TABLE, Readiness
from tests.support.devices import TV, sections_of
from tests.support.media_tools import draw_test_clip, ffprobe
from tests.support.running_stack import PORT_NAMES, REPOSITORY, RunningStack, free_ports, is_listening
from tests.support.servers import mongodb_database, opensearch_namespace, postgres_database, redis_database
from tests.support.viewers import Viewers

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
CONTAINER_STATE = "/var/lib/marquee"
DEMO = {"MARQUEE_STACK_DEMO": "true", "MARQUEE_TITLES_SEED_DEMO": "true"}
READY_DEADLINE_S = 240.0
MAX_RESTARTS = 3


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    """What stands in the secrets that hold an address, and the one address that is none, by the service's name."""
    with ExitStack() as namespaces:
        enter = namespaces.enter_context
        postgres = {
            f"{name}_database_url": enter(postgres_database(f"_{name}"))
            for name in ("profiles", "recommendations", "licensing")
        }
        mongodb = {f"{name}_store_url": enter(mongodb_database(f"_{name}")) for name in ("titles", "playback")}
        search = enter(opensearch_namespace("-titles"))
        yield {
            **postgres,
            **mongodb,
            "valkey_url": enter(redis_database()),
            "http://opensearch:9200": search.url,
            "index name": search.prefix.rstrip("-"),
        }


@pytest.fixture(scope="module")
def distributed(addresses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Every process of the file in a folder of its own."""
    folder = tmp_path_factory.mktemp("distributed")
    secrets = folder / "secrets"
    make_secrets(secrets)
    (folder / "objects").mkdir()
    ports = dict(zip(PORT_NAMES, free_ports(len(PORT_NAMES)), strict=True))
    environments = {row.name: host_of(row.name, folder, secrets, addresses, ports) for row in PROCESS_TABLE}
    processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(name: str) -> None:
        with (folder / name / "log").open("ab") as log:
            processes[name] = subprocess.Popen(
                [sys.executable, "-m", "stack", *SERVICES[name]["command"]],
                cwd=REPOSITORY,
                env=environments[name],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                preexec_fn=die_with_parent,
            )

    try:
        for row in PROCESS_TABLE:
            start(row.name)
        state = folder / "gateway" / "state"
        stack = RunningStack(state, ports, processes["gateway"], folder / "gateway" / "log")  # type: ignore[arg-type]
        wait_until_ready(stack, folder, processes, start)
        yield stack
        stack.client.close()
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def host_of(name: str, folder: Path, secrets: Path, addresses: dict[str, str], ports: dict[str, int]) -> dict[str, str]:
    """Lay out a host's files as the service's mounts say, and return its environment."""
    root = folder / name
    state = root / "state"
    (state / "keys").mkdir(parents=True)
    (root / "run").mkdir()
    for secret in SERVICES[name]["secrets"]:
        mount = {"source": secret, "target": f"/run/secrets/{secret}"} if isinstance(secret, str) else secret
        target = Path(mount["target"].replace(CONTAINER_STATE, str(state)).replace("/run/secrets", str(root / "run")))
        if mount["source"] in addresses:
            target.write_text(addresses[mount["source"]])
        else:
            shutil.copyfile(secrets / Path(mount["target"]).name, target)
    if f"objects:{CONTAINER_STATE}/objects" in SERVICES[name].get("volumes", []):
        (state / "objects").symlink_to(folder / "objects")
    values = {
        variable: translated(str(value), root, addresses, ports)
        for variable, value in SERVICES[name]["environment"].items()
    }
    if name.upper() in ports:
        values[f"MARQUEE_{name.upper()}_PORT"] = str(ports[name.upper()])
    kept = {variable: value for variable, value in os.environ.items() if not variable.startswith("MARQUEE_")}
    if name == "titles":
        values["MARQUEE_TITLES_SEARCH_INDEX_NAME"] = addresses["index name"]
    own_demo = {v: on for v, on in DEMO.items() if name == "profiles" or v.startswith(f"MARQUEE_{name.upper()}_")}
    return {**kept, **values, **own_demo, "MARQUEE_STATE_DIR": str(state)}


def translated(value: str, root: Path, addresses: dict[str, str], ports: dict[str, int]) -> str:
    """A value as it is on this machine: defaults filled in, names of services and their ports by ours."""
    value = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value).replace("/run/secrets", str(root / "run"))
    value = addresses.get(value, value).replace("0.0.0.0", "127.0.0.1")
    for name, port in ports.items():
        value = re.sub(rf"\b{name.lower()}:\d+", f"127.0.0.1:{port}", value)
    for name, published in (("GATEWAY", 4000), ("DELIVERY", 4010)):
        value = value.replace(f"127.0.0.1:{published}", f"127.0.0.1:{ports[name]}")
    return value


def wait_until_ready(
    stack: RunningStack, folder: Path, processes: dict[str, subprocess.Popen[bytes]], start: Callable[[str], None]
) -> None:
    """As `restart: unless-stopped` has it, a process that gave up on a slow server is started again, thrice at most."""
    deadline = time.monotonic() + READY_DEADLINE_S
    for row in PROCESS_TABLE:
        restarts = 0
        while not is_ready(stack, row.name, row.readiness):
            log = (folder / row.name / "log").read_text(errors="replace")[-3_000:]
            assert time.monotonic() < deadline, f"{row.name} is not ready:\n{log}"
            if processes[row.name].poll() is not None:
                restarts += 1
                assert restarts <= MAX_RESTARTS, f"{row.name} ended:\n{log}"
                start(row.name)
            time.sleep(0.1)


def is_ready(stack: RunningStack, name: str, readiness: Readiness) -> bool:
    if readiness is Readiness.NONE:
        return True
    port = stack.ports[name.upper()]
    if not is_listening(port):
        return False
    return readiness is not Readiness.HTTP or stack.client.get(f"http://127.0.0.1:{port}/health").status_code == 200


def test_a_film_goes_all_the_way(distributed: RunningStack, tmp_path: Path) -> None:
    """Uploaded, encoded, found, licensed, steered, played, continued: every process and every key has its part."""
    clip = tmp_path / "clip.mp4"
    draw_test_clip(clip)
    done = distributed.run_marquee("ingest", str(clip), "--title", "Test Card")
    assert done.returncode == 0, done.stdout + done.stderr
    viewer = Viewers(distributed).fresh(plan="PREMIUM")
    search = 'query { search(query: "Test Card", first: 1) { edges { node { id displayName } } } }'
    [edge] = distributed.graphql(search, token=viewer.token).data["search"]["edges"]
    title = edge["node"]["id"]

    device = {"id": "tv", "formFactor": "TV", "supportsClearKey": False}
    variables = {"input": {"titleId": title, "device": device}}
    session = distributed.operation("shared/start_playback", variables, token=viewer.token).data["startPlayback"][
        "session"
    ]
    manifest = next(each for each in session["manifests"] if each["protocol"] == "HLS")
    assert any(stream["codec_type"] == "video" for stream in ffprobe(manifest["url"])["streams"])

    stop = {"sessionId": session["id"], "positionSeconds": 1.5, "sequence": 1}
    distributed.operation("shared/stop_playback", {"input": stop}, token=viewer.token)
    again = distributed.operation("shared/start_playback", variables, token=viewer.token).data["startPlayback"][
        "session"
    ]
    assert again["resumePositionSeconds"] == 1.5
    page = distributed.operation("tv/home", {"device": TV}, token=viewer.token).data["page"]
    assert sections_of(page)


def test_no_host_has_keys_that_the_file_does_not_give_it(distributed: RunningStack) -> None:
    """A process that misses a key would make one of its own, which nobody else trusts; those it has stay as they are.

    In a container they are read-only, public ones too.
    """
    folder = distributed.state_dir.parents[1]
    for row in PROCESS_TABLE:
        mounted = [each for each in SERVICES[row.name]["secrets"] if not isinstance(each, str)]
        names = {Path(each["target"]).name for each in mounted}
        found = {path.name: path.read_bytes() for path in (folder / row.name / "state" / "keys").iterdir()}
        assert found == {name: (folder / "secrets" / name).read_bytes() for name in names}, row.name
