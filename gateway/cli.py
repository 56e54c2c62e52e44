"""The gateway's command line: every stage's artifact can be printed, and `serve` runs the gateway alone.

`marquee` mounts these commands as they are; `python -m gateway.cli` offers them without the rest of the product.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from graphql import DocumentNode

    from gateway.composition.stages import SubgraphSource
    from gateway.planner.normalize.operation import NormalizedOperation
    from gateway.planner.plan.nodes import QueryPlan
    from gateway.planner.planner import Planner, Stages
    from gateway.settings import GatewaySettings
    from gateway.supergraph.model import Supergraph

__all__ = ["app", "serve"]

app = typer.Typer(
    name="gateway",
    help="A federation gateway: compose subgraphs, look at every stage of a query, serve the graph.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

SupergraphOption = Annotated[
    Path | None, typer.Option("--supergraph", "-s", help="Supergraph SDL, of any composer.", show_default=False)
]
SubgraphsOption = Annotated[
    Path | None,
    typer.Option("--subgraphs", help="JSON list of {name, url, sdl} to compose instead.", show_default=False),
]
IncludeTagOption = Annotated[
    list[str] | None,
    typer.Option("--include-tag", help="Show only what carries this @tag; may be repeated.", show_default=False),
]
ExcludeTagOption = Annotated[
    list[str] | None,
    typer.Option("--exclude-tag", help="Hide what carries this @tag; wins; may be repeated.", show_default=False),
]
HideUnreachableOption = Annotated[
    bool, typer.Option("--hide-unreachable", help="Also hide types that no operation can reach.")
]
OperationArgument = Annotated[Path, typer.Argument(help="File with the operation; - reads standard input.")]
NameOption = Annotated[str | None, typer.Option("--name", help="Which operation of the file.", show_default=False)]

DEFAULT_SUPERGRAPH = Path("schema/supergraph.graphql")


@app.command()
def compose(
    subgraphs: Annotated[
        list[Path],
        typer.Argument(help="SDL files (the name is the file's stem), or one JSON list of {name, url, sdl}."),
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the supergraph here.")] = None,
    include_tag: IncludeTagOption = None,
    exclude_tag: ExcludeTagOption = None,
    hide_unreachable: HideUnreachableOption = False,
) -> None:
    """Compose subgraphs into supergraph SDL, or say why not; with tags into a variant for part of the clients."""
    from gateway.supergraph.write import write_supergraph

    supergraph = _compose(_read_sources(subgraphs), print_hints=True)
    supergraph = _variant(supergraph, include_tag, exclude_tag, hide_unreachable=hide_unreachable)
    _write(write_supergraph(supergraph), out)


@app.command("api-schema")
def api_schema(
    supergraph: SupergraphOption = None,
    subgraphs: SubgraphsOption = None,
    include_tag: IncludeTagOption = None,
    exclude_tag: ExcludeTagOption = None,
    hide_unreachable: HideUnreachableOption = False,
) -> None:
    """Print what clients see of the graph, or of a variant of it."""
    from gateway.supergraph.api_schema import write_api_sdl

    whole = _load(supergraph, subgraphs)
    print(write_api_sdl(_variant(whole, include_tag, exclude_tag, hide_unreachable=hide_unreachable)), end="")


@app.command()
def normalize(
    operation: OperationArgument,
    supergraph: SupergraphOption = None,
    subgraphs: SubgraphsOption = None,
    name: NameOption = None,
) -> None:
    """Print an operation in canonical form."""
    from gateway.planner.normalize.operation import write_operation

    print(write_operation(_normalized(_workbench(supergraph, subgraphs, operation, name))))


@app.command()
def graph(supergraph: SupergraphOption = None, subgraphs: SubgraphsOption = None) -> None:
    """Print the query graph for Graphviz: `… graph | dot -Tsvg`."""
    from gateway.query_graph.build import build_query_graph
    from gateway.query_graph.dot import write_dot

    print(write_dot(build_query_graph(_load(supergraph, subgraphs))))


@app.command()
def paths(
    operation: OperationArgument,
    supergraph: SupergraphOption = None,
    subgraphs: SubgraphsOption = None,
    name: NameOption = None,
) -> None:
    """Print the query tree: who was chosen to provide each field, and how objects are entered."""
    from gateway.planner.query_tree import write_query_tree

    bench = _workbench(supergraph, subgraphs, operation, name)
    for position in _stages(bench).positions:
        print(write_query_tree(position, bench.planner.query_graph))


@app.command("fetch-graph")
def fetch_graph(
    operation: OperationArgument,
    supergraph: SupergraphOption = None,
    subgraphs: SubgraphsOption = None,
    name: NameOption = None,
) -> None:
    """Print the fetch graph: each request, what it selects and what it waits for."""
    from gateway.planner.fetch_graph.text import write_fetch_graph

    bench = _workbench(supergraph, subgraphs, operation, name)
    print(write_fetch_graph(_stages(bench).fetch_graph, bench.planner.query_graph))


@app.command()
def plan(
    operation: OperationArgument,
    supergraph: SupergraphOption = None,
    subgraphs: SubgraphsOption = None,
    name: NameOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="The plan as JSON.")] = False,
    code: Annotated[
        bool, typer.Option("--code", help="Also the generated collectors and projection, all conditions true.")
    ] = False,
) -> None:
    """Print the query plan, as text in the usual form or as JSON."""
    from gateway.planner.plan.json import plan_to_json
    from gateway.planner.plan.text import write_plan_text

    bench = _workbench(supergraph, subgraphs, operation, name)
    made = _stages(bench).plan
    print(json.dumps(plan_to_json(made), indent=2) if as_json else write_plan_text(made))
    if code:
        print(_collector_code(made))
        print(_projection_code(bench))


@app.command()
def check(
    operation: OperationArgument,
    supergraph: SupergraphOption = None,
    subgraphs: SubgraphsOption = None,
    name: NameOption = None,
) -> None:
    """Prove that the plan yields what the operation asks; exit code 1 and the reasons where it does not."""
    from gateway.planner.check import check_plan

    bench = _workbench(supergraph, subgraphs, operation, name)
    made = _stages(bench).plan
    problems = check_plan(bench.planner.query_graph, _normalized(bench), made)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        _fail(f"the plan is wrong in {len(problems)} places")
    print(f"the plan is sound: {len(made.steps)} requests, {made.verdict.value}")


@app.command()
def serve(
    supergraph: SupergraphOption = None,
    subgraphs: SubgraphsOption = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 lets the system choose.")] = 4000,
    host: Annotated[str, typer.Option(help="Address to bind.")] = "127.0.0.1",
    access_log: Annotated[bool, typer.Option(help="One line per request on standard error.")] = False,
) -> None:
    """Serve a graph at http://HOST:PORT/graphql; limits and timeouts come from MARQUEE_GATEWAY_… variables."""
    from common.settings import SettingsInvalid
    from gateway.settings import GatewaySettings
    from gateway.supergraph.read import SupergraphInvalid, read_supergraph

    try:
        settings = GatewaySettings.load(host=host, port=port, access_log=access_log)
    except SettingsInvalid as error:
        _fail(str(error))
    if subgraphs is not None:
        if supergraph is not None:
            _fail("give --supergraph or --subgraphs, not both")
        settings = settings.model_copy(update={"supergraph": _composed_file(subgraphs), "reload_interval_s": 0.0})
    elif supergraph is not None:
        settings = settings.model_copy(update={"supergraph": supergraph})
    if not settings.supergraph.is_file():
        _fail(f"{settings.supergraph} is no file; give --supergraph FILE or --subgraphs FILE")
    try:
        read_supergraph(_read_text(settings.supergraph))
    except SupergraphInvalid as error:
        _fail(f"{settings.supergraph}: {error}")
    _run_server(settings)


@dataclass(frozen=True)
class _Workbench:
    """A graph and one valid operation on it."""

    planner: Planner
    document: DocumentNode
    operation_name: str | None


def _workbench(
    supergraph: Path | None, subgraphs: Path | None, operation: Path, operation_name: str | None
) -> _Workbench:
    from graphql import GraphQLError, parse, validate

    from gateway.planner.planner import Planner

    planner = Planner(_load(supergraph, subgraphs))
    try:
        document = parse(_read_text(operation), allow_empty_selection_sets=False)
    except GraphQLError as error:
        _fail(f"{operation}: {error}")
    errors = validate(planner.api_schema, document)
    for each in errors:
        print(each, file=sys.stderr)
    if errors:
        _fail(f"{operation} is not valid on this graph: {len(errors)} problems")
    return _Workbench(planner, document, operation_name)


def _normalized(bench: _Workbench) -> NormalizedOperation:
    from gateway.errors import RequestInvalid
    from gateway.planner.normalize.order import normalize as run_normalize

    try:
        return run_normalize(bench.document, bench.planner.api_schema, bench.operation_name)
    except RequestInvalid as error:
        _fail(str(error))


def _stages(bench: _Workbench) -> Stages:
    from gateway.errors import PlanningFailed

    try:
        return bench.planner.stages(_normalized(bench))
    except PlanningFailed as error:
        _fail(f"no plan: {error}")


def _collector_code(made: QueryPlan) -> str:
    """One function per entity input whose objects are grouped by generated code."""
    from gateway.executor.compile import compile_plan
    from gateway.executor.generate_collector import write_grouping

    parts: list[str] = []
    for compiled in compile_plan(made).steps:
        for each in compiled.inputs:
            if each.may_share:
                given = each.entity_input
                parts.append(f"# request {compiled.step.id} to '{compiled.step.subgraph}', ${given.variable}")
                parts.append(write_grouping(given.paths, given.shapes))
    return "\n".join(parts)


def _projection_code(bench: _Workbench) -> str:
    from graphql import FragmentDefinitionNode

    from gateway.executor.projection.generate import write_projection
    from gateway.executor.projection.shape import build_operation_shape, condition_variables
    from gateway.planner.normalize.order import select_operation

    fragments = {
        each.name.value: each for each in bench.document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    operation = select_operation(bench.document, bench.operation_name)
    conditions = dict.fromkeys(condition_variables(operation, fragments), True)
    return write_projection(build_operation_shape(bench.planner.api_schema, operation, fragments, conditions))


def _run_server(settings: GatewaySettings) -> None:
    from common.telemetry import configure_logs
    from gateway.server.app import create_app
    from gateway.server.serving import LISTEN_BACKLOG
    from gateway.server.serving import serve as serve_app

    try:
        listening = socket.create_server((settings.host, settings.port), backlog=LISTEN_BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)
        _fail(
            f"can't listen on {settings.host}:{settings.port}, {reason}; "
            "choose another with --port or MARQUEE_GATEWAY_PORT"
        )
    configure_logs("gateway", settings.shared.log_level)
    serve_app(create_app(settings), listening, drain_s=settings.drain_s, finish_s=settings.request_timeout_s)


def _composed_file(subgraphs: Path) -> Path:
    """Supergraph SDL composed from the list, in a file that lives as long as the process."""
    import atexit
    import tempfile

    from gateway.supergraph.write import write_supergraph

    sdl = write_supergraph(_compose(_read_sources([subgraphs])))
    with tempfile.NamedTemporaryFile("w", suffix=".graphql", prefix="supergraph-", delete=False) as file:
        file.write(sdl)
    path = Path(file.name)
    atexit.register(path.unlink, missing_ok=True)
    return path


def _load(supergraph: Path | None, subgraphs: Path | None) -> Supergraph:
    from gateway.supergraph.read import SupergraphInvalid, read_supergraph

    if supergraph is not None and subgraphs is not None:
        _fail("give --supergraph or --subgraphs, not both")
    if subgraphs is not None:
        return _compose(_read_sources([subgraphs]))
    path = supergraph or DEFAULT_SUPERGRAPH
    try:
        return read_supergraph(_read_text(path))
    except SupergraphInvalid as error:
        _fail(f"{path}: {error}")


def _read_sources(paths: Sequence[Path]) -> list[SubgraphSource]:
    from gateway.composition.stages import SubgraphSource

    sources: list[SubgraphSource] = []
    for path in paths:
        text = _read_text(path)
        if path.suffix != ".json" and not text.lstrip().startswith("["):
            sources.append(SubgraphSource(name=path.stem, url="", sdl=text))
            continue
        try:
            listed = json.loads(text)
            sources += [
                SubgraphSource(name=item["name"], url=item.get("url") or "", sdl=item["sdl"]) for item in listed
            ]
        except (ValueError, TypeError, KeyError) as error:
            _fail(f"{path}: wanted a JSON list of objects with name, url and sdl ({error!r})")
    return sources


def _compose(sources: Sequence[SubgraphSource], *, print_hints: bool = False) -> Supergraph:
    from gateway.composition.compose import compose as run_compose
    from gateway.composition.stages import Composed

    result = run_compose(sources)
    if not isinstance(result, Composed):
        for item in result.diagnostics:
            print(item, file=sys.stderr)
        _fail(f"the subgraphs do not compose: {len(result.diagnostics)} problems")
    if print_hints:
        for item in result.hints:
            print(item, file=sys.stderr)
    return result.supergraph


def _variant(
    supergraph: Supergraph, include: list[str] | None, exclude: list[str] | None, *, hide_unreachable: bool
) -> Supergraph:
    """The supergraph itself, or what a contract shows of it."""
    from gateway.composition.contract import Contract, apply_contract
    from gateway.composition.stages import Composed

    contract = Contract(frozenset(include or ()), frozenset(exclude or ()), hide_unreachable)
    if contract == Contract():
        return supergraph
    result = apply_contract(supergraph, contract)
    for item in result.hints if isinstance(result, Composed) else result.diagnostics:
        print(item, file=sys.stderr)
    if not isinstance(result, Composed):
        _fail(f"the contract does not hold: {len(result.diagnostics)} problems")
    return result.supergraph


def _read_text(path: Path) -> str:
    if str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _fail(f"{path} can't be read: {error}")


def _write(text: str, out: Path | None) -> None:
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, encoding="utf-8")


def _fail(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
