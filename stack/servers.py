"""The servers of `marquee up --servers`: each is given by address, or started from what is installed, or refused.

A kind of server is started only when one of the variables that name its address is unset; what is set stays as it is.
"""

from __future__ import annotations

import os
import socket
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from common.settings import is_given, setting_text
from stack.mongodb import find_mongod, mongodb_url
from stack.opensearch import find_opensearch, opensearch_url
from stack.postgres import find_postgres, postgres_url
from stack.processes import ProcessRow, Readiness, Stage
from stack.programs import ProgramMissing
from stack.settings import StackSettings
from stack.supervisor import Child
from stack.valkey import find_installed, valkey_url

__all__ = ["KINDS", "PreparedServers", "ServerKind", "ServersMissing", "prepare_servers"]


PROBE_DEADLINE_S = 3.0


class ServersMissing(Exception):
    """Servers that are neither given nor installed, or given and silent, a sentence for each."""


@dataclass(frozen=True, slots=True)
class ServerKind:
    """One kind of server. `urls` makes the address for each variable from the state folder and the port."""

    name: str
    example: str
    urls: Mapping[str, Callable[[Path, int], str]]
    port: Callable[[StackSettings], int]
    port_variable: str
    default_port: int
    find: Callable[[], Path]
    row: ProcessRow


def _in_postgres(database: str) -> Callable[[Path, int], str]:
    return lambda state_dir, port: postgres_url(state_dir, port, database)


def _in_mongodb(database: str) -> Callable[[Path, int], str]:
    return lambda _, port: mongodb_url(port, database)


KINDS: tuple[ServerKind, ...] = (
    ServerKind(
        name="PostgreSQL",
        example="postgresql+asyncpg://user:password@host/database",
        urls={
            "MARQUEE_PROFILES_DATABASE_URL": _in_postgres("profiles"),
            "MARQUEE_RECOMMENDATIONS_DATABASE_URL": _in_postgres("recommendations"),
            "MARQUEE_LICENSING_DATABASE_URL": _in_postgres("licensing"),
        },
        port=lambda settings: settings.postgres_port,
        port_variable="MARQUEE_STACK_POSTGRES_PORT",
        default_port=5432,
        find=find_postgres,
        row=ProcessRow(
            "postgresql",
            "stack.postgres:run",
            None,
            Readiness.PROBE,
            "accounts, lists, content keys",
            Stage.STORE,
            "stack.postgres:is_ready",
        ),
    ),
    ServerKind(
        name="MongoDB",
        example="mongodb://user:password@host/database",
        urls={"MARQUEE_TITLES_STORE_URL": _in_mongodb("titles"), "MARQUEE_PLAYBACK_STORE_URL": _in_mongodb("playback")},
        port=lambda settings: settings.mongodb_port,
        port_variable="MARQUEE_STACK_MONGODB_PORT",
        default_port=27017,
        find=find_mongod,
        row=ProcessRow("mongodb", "stack.mongodb:run", None, Readiness.TCP, "titles, watch history", Stage.STORE),
    ),
    ServerKind(
        name="OpenSearch",
        example="http://host:9200",
        urls={"MARQUEE_TITLES_SEARCH_URL": lambda _, port: opensearch_url(port)},
        port=lambda settings: settings.opensearch_port,
        port_variable="MARQUEE_STACK_OPENSEARCH_PORT",
        default_port=9200,
        find=find_opensearch,
        # Its port opens when the node can answer.
        row=ProcessRow("opensearch", "stack.opensearch:run", None, Readiness.TCP, "search index", Stage.STORE),
    ),
    ServerKind(
        name="Redis or Valkey",
        example="redis://:password@host:6379/0",
        urls={"MARQUEE_VALKEY_URL": valkey_url},
        port=lambda settings: settings.valkey_port,
        port_variable="MARQUEE_STACK_VALKEY_PORT",
        default_port=6379,
        find=find_installed,
        row=ProcessRow(
            "redis", "stack.valkey:run_installed", None, Readiness.TCP, "events, jobs, leases, caches", Stage.STORE
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class PreparedServers:
    """What `marquee up --servers` runs on: servers to start, and the variables by which others are given, by kind."""

    children: list[Child]
    given: dict[str, list[str]]


def prepare_servers(state_dir: Path) -> PreparedServers:
    """Decide for each kind; sets the variables that were unset to our own servers' addresses.

    Raises ServersMissing, also for a given one that does not answer.
    """
    settings = StackSettings.load()
    children: list[Child] = []
    given: dict[str, list[str]] = {}
    addresses: dict[str, str] = {}
    problems: list[str] = []
    for kind in KINDS:
        unset = [variable for variable in kind.urls if not is_given(variable, os.environ)]
        if len(unset) < len(kind.urls):
            given[kind.name] = [variable for variable in kind.urls if variable not in unset]
            problems += [problem for variable in given[kind.name] if (problem := _silence_at(variable, kind))]
        if not unset:
            continue
        try:
            kind.find()
        except ProgramMissing as missing:
            problems.append(f"{missing}: install it, or set {' and '.join(unset)} to yours, as {kind.example}")
            continue
        port = kind.port(settings)
        addresses |= {variable: kind.urls[variable](state_dir, port) for variable in unset}
        children.append(Child(kind.row, port, kind.port_variable))
    if problems:
        raise ServersMissing("\n".join(problems))
    os.environ.update(addresses)
    return PreparedServers(children, given)


def _silence_at(variable: str, kind: ServerKind) -> str | None:
    """The problem with a given address when none of its hosts accepts a connection; it may name several."""
    try:
        url = setting_text(variable, os.environ)
    except OSError as error:
        return f"{variable}_FILE can't be read: {error.strerror}"
    parts = urllib.parse.urlsplit(url)
    if not parts.netloc or parts.scheme.endswith("+srv"):
        # A file, a socket, or names that only its own client resolves.
        return None
    hosts = parts.netloc.rpartition("@")[2].split(",")
    if any(_answers(host, kind.default_port) for host in hosts):
        return None
    where = " or ".join(hosts)
    return f"nothing answers at {where}, which {variable} names: start {kind.name} there, or correct the address"


def _answers(host: str, default_port: int) -> bool:
    try:
        parts = urllib.parse.urlsplit(f"//{host}")
        with socket.create_connection((parts.hostname, parts.port or default_port), timeout=PROBE_DEADLINE_S):
            return True
    except (OSError, ValueError):
        return False
