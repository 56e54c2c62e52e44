"""Contracts: what included and excluded tags leave of a graph, and what they may not break."""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema, build_schema

from gateway.composition.compose import compose
from gateway.composition.contract import Contract, apply_contract
from gateway.composition.stages import Composed, CompositionFailed, SubgraphSource
from gateway.query_graph.build import build_query_graph
from gateway.supergraph.api_schema import write_api_sdl
from gateway.supergraph.model import Supergraph
from gateway.supergraph.read import read_supergraph
from gateway.supergraph.write import write_supergraph

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@tag", "@requires", \
"@external", "@shareable", {name: "@inaccessible", as: "@hidden"}])\n'

FILMS = """
type Query {
  films(order: Order = TITLE @tag(name: "internal"), filter: Filter): [Film!]! @tag(name: "tv")
  staff: Staff @tag(name: "internal")
  anything: Anything
}
type Film @key(fields: "id") @tag(name: "tv") { id: ID! title: String! cost: Int @tag(name: "internal") }
type Staff @tag(name: "internal") { name: String! boss: Boss }
type Boss { name: String! }
union Anything = Film | Staff
enum Order { TITLE @tag(name: "tv") YEAR @tag(name: "tv") COST @tag(name: "internal") }
input Filter @tag(name: "tv") { year: Int budget: Int @tag(name: "internal") }
"""


def supergraph_of(*sdls: str) -> Supergraph:
    result = compose([SubgraphSource(f"s{number}", LINK + sdl) for number, sdl in enumerate(sdls)])
    assert isinstance(result, Composed), result
    return result.supergraph


def schema_of(*sdls: str, contract: Contract) -> GraphQLSchema:
    result = apply_contract(supergraph_of(*sdls), contract)
    assert isinstance(result, Composed), result
    return build_schema(write_api_sdl(result.supergraph))


def codes_of(sdl: str, contract: Contract) -> set[str]:
    result = apply_contract(supergraph_of(sdl), contract)
    assert isinstance(result, CompositionFailed)
    return {each.code for each in result.diagnostics}


def test_excluded_tags_hide_whatever_carries_them() -> None:
    """Types, fields, arguments, input fields and enum values go; everything else stays."""
    schema = schema_of(FILMS, contract=Contract(exclude=frozenset({"internal"})))

    fields = schema.query_type.fields
    assert {"films", "anything"} == set(fields)
    assert {"filter"} == set(fields["films"].args)
    assert {"id", "title"} == set(schema.type_map["Film"].fields)
    assert {"year"} == set(schema.type_map["Filter"].fields)
    assert {"TITLE", "YEAR"} == set(schema.type_map["Order"].values)
    assert [member.name for member in schema.type_map["Anything"].types] == ["Film"]
    assert "Staff" not in schema.type_map


def test_included_tags_keep_only_what_carries_them() -> None:
    """A tag on a type stands for its fields; a tag on a field keeps its type with that field alone."""
    schema = schema_of(FILMS, contract=Contract(include=frozenset({"tv"})))

    assert {"films"} == set(schema.query_type.fields)
    assert {"id", "title", "cost"} == set(schema.type_map["Film"].fields)
    assert {"TITLE", "YEAR"} == set(schema.type_map["Order"].values)
    assert "Boss" not in schema.type_map


def test_exclusion_wins() -> None:
    """What carries an included and an excluded tag is hidden."""
    schema = schema_of(FILMS, contract=Contract(frozenset({"tv"}), frozenset({"internal"})))

    assert {"id", "title"} == set(schema.type_map["Film"].fields)


def test_unreachable_types_can_be_hidden() -> None:
    """On demand, types that no visible field leads to go as well."""
    exclude = frozenset({"internal"})
    kept = schema_of(FILMS, contract=Contract(exclude=exclude))
    gone = schema_of(FILMS, contract=Contract(exclude=exclude, hide_unreachable=True))

    assert "Boss" in kept.type_map
    assert "Boss" not in gone.type_map
    assert {"Film", "Anything", "Filter"} <= set(gone.type_map)


def test_types_that_become_empty_are_hidden() -> None:
    """A type without fields, and then a union without members."""
    sdl = 'type Query { ok: Int u: U @tag(name: "x") } union U = Gone\ntype Gone { a: Int @tag(name: "x") }'
    schema = schema_of(sdl, contract=Contract(exclude=frozenset({"x"})))

    assert not {"Gone", "U"} & set(schema.type_map)


@pytest.mark.parametrize(
    ("code", "sdl"),
    [
        ("REFERENCED_INACCESSIBLE", 'type Query { a: A } type A @tag(name: "x") { b: Int }'),
        ("REQUIRED_INACCESSIBLE", 'type Query { a(b: Int! @tag(name: "x")): Int }'),
        ("REQUIRED_INACCESSIBLE", 'type Query { a(i: I): Int } input I { b: Int! @tag(name: "x") c: Int }'),
        (
            "IMPLEMENTED_BY_INACCESSIBLE",
            'type Query { a: I } interface I { b: Int } type A implements I { b: Int @tag(name: "x") c: Int }',
        ),
        ("QUERY_ROOT_TYPE_INACCESSIBLE", 'type Query { a: Int @tag(name: "x") }'),
        ("DEFAULT_VALUE_USES_INACCESSIBLE", 'type Query { a(e: E = B): Int } enum E { B @tag(name: "x") C }'),
    ],
)
def test_broken_variants_are_refused(code: str, sdl: str) -> None:
    """The rules of @inaccessible say what a contract would break."""
    assert code in codes_of(sdl, Contract(exclude=frozenset({"x"})))


def test_hidden_fields_are_still_planned_with() -> None:
    """A variant keeps what it hides: keys and requirements may need it."""
    result = apply_contract(
        supergraph_of(
            'type Query { film: Film } type Film @key(fields: "id") { id: ID! @tag(name: "x") title: String }',
            'type Film @key(fields: "id") { id: ID! score: Int }',
        ),
        Contract(exclude=frozenset({"x"})),
    )
    assert isinstance(result, Composed)

    assert "id" not in build_schema(write_api_sdl(result.supergraph)).type_map["Film"].fields
    assert all(n.keys for n in build_query_graph(result.supergraph).nodes if n.type_name == "Film")


def test_variants_are_read_back_unchanged() -> None:
    """A variant is a supergraph as any other, also where @inaccessible was not used before."""
    result = apply_contract(supergraph_of(FILMS), Contract(exclude=frozenset({"internal"})))
    assert isinstance(result, Composed)

    assert result.supergraph == read_supergraph(write_supergraph(result.supergraph))


def test_renamed_directives_are_known_by_their_links() -> None:
    """Where the supergraph calls @inaccessible otherwise, a variant does so, too."""
    own = supergraph_of('type Query { a: Int b: Int @tag(name: "x") c: Int @hidden }')
    result = apply_contract(own, Contract(exclude=frozenset({"x"})))
    assert isinstance(result, Composed)

    assert "directive @hidden" in write_supergraph(result.supergraph)
    assert {"a"} == set(build_schema(write_api_sdl(result.supergraph)).query_type.fields)


def test_unknown_tags_are_remarked() -> None:
    """A tag that nothing carries is likely a slip of the pen."""
    result = apply_contract(supergraph_of("type Query { a: Int }"), Contract(exclude=frozenset({"intrenal"})))

    assert isinstance(result, Composed)
    assert [hint.code for hint in result.hints] == ["CONTRACT_TAG_UNUSED"]


def test_compose_makes_the_variant_with_places() -> None:
    """Composing with a contract gives the variant, or diagnostics that say where."""
    sdl = LINK + 'type Query { a: A } type A @tag(name: "x") { b: Int }'
    result = compose([SubgraphSource("films", sdl)], Contract(exclude=frozenset({"x"})))

    assert isinstance(result, CompositionFailed)
    assert result.diagnostics[0].subgraphs == ("films",)


def test_no_tags_change_nothing() -> None:
    """Without tags and with everything reachable the variant shows what the whole shows."""
    whole = supergraph_of("type Query { a: Int }")
    result = apply_contract(whole, Contract(hide_unreachable=True))
    assert isinstance(result, Composed)

    assert write_api_sdl(whole) == write_api_sdl(result.supergraph)
    assert whole.types == result.supergraph.types
