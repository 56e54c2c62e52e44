"""`marquee up`: from an empty folder to a home page and a playing film.

Reads as it runs: prepare the state folder and the keys, check the ports, start everything, wait, tell what is where,
bring in the demo film, and stay until Ctrl-C.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console

from common.settings import ProcessSettings, SettingsInvalid, SharedSettings, check_unclaimed
from common.telemetry import configure_logs
from common.tokens import ensure_key_file
from stack import REPOSITORY, valkey
from stack.demo import DEMO_PASSWORD, bring_in_demo_film
from stack.demo_history import bring_in_demo_history
from stack.preparing import tell_preparing
from stack.processes import PROCESS_TABLE, ProcessRow, Readiness, Stage
from stack.servers import PreparedServers, prepare_servers
from stack.settings import StackSettings
from stack.supervisor import Child, Supervisor, check_ports_free

__all__ = ["run_up"]

VALKEY_ROW = ProcessRow("valkey", "stack.valkey:run", None, Readiness.TCP, "events, jobs, leases, caches", Stage.STORE)


def run_up(console: Console, *, demo: bool, servers: bool = False) -> int:
    """Run everything until Ctrl-C or SIGTERM; returns the exit code.

    With `servers`, on real ones instead of the embedded stores. Raises PortTaken, StartFailed, SettingsInvalid,
    ServersMissing.
    """
    started_at = time.monotonic()
    # A person reads this: what the demo's own steps do is of no interest, a process that had to be restarted is.
    configure_logs("stack", "WARNING", colours=console.is_terminal)
    state_dir = _prepare_state(console)
    stores = prepare_servers(state_dir) if servers else PreparedServers(_embedded_valkey(state_dir), {})
    children = stores.children + [
        Child(row, _port_of(row), f"MARQUEE_{row.name.upper()}_PORT") for row in PROCESS_TABLE
    ]
    # Every process's settings are imported by now: what belongs to none of them is a typing error.
    if problems := check_unclaimed(os.environ):
        raise SettingsInvalid("\n".join(problems))
    check_ports_free(_wanted_ports(children))
    _export_environment(state_dir, demo=demo)
    with _pid_file(state_dir):
        supervisor = Supervisor(children, state_dir / "logs")
        try:
            return asyncio.run(_stay(supervisor, console, started_at, stores.given, demo=demo))
        finally:
            supervisor.stop()
            console.print("Everything has ended.")


async def _stay(
    supervisor: Supervisor, console: Console, started_at: float, given: Mapping[str, list[str]], *, demo: bool
) -> int:
    """Wait for readiness, tell, watch; returns when a signal came. `given` are servers by kind, for the telling."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    stopped = asyncio.ensure_future(stop.wait())
    ready = asyncio.ensure_future(supervisor.start())
    await asyncio.wait({stopped, ready}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        ready.cancel()
        await asyncio.gather(ready, return_exceptions=True)
        return 130
    await ready
    console.print(f"[green]ready[/] after {time.monotonic() - started_at:.1f} s")
    _tell_what_is_where(supervisor, console, given, demo=demo)
    health_urls = {
        child.row.name: f"http://127.0.0.1:{child.port}/health"
        for child in supervisor.children
        if child.row.readiness is Readiness.HTTP
    }
    background = [
        asyncio.ensure_future(supervisor.watch()),
        asyncio.ensure_future(tell_preparing(console, health_urls)),
    ]
    if demo:
        background.append(asyncio.ensure_future(bring_in_demo_film(console)))
        background.append(asyncio.ensure_future(bring_in_demo_history(console)))
    await stopped
    console.print("\nstopping …")
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    return 0


def _prepare_state(console: Console) -> Path:
    shared = SharedSettings.load()
    state_dir = shared.state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    console.print(
        f"Marquee keeps everything in [bold]{state_dir}[/] (MARQUEE_STATE_DIR; `make clean` removes it)", soft_wrap=True
    )
    for name in ("access", "viewer"):
        ensure_key_file(state_dir / "keys" / f"{name}.pem")
    return state_dir


def _embedded_valkey(state_dir: Path) -> list[Child]:
    """Unless a server is named. The other stores are files, and no processes."""
    if "valkey_url" in SharedSettings.load().model_fields_set:
        return []
    port = StackSettings.load().valkey_port
    os.environ["MARQUEE_VALKEY_URL"] = valkey.valkey_url(state_dir, port)
    return [Child(VALKEY_ROW, port, "MARQUEE_STACK_VALKEY_PORT")]


def _port_of(row: ProcessRow) -> int | None:
    if row.settings is None:
        return None
    module, _, name = row.settings.partition(":")
    settings_type: type[ProcessSettings] = getattr(importlib.import_module(module), name)
    port: int = settings_type.load().port  # type: ignore[attr-defined]  # every row of the table has one
    return port


def _wanted_ports(children: list[Child]) -> Iterator[tuple[str, int, str]]:
    for child in children:
        if child.port is not None:
            yield child.row.name, child.port, child.port_variable


def _export_environment(state_dir: Path, *, demo: bool) -> None:
    """What the children must agree on. Set before the first fork; what the user set stays as it is."""
    ports = {row.name: _port_of(row) for row in PROCESS_TABLE}
    subgraphs = ("profiles", "titles", "playback", "recommendations")
    urls = ",".join(f'"{name}":"http://127.0.0.1:{ports[name]}/graphql"' for name in subgraphs)
    holders = {name: f"http://127.0.0.1:{ports[name]}" for name in ("playback", "recommendations", "titles")}
    defaults = {
        "MARQUEE_STATE_DIR": str(state_dir),
        "MARQUEE_PUBLIC_GATEWAY_URL": f"http://127.0.0.1:{ports['gateway']}",
        "MARQUEE_PUBLIC_MEDIA_URL": f"http://127.0.0.1:{ports['delivery']}",
        "MARQUEE_GATEWAY_SUPERGRAPH": str(REPOSITORY / "schema" / "supergraph.graphql"),
        "MARQUEE_GATEWAY_GRAPHIQL_DIR": str(REPOSITORY / "clients" / "node_modules"),
        "MARQUEE_GATEWAY_GRAPHIQL_QUERY": (REPOSITORY / "schema" / "operations" / "graphiql" / "first_look.graphql")
        .read_text()
        .strip(),
        "MARQUEE_GATEWAY_SUBGRAPH_URLS": "{" + urls + "}",
        "MARQUEE_GATEWAY_ACCESS_JWKS": f"http://127.0.0.1:{ports['profiles']}/.well-known/jwks.json",
        "MARQUEE_GATEWAY_REVOKED_SESSIONS": f"http://127.0.0.1:{ports['profiles']}/.well-known/revoked-sessions.json",
        "MARQUEE_GATEWAY_SIGN_VIEWER_CONTEXT": "true",
        "MARQUEE_PROFILES_PERSONAL_DATA_URLS": json.dumps(holders),
        "MARQUEE_PLAYBACK_LICENSING_TARGET": f"127.0.0.1:{ports['licensing']}",
        "MARQUEE_PLAYBACK_STEERING_TARGET": f"127.0.0.1:{ports['steering']}",
        "MARQUEE_WORKER_LICENSING_TARGET": f"127.0.0.1:{ports['licensing']}",
        "MARQUEE_DELIVERY_LICENSING_TARGET": f"127.0.0.1:{ports['licensing']}",
        "MARQUEE_DELIVERY_STEERING_TARGET": f"127.0.0.1:{ports['steering']}",
        "MARQUEE_DELIVERY_TRANSCODING_TARGET": f"127.0.0.1:{ports['transcoding']}",
        "MARQUEE_DELIVERY_ACCESS_JWKS": f"http://127.0.0.1:{ports['profiles']}/.well-known/jwks.json",
        "MARQUEE_DELIVERY_ARTWORK_ORIGIN_URL": f"http://127.0.0.1:{ports['titles']}",
        # Many processes on few cores: more threads in one matrix product only wait for each other.
        "OPENBLAS_NUM_THREADS": "1",
    }
    # Children that run programs (the worker) fork while gRPC is in use; its own fork handlers only make noise then.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    os.environ["MARQUEE_STACK_DEMO"] = os.environ["MARQUEE_TITLES_SEED_DEMO"] = str(demo).lower()


def _tell_what_is_where(
    supervisor: Supervisor, console: Console, given: Mapping[str, list[str]], *, demo: bool
) -> None:
    shared = SharedSettings.load()
    gateway, media = shared.public_gateway_url, shared.public_media_url
    console.print()
    console.print(f"  GraphQL and GraphiQL  {gateway}/graphql")
    console.print(f"  TV page               {gateway}/tv/")
    console.print(f"  phone page            {gateway}/phone/")
    # By variable: an address may hold a password.
    for kind, variables in given.items():
        console.print(f"  {kind:<21} {', '.join(variables)}", highlight=False)
    for child in supervisor.children:
        if child.row.name != "gateway":
            where = f"127.0.0.1:{child.port}" if child.port else ""
            console.print(f"  {child.row.name:<21} {where:<22} {child.row.speaks}", highlight=False)
    console.print()
    if demo:
        console.print("Three things to try:")
        console.print(f"  1. Open {gateway}/tv/ , choose Premium, and drive it with the arrow keys and Enter.")
        console.print(
            f"  2. curl {gateway}/graphql -H 'content-type: application/json' "
            """-d '{"query":"{ search(query: \\"nosfratu\\") { edges { node { displayName releaseYear } } } }"}'""",
            soft_wrap=True,
            highlight=False,
        )
        console.print('  3. .venv/bin/marquee ingest FILM.mp4 --title "My film"   (then find it on the TV page)')
        console.print(
            f"Accounts: basic@, standard@ and premium@marquee.example, password {DEMO_PASSWORD}", highlight=False
        )
    console.print(f"Media is served from {media}. Ctrl-C ends everything.\n")


@contextlib.contextmanager
def _pid_file(state_dir: Path) -> Iterator[None]:
    """So that `make clean` can see that the folder is in use."""
    path = state_dir / "up.pid"
    path.write_text(str(os.getpid()))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
