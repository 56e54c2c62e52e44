"""The clients' schema: everything of the supergraph that is theirs, and nothing else."""

from __future__ import annotations

from gateway.supergraph.api_schema import build_api_schema, write_api_sdl
from gateway.supergraph.read import read_supergraph
from gateway.supergraph.write import write_supergraph

SDL = '''
"All films."
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", import: [{name: "@inaccessible", as: "@hidden"}])
  @link(url: "https://example.com/audit/v1.0", import: ["@audit"])
{
  query: Root
}
directive @hidden on FIELD_DEFINITION | OBJECT | ENUM_VALUE | ARGUMENT_DEFINITION
directive @audit(by: Scope) on FIELD_DEFINITION
directive @fresh("How old." seconds: Int = 5, secret: Int @hidden) repeatable on FIELD | FIELD_DEFINITION
scalar Scope
enum join__Graph {
  A @join__graph(name: "a", url: "")
}
type Root @join__type(graph: A) {
  """
  The film,
  if there is one.
  """
  film(id: ID! = "a\\"b", "Hidden." trace: Boolean @hidden): Film @deprecated(reason: "no") @audit
  secret: Secret @hidden
}
type Query @join__type(graph: A) { decoy: Int }
type Film implements Node @join__type(graph: A) @join__implements(graph: A, interface: "Node") { id: ID! }
interface Node @join__type(graph: A) { id: ID! }
type Secret @join__type(graph: A) @hidden { id: ID! }
union Hit @join__type(graph: A) @join__unionMember(graph: A, member: "Film") @join__unionMember(graph: A, member: "Secret") = Film | Secret
enum Kind @join__type(graph: A) { FILM @join__enumValue(graph: A) DRAFT @join__enumValue(graph: A) @hidden }
input One @join__type(graph: A) @oneOf { a: Int b: Int }
scalar Date @join__type(graph: A) @specifiedBy(url: "https://example.com/date")
'''

CLIENTS = '''\
"All films."
schema {
  query: Root
}

directive @fresh(
  "How old."
  seconds: Int = 5
) repeatable on FIELD

type Root {
  """
  The film,
  if there is one.
  """
  film(id: ID! = "a\\"b"): Film @deprecated(reason: "no")
}

type Query {
  decoy: Int
}

type Film implements Node {
  id: ID!
}

interface Node {
  id: ID!
}

union Hit = Film

enum Kind {
  FILM
}

input One @oneOf {
  a: Int
  b: Int
}

scalar Date @specifiedBy(url: "https://example.com/date")
'''


def test_shows_what_is_the_clients() -> None:
    """Descriptions, defaults, deprecations and executable directives stay; joins, links and hidden things go."""
    assert write_api_sdl(read_supergraph(SDL)) == CLIENTS


def test_builds_a_schema_that_knows_the_same() -> None:
    """The graphql-core schema has the root, the default and the deprecation, and no @defer."""
    schema = build_api_schema(read_supergraph(SDL))

    assert schema.query_type is not None
    assert schema.query_type.name == "Root"
    film = schema.query_type.fields["film"]
    assert film.deprecation_reason == "no"
    assert list(film.args) == ["id"]
    assert schema.get_directive("defer") is None
    assert schema.get_type("Secret") is None


def test_hidden_parts_can_be_shown_on_demand() -> None:
    """Composition checks the whole schema, hidden elements included."""
    assert "type Secret {" in write_api_sdl(read_supergraph(SDL), with_inaccessible=True)


def test_writing_is_stable() -> None:
    """Writing what was read from written text changes nothing more."""
    once = write_supergraph(read_supergraph(SDL))

    assert once == write_supergraph(read_supergraph(once))
    assert read_supergraph(SDL) == read_supergraph(once)
