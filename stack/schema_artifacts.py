"""Writes what people review under schema/: subgraph SDL from code, the supergraph composed from it, the API schema.

With --check nothing is written; the exit code says whether the committed files are what the code says.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys

from graphql import print_schema

from gateway.composition.compose import compose
from gateway.composition.stages import Composed, SubgraphSource
from gateway.supergraph.api_schema import build_api_schema
from gateway.supergraph.write import write_supergraph
from stack import REPOSITORY
from subgraphs.kernel.export_sdl import export_sdl

__all__ = ["build_artifacts", "main"]

SCHEMA_DIR = REPOSITORY / "schema"
SUBGRAPH_PORTS = {"profiles": 4001, "titles": 4002, "playback": 4003, "recommendations": 4004}


class CompositionRefused(Exception):
    """The subgraphs do not compose; the message lists the diagnostics."""


def build_artifacts() -> dict[str, str]:
    """File name below schema/ → text. Raises CompositionRefused."""
    sdl_by_name = {name: _subgraph_sdl(name) for name in SUBGRAPH_PORTS}
    sources = [
        SubgraphSource(name=name, url=f"http://127.0.0.1:{SUBGRAPH_PORTS[name]}/graphql", sdl=sdl)
        for name, sdl in sdl_by_name.items()
    ]
    result = compose(sources)
    if not isinstance(result, Composed):
        raise CompositionRefused("\n".join(f"{item.code}: {item.message}" for item in result.diagnostics))
    artifacts = {f"subgraphs/{name}.graphql": sdl for name, sdl in sdl_by_name.items()}
    artifacts["supergraph.graphql"] = write_supergraph(result.supergraph)
    artifacts["api.graphql"] = print_schema(build_api_schema(result.supergraph)) + "\n"
    return artifacts


def main() -> int:
    """Command line: scripts/schema."""
    parser = argparse.ArgumentParser(prog="scripts/schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a committed file differs")
    arguments = parser.parse_args()
    try:
        artifacts = build_artifacts()
    except CompositionRefused as error:
        print(error, file=sys.stderr)
        return 1
    drifted = False
    for name, text in artifacts.items():
        path = SCHEMA_DIR / name
        committed = path.read_text() if path.exists() else ""
        if committed == text:
            continue
        if arguments.check:
            drifted = True
            diff = difflib.unified_diff(
                committed.splitlines(), text.splitlines(), str(path), "from the code", lineterm=""
            )
            print("\n".join(list(diff)[:60]))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path.relative_to(SCHEMA_DIR.parent)}")
    if drifted:
        print("schema/ is not what the code says; run scripts/schema and review the difference", file=sys.stderr)
    return int(drifted)


def _subgraph_sdl(name: str) -> str:
    schema = importlib.import_module(f"subgraphs.{name}.api.schema").schema
    text: str = export_sdl(schema)
    return text


if __name__ == "__main__":
    sys.exit(main())
