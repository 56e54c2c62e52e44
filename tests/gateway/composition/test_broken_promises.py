"""One change to a sound set of subgraphs breaks one promise, and composition names exactly that."""

from __future__ import annotations

import pytest

from gateway.composition.compose import compose
from gateway.composition.stages import Composed, CompositionFailed, SubgraphSource

HEADER = """
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@provides", "@external",
    "@shareable", "@inaccessible", "@override", "@interfaceObject", "@tag"])
"""

SOUND = {
    "titles": """
        type Query { title(id: ID!): Title films(filter: Filter, kind: Kind): [Film!]! @shareable }
        interface Title @key(fields: "id") { id: ID! name: String! }
        type Film implements Title @key(fields: "id") @key(fields: "slug") {
          id: ID! slug: String! name: String! @shareable minutes: Int! certificate: Certificate @shareable kind: Kind
        }
        type Certificate @shareable { code: String! age: Int! }
        enum Kind { FEATURE SHORT }
        input Filter { year: Int genre: String = "all" }
    """,
    "playback": """
        type Query { films(filter: Filter, kind: Kind): [Film!]! @shareable next: Film @provides(fields: "name") }
        type Film @key(fields: "id") {
          id: ID! name: String! @external minutes: Int! @external
          certificate: Certificate @external
          canPlay(at: Int! = 0): Boolean! @requires(fields: "minutes certificate { age }")
        }
        type Certificate @shareable { code: String! age: Int! }
        enum Kind { FEATURE SHORT }
        input Filter { year: Int genre: String = "all" }
    """,
    "ratings": """
        type Title @key(fields: "id") @interfaceObject { id: ID! stars: Float! }
    """,
}


def composed(**changes: tuple[str, str]) -> Composed | CompositionFailed:
    """The sound set with, per subgraph, one text replaced by another."""
    sources = []
    for name, sdl in SOUND.items():
        old, new = changes.get(name, ("", ""))
        assert old in sdl
        sources.append(SubgraphSource(name, HEADER + (sdl.replace(old, new, 1) if old else sdl)))
    return compose(sources)


def test_the_set_is_sound() -> None:
    """Without a change it composes, and only what differs on purpose is hinted at."""
    result = composed()

    assert isinstance(result, Composed), result
    assert result.hints == ()


@pytest.mark.parametrize(
    ("subgraph", "old", "new", "codes"),
    [
        ("titles", '@key(fields: "id") @key(fields: "slug") {', '@key(fields: "slug") {', {"INTERFACE_KEY_NOT_ON_IMPLEMENTATION"}),
        ("titles", "name: String! @shareable", "name: String!", {"INVALID_FIELD_SHARING"}),
        ("titles", "minutes: Int!", "minutes: String!", {"EXTERNAL_TYPE_MISMATCH"}),
        ("titles", "minutes: Int!", "length: Int!", {"EXTERNAL_MISSING_ON_BASE"}),
        ("titles", "age: Int!", "age: String!", {"FIELD_TYPE_MISMATCH"}),
        ("titles", "enum Kind { FEATURE SHORT }", "enum Kind { FEATURE }", {"ENUM_VALUE_MISMATCH"}),
        ("titles", '= "all"', '= "none"', {"INPUT_FIELD_DEFAULT_MISMATCH"}),
        ("titles", "year: Int", "year: Int!", set()),
        ("titles", "year: Int ", "", set()),
        ("titles", "input Filter { year: Int", "input Filter { month: Int! year: Int", {"REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH"}),
        ("titles", "films(filter: Filter, kind: Kind)", "films(filter: Filter!, kind: Kind, page: Int!)", {"REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH"}),
        ("titles", "films(filter: Filter, kind: Kind)", "films(filter: String, kind: Kind)", {"FIELD_ARGUMENT_TYPE_MISMATCH"}),
        ("titles", "type Certificate @shareable", "type Certificate", {"INVALID_FIELD_SHARING"}),
        ("titles", "input Filter { year: Int", "input Filter { year: Int! @inaccessible", {"REQUIRED_INACCESSIBLE"}),
        ("titles", "enum Kind {", "enum Kind @inaccessible {", {"REFERENCED_INACCESSIBLE"}),
        ("titles", 'interface Title @key(fields: "id")', "interface Title", set()),
        ("playback", "@external minutes", "minutes", {"PROVIDES_FIELDS_MISSING_EXTERNAL"}),
        ("playback", "minutes: Int! @external", "minutes: Int!", {"REQUIRES_FIELDS_MISSING_EXTERNAL"}),
        ("playback", "@requires", '@tag(name: "x") #', {"EXTERNAL_UNUSED"}),
        ("playback", '"minutes certificate { age }"', '"minutes certificate"', {"REQUIRES_INVALID_FIELDS"}),
        ("playback", '"minutes certificate { age }"', '"minutes certificate { limit }"', {"REQUIRES_INVALID_FIELDS"}),
        ("playback", '@key(fields: "id")', '@key(fields: "name")', {"INVALID_FIELD_SHARING"}),
        ("playback", "name: String! @external", 'name: String! @external @tag(name: "x")', {"MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL"}),
        ("playback", "id: ID! name", 'id: ID! @override(from: "playback") name', {"OVERRIDE_FROM_SELF_ERROR"}),
        ("playback", 'next: Film @provides(fields: "name")', 'next: Film id: ID @provides(fields: "name")', {"PROVIDES_ON_NON_OBJECT_FIELD", "EXTERNAL_UNUSED"}),
        ("ratings", "@interfaceObject", "", {"TYPE_KIND_MISMATCH"}),
        ("ratings", '@key(fields: "id") @interfaceObject', "@interfaceObject", {"INTERFACE_OBJECT_USAGE_ERROR"}),
        ("ratings", "stars: Float!", "stars: Float! name: String!", {"INVALID_FIELD_SHARING"}),
        ("ratings", "type Title", 'type Film @key(fields: "id") { id: ID! } type Title', {"INTERFACE_OBJECT_USAGE_ERROR"}),
        ("ratings", '@key(fields: "id")', '@key(fields: "id", resolvable: false)', {"SATISFIABILITY_ERROR"}),
    ],
)  # fmt: skip
def test_a_broken_promise_is_named(subgraph: str, old: str, new: str, codes: set[str]) -> None:
    """The codes, and the subgraph that was changed among those concerned; changes that promise nothing compose."""
    result = composed(**{subgraph: (old, new)})

    errors = [] if isinstance(result, Composed) else [d for d in result.diagnostics if d.severity.value == "error"]
    assert codes == {diagnostic.code for diagnostic in errors}, [str(diagnostic) for diagnostic in errors]
