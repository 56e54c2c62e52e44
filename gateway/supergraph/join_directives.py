"""The join specification as data: under which names its elements go in a document, and how its arguments read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graphql import ConstDirectiveNode, GraphQLError, Node, get_location, value_from_ast_untyped

from gateway.graphql_kit.field_set_text import FieldSetInvalid, canonical_field_set
from gateway.graphql_kit.type_refs import TypeRef, read_type_ref
from gateway.supergraph.links import read_link_url
from gateway.supergraph.model import EntityKey, FieldJoin, LinkedSpecification, Override, SubgraphName

__all__ = ["JOIN_VERSIONS", "JoinNames", "SupergraphInvalid", "join_names", "refuse"]

JOIN_VERSIONS = ((0, 1), (0, 2), (0, 3), (0, 4), (0, 5))


class SupergraphInvalid(ValueError):
    """The document is no supergraph that can be served; line and column count from 1 where a place is known."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        place = f"line {line}, column {column}: " if line is not None else ""
        super().__init__(place + message)
        self.line = line
        self.column = column


def refuse(message: str, node: Node) -> SupergraphInvalid:
    """The error for a problem at an AST node, to be raised by the caller."""
    if node.loc is None:
        return SupergraphInvalid(message)
    place = get_location(node.loc.source, node.loc.start)
    return SupergraphInvalid(message, place.line, place.column)


@dataclass(frozen=True, slots=True)
class JoinNames:
    """How one document calls the elements of the join specification."""

    version: tuple[int, int]
    graph: str
    type: str
    field: str
    implements: str
    union_member: str
    enum_value: str
    owner: str
    graph_enum: str
    type_names: frozenset[str]
    consumed: frozenset[str]
    """Directives that reading turns into the model (all of join's, @specifiedBy and @oneOf) or that head the schema."""

    def arguments(self, directives: Iterable[ConstDirectiveNode], name: str) -> list[dict[str, object]]:
        """The argument values of each application of the directive called `name`."""
        return [
            {argument.name.value: _value(argument.value) for argument in directive.arguments or ()}
            for directive in directives
            if directive.name.value == name
        ]

    def entity_key(self, fields: object, *, resolvable: bool, node: Node) -> EntityKey:
        """One `key` argument as a value."""
        return EntityKey(_field_set(fields, "key", node), resolvable)

    def type_ref(self, text: object, default: TypeRef, node: Node) -> TypeRef:
        """A `type` argument, or the element's own type where there is none."""
        if text is None:
            return default
        try:
            return read_type_ref(str(text))
        except GraphQLError as problem:
            raise refuse(f'"{text}" is not a type reference', node) from problem

    def field_join(
        self,
        subgraph: SubgraphName,
        field_type: TypeRef,
        arguments: Mapping[str, object],
        subgraphs: frozenset[SubgraphName],
        node: Node,
    ) -> FieldJoin:
        """One @join__field of an object's or interface's field."""
        override = arguments.get("override")
        label = arguments.get("overrideLabel")
        used_overridden = arguments.get("usedOverridden") is True
        # An overridden field that stays in use is known in its old subgraph but no longer resolved there,
        # unless a label says that the move is gradual.
        overridden = used_overridden and label is None
        source = next((name for name in subgraphs if name == override), SubgraphName(str(override)))
        return FieldJoin(
            subgraph=subgraph,
            type=self.type_ref(arguments.get("type"), field_type, node),
            external=arguments.get("external") is True or overridden,
            requires=_optional_field_set(arguments.get("requires"), "requires", node),
            provides=_optional_field_set(arguments.get("provides"), "provides", node),
            override=Override(source, label if isinstance(label, str) else None) if override else None,
            used_overridden=used_overridden,
            context_arguments=_context_arguments(arguments.get("contextArguments"), node),
        )


def join_names(links: Sequence[LinkedSpecification]) -> JoinNames:
    """The join version that the headers announce and its elements' names; raises SupergraphInvalid without one."""
    for link in links:
        url = read_link_url(link.url)
        if url.name != "join":
            continue
        if url.version not in JOIN_VERSIONS:
            newest = ".".join(str(part) for part in JOIN_VERSIONS[-1])
            raise SupergraphInvalid(
                f'"{link.url}" is not a known version of the join specification (newest: v{newest})'
            )
        return _names(url.version, link.prefix or "join", link.imports)
    raise SupergraphInvalid("the schema has no @link or @core header for the join specification: not a supergraph")


def _names(version: tuple[int, int], prefix: str, imports: Mapping[str, str]) -> JoinNames:
    def directive(name: str) -> str:
        imported = imports.get(f"@{name}")
        return imported.removeprefix("@") if imported else f"{prefix}__{name}"

    def type_name(name: str) -> str:
        return imports.get(name) or f"{prefix}__{name}"

    names = {n: directive(n) for n in ("graph", "type", "field", "implements", "unionMember", "enumValue", "owner")}
    return JoinNames(
        version=version,
        graph=names["graph"],
        type=names["type"],
        field=names["field"],
        implements=names["implements"],
        union_member=names["unionMember"],
        enum_value=names["enumValue"],
        owner=names["owner"],
        graph_enum=type_name("Graph"),
        type_names=frozenset(
            type_name(n) for n in ("Graph", "FieldSet", "FieldValue", "ContextArgument", "DirectiveArguments")
        ),
        consumed=frozenset(names.values()) | {"specifiedBy", "oneOf"},
    )


def _value(node: Node) -> object:
    return value_from_ast_untyped(node)  # type: ignore[arg-type]  # arguments hold value nodes


def _field_set(text: object, role: str, node: Node) -> str:
    if not isinstance(text, str):
        raise refuse(f"the {role} is not a string", node)
    try:
        return canonical_field_set(text)
    except FieldSetInvalid as problem:
        raise refuse(f'the {role} "{text}" is not a field set: {problem}', node) from problem


def _optional_field_set(text: object, role: str, node: Node) -> str | None:
    return None if text is None or text == "" else _field_set(text, role, node)


def _context_arguments(value: object, node: Node) -> dict[str, tuple[str, str, TypeRef]]:
    if value is None:
        return {}
    contexts: dict[str, tuple[str, str, TypeRef]] = {}
    for entry in value if isinstance(value, list) else [value]:
        if not isinstance(entry, dict):
            raise refuse("a context argument is not an object", node)
        name, context, selection, type_text = (entry.get(part) for part in ("name", "context", "selection", "type"))
        if not (isinstance(name, str) and isinstance(context, str) and isinstance(selection, str)):
            raise refuse("a context argument needs name, context and selection as strings", node)
        _field_set(selection, "selection of a context argument", node)  # kept as it is written, but must be one
        try:
            contexts[name] = (context, selection, read_type_ref(str(type_text)))
        except GraphQLError as problem:
            raise refuse(f'"{type_text}" is not a type reference', node) from problem
    return contexts
