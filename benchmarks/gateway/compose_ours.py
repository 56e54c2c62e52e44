"""Composes a JSON list of {name, url, sdl} with our composer, then loads what came out; prints seconds as JSON.

Composed is in a process that has composed nothing before. Loading is what a gateway does before it can take a request:
read the supergraph, derive the API schema and the query graph.

Usage: python -m benchmarks.gateway.compose_ours SUBGRAPHS.json SUPERGRAPH_OUT
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gateway.composition.compose import compose
from gateway.composition.stages import Composed, SubgraphSource
from gateway.pipeline.snapshot import build_snapshot
from gateway.settings import GatewaySettings
from gateway.supergraph.write import write_supergraph


def main(subgraphs_file: Path, supergraph_file: Path) -> None:
    """Measure and print."""
    sources = [SubgraphSource(**each) for each in json.loads(subgraphs_file.read_text())]
    began = time.perf_counter()
    result = compose(sources)
    if not isinstance(result, Composed):
        raise SystemExit("\n".join(str(each) for each in result.diagnostics[:5]))
    sdl = write_supergraph(result.supergraph)
    compose_s = time.perf_counter() - began
    supergraph_file.write_text(sdl)
    del result
    with ThreadPoolExecutor(1) as threads:
        began = time.perf_counter()
        build_snapshot(sdl, GatewaySettings(), threads)
        load_s = time.perf_counter() - began
    print(json.dumps({"compose_s": compose_s, "supergraph_bytes": len(sdl), "load_s": load_s}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
