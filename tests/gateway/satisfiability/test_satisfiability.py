"""Satisfiability: what can't be answered is found, shown by an operation and explained per subgraph."""

from __future__ import annotations

import pytest
from graphql import parse, validate

from gateway.composition.compose import compose
from gateway.composition.diagnostics import Diagnostic
from gateway.composition.satisfiability import check
from gateway.composition.stages import Composed, CompositionFailed, SubgraphSource
from gateway.supergraph.api_schema import build_api_schema
from gateway.supergraph.read import read_supergraph
from tests.support.planning import checked_plan, planner_of

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", '
    'import: ["@key", "@external", "@requires", "@shareable", "@interfaceObject", "@inaccessible", "@context", "@fromContext"])\n'
)


def refused(**subgraphs: str) -> list[Diagnostic]:
    result = compose([SubgraphSource(name, LINK + sdl, "") for name, sdl in subgraphs.items()])
    assert isinstance(result, CompositionFailed)
    errors = [d for d in result.diagnostics if d.code == "SATISFIABILITY_ERROR"]
    assert len(errors) == len([d for d in result.diagnostics if d.severity.value == "error"])
    return errors


def composes(**subgraphs: str) -> bool:
    return isinstance(compose([SubgraphSource(name, LINK + sdl, "") for name, sdl in subgraphs.items()]), Composed)


def test_missing_key() -> None:
    """Without a key in the second subgraph there is no way there; the witness is a valid operation."""
    (error,) = refused(a="type Query { t(n: Int!): T } type T { x: Int }", b="type T { y: Int! }")
    assert "T.y" in error.message
    assert "t(n: 0) {" in error.message
    assert "it has no @key there" in error.message
    assert error.subgraphs == ("b",)


def test_unresolvable_key() -> None:
    """A key that is not resolvable leads nowhere, and the reason says so."""
    (error,) = refused(
        a='type Query { t: T } type T @key(fields: "id") { id: ID! }',
        b='type T @key(fields: "id", resolvable: false) { id: ID! y: Int }',
    )
    assert "not resolvable" in error.message


def test_key_that_cannot_be_had() -> None:
    """The reason names the key that is missing and the subgraph one comes from."""
    (error,) = refused(
        a='type Query { t: T } type T @key(fields: "id") { id: ID! }',
        b='type T @key(fields: "code") { code: ID! y: Int }',
    )[:1]
    assert "from subgraph 'a'" in error.message
    assert "{ code }" in error.message


def test_circular_requirements() -> None:
    """Two fields that require each other can't be had, and the check ends."""
    own = 'type T @key(fields: "id") {{ id: ID! {0}: Int @requires(fields: "{1}") {1}: Int @external }}'
    errors = refused(a=own.format("x", "y") + " type Query { t: T }", b=own.format("y", "x"))
    assert {"T.x", "T.y"} == {error.message.split(" ")[4] for error in errors}
    assert all("requires {" in error.message for error in errors)


def test_member_of_an_interface() -> None:
    """A way must exist for every concrete type that may stand there; the witness narrows to it."""
    (error,) = refused(
        a="type Query { n: N } interface N { id: ID! } type A implements N { id: ID! } type B implements N { id: ID! }",
        b="type B { z: Int }",
    )
    assert "... on B {" in error.message


def test_interface_object_needs_somebody_who_knows_the_type() -> None:
    """Fields of implementations can't be had from an interface object when no subgraph with the interface can be entered."""
    interface = (
        'interface M @key(fields: "id"{0}) {{ id: ID! }} type F implements M @key(fields: "id"{0}) {{ id: ID! x: Int }}'
    )
    ratings = 'type Query { best: M } type M @key(fields: "id") @interfaceObject { id: ID! stars: Int }'
    assert composes(a=interface.format(""), b=ratings)
    errors = refused(a=interface.format(", resolvable: false"), b=ratings)
    assert any("F.x" in error.message for error in errors)


def test_hidden_fields_need_no_way() -> None:
    """What clients can't ask need not be answerable."""
    assert composes(a="type Query { t: T } type T { x: Int }", b="type T { y: Int @inaccessible }")


def test_way_through_a_third_subgraph() -> None:
    """Keys may be changed on the way."""
    assert composes(
        a='type Query { t: T } type T @key(fields: "id") { id: ID! }',
        b='type T @key(fields: "id") @key(fields: "code") { id: ID! code: ID! }',
        c='type T @key(fields: "code") { code: ID! y: Int }',
    )


def test_witness_is_valid_graphql() -> None:
    """The operation in a message can be sent as it is."""
    supergraph = read_supergraph(UNSATISFIABLE)
    from gateway.composition.satisfiability import check_satisfiability

    (error,) = check_satisfiability(supergraph)
    witness = error.message.split("in the operation\n")[1].split("\nbecause")[0]
    assert validate(build_api_schema(supergraph), parse(witness)) == []


UNSATISFIABLE = """
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for:
EXECUTION) { query: Query } directive @join__field(graph: join__Graph) repeatable on FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT
directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on OBJECT | INTERFACE | ENUM | INPUT_OBJECT
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
scalar link__Import
enum link__Purpose { EXECUTION SECURITY }
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
enum Way @join__type(graph: A) { UP DOWN }
input How @join__type(graph: A) { way: Way! times: [Int!]! name: String!, maybe: Int }
interface N @join__type(graph: A) { id: ID! }
type Query @join__type(graph: A) @join__type(graph: B) { n(how: How!, id: ID!, size: Float!): [N] @join__field(graph:
A) } type T implements N @join__type(graph: A) @join__type(graph: B) @join__implements(graph: A, interface: "N") {
  id: ID! @join__field(graph: A) there(yes: Boolean!): Int @join__field(graph: B) }
"""


def test_key_through_the_subgraph_that_is_entered() -> None:
    """A key's fields may come from the subgraph that the key leads to, of objects that can be had there without it."""
    subgraphs = {
        "shop": """
            type Query { list: BookList! }
            type BookList @key(fields: "books { id }") { books: [Book!]! }
            type Book @key(fields: "id") { id: ID! }
        """,
        "texts": """
            type BookList @key(fields: "books { id title }") { books: [Book!]! best: Book }
            type Book @key(fields: "id") { id: ID! title: String! }
        """,
    }
    subgraphs["shop"] = subgraphs["shop"].replace("books: [Book!]!", "books: [Book!]! @shareable")
    subgraphs["texts"] = subgraphs["texts"].replace("books: [Book!]!", "books: [Book!]! @shareable")
    planner = planner_of({name: LINK + sdl for name, sdl in subgraphs.items()})

    plan = checked_plan(planner, "{ list { best { title } } }")

    assert [step.subgraph for step in plan.steps] == ["shop", "texts", "texts"]


CONTEXT = """
    type Query { viewer: Viewer film: Film }
    type Viewer @context(name: "viewer") { language: String film: Film }
    type Film @key(fields: "id") {
      id: ID!
      title(language: String @fromContext(field: "$viewer { language }")): String
    }
"""


def test_context_that_nothing_above_sets() -> None:
    """A field that is filled from a context must have the context above it on every way; the way without is shown."""
    (error,) = refused(films=CONTEXT)
    assert "query {\n  film {\n    title\n  }\n}" in error.message
    assert "of which no object on this way gives { language }" in error.message

    assert composes(films=CONTEXT.replace("film: Film }\n    type Viewer", "}\n    type Viewer"))


def test_context_of_the_object_itself() -> None:
    """An object does not fill its own fields: what it sets is for those below it."""
    sdl = """
        type Query { film: Film }
        type Film @key(fields: "id") @context(name: "film") {
          id: ID!
          language: String
          title(language: String @fromContext(field: "$film { language }")): String
        }
    """
    (error,) = refused(films=sdl)
    assert "Film.title" in error.message


def test_nearest_context_that_cannot_be_had() -> None:
    """The nearest object that sets a context decides, also where only one further up could give the value."""
    outer = """
        type Query { viewer: Viewer }
        type Viewer @context(name: "viewer") { language: String shelf: Shelf }
        type Shelf @context(name: "viewer") { language: String @external film: Film }
        type Film @key(fields: "id") {
          id: ID!
          title(language: String @fromContext(field: "$viewer { language }")): String
        }
    """
    errors = refused(films=outer, other="type Shelf { language: String }")
    assert [("Shelf.language" in e.message, "Film.title" in e.message) for e in errors] == [
        (True, False),
        (False, True),
    ]


def test_requirement_of_a_field_from_a_context() -> None:
    """No requirement can name a field that is filled from a context: what is above is not known there."""
    sdl = CONTEXT.replace("film: Film }\n    type Viewer", "}\n    type Viewer")
    errors = refused(
        films=sdl,
        other="""
            type Film @key(fields: "id") { id: ID! title: String @external label: String @requires(fields: "title") }
        """,
    )
    assert ["Film.label" in error.message for error in errors] == [True]


def subsets(count: int) -> dict[str, str]:
    """Subgraphs that share a type without key, of which each lacks one field: every subset of them is a place."""
    fields = [f"f{number}: T" for number in range(count)]
    return {
        f"s{number:02}": "type Query { t: T @shareable } type T @shareable { x: Int "
        + " ".join(each for other, each in enumerate(fields) if other != number)
        + " }"
        for number in range(count)
    }


def test_very_many_places_are_checked_in_a_useful_order() -> None:
    """Two to the sixteenth subsets of the subgraphs are no reason to hang: few of them tell all that is wrong."""
    errors = refused(**subsets(16))

    found = [number for e in errors for number in range(16) if f"way to answer T.f{number} in" in e.message]
    assert 1 <= len(found) == len(set(found)) == len(errors)


def test_too_many_places_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no order helps, the bound is told beside what was found until then."""
    monkeypatch.setattr(check, "_PATIENCE", (10, 0))
    monkeypatch.setattr(check, "_MAX_PLACES", (15, 0))
    result = compose([SubgraphSource(name, LINK + sdl) for name, sdl in subsets(8).items()])

    assert isinstance(result, CompositionFailed)
    codes = [each.code for each in result.diagnostics if each.severity.value == "error"]
    assert "MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED" in codes
