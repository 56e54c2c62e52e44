"""What docker-compose.yml promises at its top holds for every service, and every setting in it exists."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.settings import ProcessSettings, SharedSettings, check_environment, check_unclaimed
from stack.deployment_secrets import make_secrets
from stack.postgres import DATABASES
from stack.processes import PROCESS_TABLE
from stack.servers import KINDS
from stack.settings_reference import PROCESS_SETTINGS
from subgraphs.recommendations.settings import RecommendationsSettings

REPOSITORY = Path(__file__).parents[2]
COMPOSE_FILE = REPOSITORY / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROCESSES = [row.name for row in PROCESS_TABLE]
SERVERS = [name for name in SERVICES if name not in PROCESSES]
STATE = "/var/lib/marquee"

every_service = pytest.mark.parametrize("name", SERVICES)
every_process = pytest.mark.parametrize("name", PROCESSES)


def settings_type(process: str) -> type[ProcessSettings]:
    module, _, name = PROCESS_SETTINGS[process].partition(":")
    found: type[ProcessSettings] = getattr(importlib.import_module(module), name)
    return found


def environment(name: str) -> dict[str, str]:
    return SERVICES[name].get("environment", {})


def mounted_secrets(name: str) -> dict[str, str]:
    """Where each secret is, by its name."""
    mounts: dict[str, str] = {}
    for secret in SERVICES[name].get("secrets", []):
        long_form = {"source": secret, "target": f"/run/secrets/{secret}"} if isinstance(secret, str) else secret
        mounts[long_form["source"]] = long_form["target"]
    return mounts


def test_it_is_valid_by_the_compose_specification() -> None:
    """By the specification's own JSON schema, as the check-jsonschema package carries it."""
    checker = shutil.which("check-jsonschema", path=str(Path(sys.executable).parent)) or shutil.which(
        "check-jsonschema"
    )
    if checker is None:
        pytest.skip("no check-jsonschema: pip install check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_process_and_every_kind_of_server_is_there() -> None:
    """The image's command is the one that the table of processes knows."""
    assert set(PROCESSES) < set(SERVICES)
    assert SERVERS == ["postgres", "mongodb", "opensearch", "redis"]
    assert len(SERVERS) == len(KINDS)
    assert {name: SERVICES[name]["command"] for name in PROCESSES} == {name: ["run", name] for name in PROCESSES}


@every_service
def test_each_has_health_check_limits_restarts_and_waits_for_health(name: str) -> None:
    service = SERVICES[name]
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert service["restart"] == "unless-stopped"
    assert {each["condition"] for each in service.get("depends_on", {}).values()} <= {"service_healthy"}
    assert set(service.get("depends_on", {})) <= set(SERVICES)


@every_process
def test_each_process_is_asked_how_it_is_by_its_own_settings(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "marquee", "health", name]


@every_service
def test_each_runs_without_privileges(name: str) -> None:
    """Not as root, with nothing to gain; only OpenSearch may write outside its volumes."""
    service = SERVICES[name]
    assert service["user"] not in {"root", "0", "0:0"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only", False) is (name != "opensearch")


def test_only_the_gateway_and_delivery_are_published() -> None:
    """All others are on a network without a way out, and in."""
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"gateway", "delivery"}
    outside = {name for name, service in SERVICES.items() if "outside" in service["networks"]}
    assert outside == {"gateway", "delivery"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("gateway", "delivery"):
        port = settings_type(name).model_fields["port"].default
        assert SERVICES[name]["ports"] == [f"${{PUBLISH_ADDRESS:-127.0.0.1}}:{port}:{port}"]


@every_process
def test_every_variable_is_a_setting(name: str) -> None:
    """A typing error would mean the default; the processes refuse to start with one, and so does this."""
    assert check_environment(settings_type(name), environment(name)) == []
    assert check_unclaimed(environment(name)) == []


@every_process
def test_a_process_gets_its_own_settings_only(name: str) -> None:
    prefixes = {f"MARQUEE_{other.upper()}_" for other in PROCESSES} - {f"MARQUEE_{name.upper()}_"}
    assert not [variable for variable in environment(name) if variable.startswith(tuple(prefixes))]


@every_service
def test_no_secret_stands_in_an_environment(name: str) -> None:
    """Neither a value that holds a password nor a variable that is named for one; files are named instead."""
    for variable, value in environment(name).items():
        assert not re.search(r"://[^/]*@", str(value)), variable
        if re.search(r"PASSWORD|SECRET(?!S)|_KEY$|(DATABASE|STORE|VALKEY)_URL", variable):
            assert variable.endswith("_FILE"), variable
            assert value in mounted_secrets(name).values()


@every_process
def test_a_process_listens_where_others_can_reach_it(name: str) -> None:
    if "port" in settings_type(name).model_fields:
        assert environment(name)[f"MARQUEE_{name.upper()}_HOST"] == "0.0.0.0"


@every_process
def test_every_address_names_a_service_and_its_port(name: str) -> None:
    """http://titles:4002, licensing:50052: as those processes' own settings have it."""
    found = re.findall(r"\b(" + "|".join(PROCESSES) + r"):(\d+)", " ".join(map(str, environment(name).values())))
    for other, port in found:
        assert int(port) == settings_type(other).model_fields["port"].default
    # What is on this machine by default is elsewhere here.
    local = {
        f"MARQUEE_{name.upper()}_{setting.upper()}"
        for setting, field in settings_type(name).model_fields.items()
        if setting not in {"host", "shared"} and "127.0.0.1" in str(field.get_default(call_default_factory=True))
    }
    assert local <= set(environment(name))


def test_the_gateway_knows_where_every_subgraph_is() -> None:
    subgraphs = yaml.safe_load(environment("gateway")["MARQUEE_GATEWAY_SUBGRAPH_URLS"])
    assert set(subgraphs) == {path.stem for path in (REPOSITORY / "schema" / "subgraphs").glob("*.graphql")}


def test_private_keys_are_where_they_are_used_and_nowhere_else() -> None:
    """Who can issue access tokens, sign viewers, unwrap content keys, issue playback tokens, sign media paths and links in mails."""
    holders = {
        secret: {name for name in SERVICES if secret in mounted_secrets(name)}
        for secret in ("access_key", "viewer_key", "master_key", "playback_key", "media_token", "mail_key")
    }
    assert holders == {
        "access_key": {"profiles"},
        "viewer_key": {"gateway", "profiles", "delivery", "worker"},
        "master_key": {"licensing"},
        "playback_key": {"licensing"},
        "media_token": {"licensing", "steering", "delivery"},
        "mail_key": {"profiles"},
    }


@every_process
def test_keys_lie_where_the_process_looks_for_them(name: str) -> None:
    mounts = mounted_secrets(name)
    keys = [target for target in mounts.values() if target.startswith(STATE)]
    assert all(target == f"{STATE}/keys/{Path(target).name}" for target in keys)
    assert mounts["viewer_jwks"] == f"{STATE}/keys/viewer.jwks.json"


def test_marquee_secrets_makes_every_file_that_is_mounted(tmp_path: Path) -> None:
    """And a second call changes none of them."""
    folder = tmp_path / "deploy" / "secrets"
    made = set(make_secrets(folder))
    assert {f"deploy/secrets/{name}" for name in made} == {each["file"] for each in COMPOSE["secrets"].values()}
    assert folder.stat().st_mode & 0o777 == 0o700
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert make_secrets(folder) == []
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_secrets_never_enter_git_or_the_image() -> None:
    assert "deploy/secrets/" in (REPOSITORY / ".gitignore").read_text().splitlines()
    ignored = (REPOSITORY / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert not [line for line in ignored if line.startswith("!deploy")]


def test_every_named_volume_secret_and_config_is_defined_and_used() -> None:
    used_secrets = {secret for name in SERVICES for secret in mounted_secrets(name)}
    assert used_secrets == set(COMPOSE["secrets"])
    mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    assert {volume.partition(":")[0] for volume in mounts if not volume.startswith("/")} == set(COMPOSE["volumes"])
    assert all((REPOSITORY / each["file"]).is_file() for each in COMPOSE["configs"].values())


def test_objects_that_several_processes_read_are_on_one_volume() -> None:
    """What is written below the state folder by one and read by others outlives a container and is not its own."""
    sharers = {"titles", "recommendations", "delivery", "transcoding", "worker"}
    mount = f"objects:{STATE}/objects"
    assert {name for name, service in SERVICES.items() if mount in service.get("volumes", [])} == sharers
    models = RecommendationsSettings(shared=SharedSettings(state_dir=Path(STATE))).models_dir
    assert models.is_relative_to(Path(STATE) / "objects")


def test_postgres_has_a_database_for_each_service_that_wants_one() -> None:
    script = (REPOSITORY / "deploy" / "postgres" / "databases.sql").read_text()
    made = {environment("postgres")["POSTGRES_DB"], *re.findall(r"CREATE DATABASE (\w+);", script)}
    assert made == set(DATABASES)


def test_images_are_pinned_to_a_version() -> None:
    for name in SERVERS:
        assert re.search(r":\d+\.\d+(\.\d+)?", SERVICES[name]["image"]), name


def test_the_image_holds_everything_that_the_processes_read() -> None:
    """Each folder that the Dockerfile copies is let through to the builder, and is there."""
    dockerfile = (REPOSITORY / "deploy" / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE))
    sources = {source for line in copied for source in line.split()}
    allowed = {
        line[1:]
        for line in (REPOSITORY / "deploy/Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert sources == allowed
    assert all((REPOSITORY / source).exists() for source in sources)
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)
