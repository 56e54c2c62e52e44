"""SDL text → `IngestedSubgraph`: parse, read links, read definitions, check GraphQL validity, rename root types."""

from __future__ import annotations

from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    ExecutableDefinitionNode,
    GraphQLSyntaxError,
    Node,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    parse,
)

from gateway.composition.diagnostics import Location
from gateway.composition.diagnostics import error as error_diagnostic
from gateway.composition.federation_spec import FEDERATION_IDENTITY
from gateway.composition.ingest.definitions import DefinitionReader, root_types, without_machinery
from gateway.composition.ingest.graphql_validity import check_graphql_validity
from gateway.composition.ingest.known_definitions import (
    check_argument_types_exist,
    check_redefinitions,
    is_lenient_federation_1_definition,
    known_directives,
    missing_definitions,
)
from gateway.composition.ingest.links import read_subgraph_links
from gateway.composition.ingest.root_names import with_usual_root_names
from gateway.composition.report import Report
from gateway.composition.stages import IngestedSubgraph, SubgraphSource
from gateway.composition.subgraph_schema import SubgraphSchema
from gateway.supergraph.model import SubgraphName

__all__ = ["ingest"]


def ingest(source: SubgraphSource, report: Report) -> IngestedSubgraph | None:
    """The subgraph, or None with the reasons in the report."""
    name = SubgraphName(source.name)
    document = _parse(source, report)
    if document is None:
        return None
    own = Report()

    def problem(code: str, message: str, node: Node | None) -> None:
        own.error(code, message, [(name, node)])

    definitions = without_machinery(document.definitions)
    headers = _schema_nodes(definitions)
    links = read_subgraph_links(_directives(headers), problem)
    if own.has_errors():
        report.diagnostics += own.diagnostics
        return None
    reader = DefinitionReader(links)
    directives = reader.read_directives(definitions)
    if reader.is_federation_1:
        lenient = {n for n, directive in directives.items() if is_lenient_federation_1_definition(directive)}
        directives = {n: directive for n, directive in directives.items() if n not in lenient}
        definitions = [
            d for d in definitions if not (isinstance(d, DirectiveDefinitionNode) and d.name.value in lenient)
        ]
    roots = root_types(definitions)
    types = reader.read_types(definitions)
    known, scalars = known_directives(links, directives)
    check_argument_types_exist(directives, types, problem)
    if not own.has_errors():
        check_redefinitions(known, scalars, directives, types, problem)
    if not own.has_errors():
        defined = {*types, *(f"@{directive}" for directive in directives)}
        added = missing_definitions(known, scalars, defined, links)
        check_graphql_validity(definitions, added, lambda message, node: problem("INVALID_GRAPHQL", message, node))
    report.diagnostics += own.diagnostics
    if own.has_errors():
        return None
    federation = links.by_identity(FEDERATION_IDENTITY)
    machinery = {*scalars, *(link.type_name("Purpose") for link in links.all)}
    schema = SubgraphSchema(
        name=name,
        url=source.url,
        federation=federation.version if federation else None,
        types={n: definition for n, definition in types.items() if n not in machinery},
        directives={n: d for n, d in directives.items() if n not in {directive.name for directive in known}},
        roots={kind: root for kind, root in roots.items() if root in types},
        links=links.all,
        uses=reader.uses(_directives(headers)),
        description=next((text for node in headers if (text := _description(node)) is not None), None),
    )
    renaming = Report()
    renamed = with_usual_root_names(schema, lambda code, text, node: renaming.error(code, text, [(name, node)]))
    # A root that cannot get its name stops composition, but the rules can still look at the subgraph.
    report.diagnostics += renaming.diagnostics
    return IngestedSubgraph(renamed)


def _parse(source: SubgraphSource, report: Report) -> DocumentNode | None:
    name = SubgraphName(source.name)
    try:
        document = parse(source.sdl)
    except GraphQLSyntaxError as failure:
        places = [Location(name, place.line, place.column) for place in failure.locations or ()]
        report.diagnostics.append(error_diagnostic("INVALID_GRAPHQL", failure.message, [name], places))
        return None
    except RecursionError:
        report.error("INVALID_GRAPHQL", "the document is nested too deeply to be read", [(name, None)])
        return None
    for definition in document.definitions:
        if isinstance(definition, ExecutableDefinitionNode):
            report.error(
                "INVALID_GRAPHQL", "a schema document cannot hold operations or fragments", [(name, definition)]
            )
            return None
    return document


def _schema_nodes(definitions: list[DefinitionNode]) -> list[SchemaDefinitionNode | SchemaExtensionNode]:
    return [d for d in definitions if isinstance(d, SchemaDefinitionNode | SchemaExtensionNode)]


def _directives(nodes: list[SchemaDefinitionNode | SchemaExtensionNode]) -> list[ConstDirectiveNode]:
    return [directive for node in nodes for directive in node.directives or ()]


def _description(node: SchemaDefinitionNode | SchemaExtensionNode) -> str | None:
    description = getattr(node, "description", None)
    return description.value if isinstance(description, StringValueNode) else None
