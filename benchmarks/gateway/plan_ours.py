"""Plans one query COUNT times with our planner; prints milliseconds, the plan's size and its verdict as JSON.

Each plan starts from the query's text; "checked" in the verdict means that the plan check proved the plan. STATES
bounds the search, to see what becomes of a plan whose budget ends early.

Usage: python -m benchmarks.gateway.plan_ours SUPERGRAPH QUERY COUNT [STATES]
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from graphql import parse, validate

from gateway.planner.check import check_plan
from gateway.planner.normalize import normalize
from gateway.planner.planner import DEFAULT_STATES, Planner
from gateway.supergraph.read import read_supergraph


def main(supergraph_file: Path, query_file: Path, count: int, states: int = DEFAULT_STATES) -> None:
    """Measure and print."""
    sdl, query = supergraph_file.read_text(), query_file.read_text()
    began = time.perf_counter()
    planner = Planner(read_supergraph(sdl), states=states)
    load_ms = (time.perf_counter() - began) * 1e3
    if errors := validate(planner.api_schema, parse(query)):
        raise SystemExit(f"the query is not valid: {errors[0].message}")
    plan_ms = []
    for _ in range(count):
        began = time.perf_counter()
        plan = planner.plan(parse(query))
        plan_ms.append((time.perf_counter() - began) * 1e3)
    problems = check_plan(planner.query_graph, normalize(parse(query), planner.api_schema), plan)
    if problems:
        raise SystemExit(f"the plan check refuses the plan: {problems[0]}")
    depths: list[int] = []
    for step in plan.steps:
        depths.append(1 + max((depths[parent] for parent in step.depends_on), default=0))
    print(
        json.dumps(
            {
                "load_ms": load_ms,
                "plan_ms": plan_ms,
                "fetches": len(plan.steps),
                "in_a_row": max(depths),
                "verdict": f"{plan.verdict.value}, checked",
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *(int(each) for each in sys.argv[3:]))
