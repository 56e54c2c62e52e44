"""Reading supergraph SDL of every join version, and refusing what is none."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from gateway.graphql_kit.type_refs import NamedRef, NonNullRef
from gateway.supergraph.api_schema import build_api_schema
from gateway.supergraph.model import EntityKey, FieldJoin, InterfaceType, ObjectType, Override, SubgraphName, UnionType
from gateway.supergraph.read import SupergraphInvalid, read_supergraph
from gateway.supergraph.write import write_supergraph

A, B = SubgraphName("a"), SubgraphName("b")
SHARED = Path(__file__).resolve().parents[4] / "shared" / "cases"

HEADER = """
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) {
  query: Query
}
enum join__Graph {
  A @join__graph(name: "a", url: "http://a.test/")
  B @join__graph(name: "b", url: "http://b.test/")
}
"""

LEGACY = """
schema
  @core(feature: "https://specs.apollo.dev/core/v0.2")
  @core(feature: "https://specs.apollo.dev/join/v0.1", for: EXECUTION)
  @core(feature: "https://specs.apollo.dev/tag/v0.1")
{
  query: Query
}
directive @core(feature: String!, as: String, for: core__Purpose) repeatable on SCHEMA
enum core__Purpose { EXECUTION SECURITY }
enum join__Graph {
  FILMS @join__graph(name: "films", url: "http://films.test/")
  REVIEWS @join__graph(name: "reviews", url: "http://reviews.test/")
}
scalar join__FieldSet
type Film @join__owner(graph: FILMS) @join__type(graph: FILMS, key: "id") @join__type(graph: REVIEWS, key: "id") {
  id: ID! @join__field(graph: FILMS)
  title: String @join__field(graph: FILMS)
  length: Length
  label: String @join__field(graph: REVIEWS, requires: "title")
}
type Length { minutes: Int }
type Query {
  films: [Film] @join__field(graph: FILMS)
  review: Review @join__field(graph: REVIEWS)
}
type Review { film: Film @join__field(graph: REVIEWS, provides: "length { minutes }") }
union Hit = Film | Review
"""


def test_reads_who_provides_what() -> None:
    """Keys, externals, requirements, provisions, overrides and types per subgraph end up in the joins."""
    supergraph = read_supergraph(
        HEADER
        + """
        type Query @join__type(graph: A) @join__type(graph: B) { film: Film @join__field(graph: A, provides: "title") }
        type Film @join__type(graph: A, key: "id") @join__type(graph: B, key: "id,  maker{id}", resolvable: false) {
          id: ID!
          title: String @join__field(graph: A, external: true) @join__field(graph: B)
          year: Int @join__field(graph: A, type: "Int!") @join__field(graph: B)
          code: Int @join__field(graph: A, override: "b", overrideLabel: "l") @join__field(graph: B, overrideLabel: "l")
          old: Int @join__field(graph: A, override: "b") @join__field(graph: B, usedOverridden: true)
          label: String @join__field(graph: B, requires: "title")
          maker: Maker @join__field(graph: B)
        }
        type Maker @join__type(graph: B) { id: ID! }
        """
    )

    film = supergraph.types["Film"]
    assert isinstance(film, ObjectType)
    assert (EntityKey("id maker { id }", resolvable=False),) == film.joins[B].keys
    assert {A: FieldJoin(A, NonNullRef(NamedRef("ID"))), B: FieldJoin(B, NonNullRef(NamedRef("ID")))} == film.fields[
        "id"
    ].joins
    assert film.fields["title"].joins[A].external
    assert NonNullRef(NamedRef("Int")) == film.fields["year"].joins[A].type
    assert Override(B, "l") == film.fields["code"].joins[A].override
    assert not film.fields["code"].joins[B].external
    assert film.fields["old"].joins[B].external
    assert film.fields["old"].joins[B].used_overridden
    assert film.fields["label"].joins[B].requires == "title"
    assert list(supergraph.types["Query"].fields["film"].joins) == [A]  # type: ignore[union-attr]


def test_reads_interface_objects_unions_and_context_arguments() -> None:
    """An interface object joins its interface; a field that only it has belongs to no subgraph on the object type."""
    supergraph = read_supergraph(
        HEADER
        + """
        type Query @join__type(graph: A) { hit: Hit media(by: Int): Media
          @join__field(graph: A, contextArguments: [{context: "a__c", name: "x", type: "Int", selection: "{ id }"}]) }
        interface Media @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", isInterfaceObject: true)
          { id: ID! stars: Int @join__field(graph: B) }
        type Film implements Media @join__type(graph: A, key: "id") @join__implements(graph: A, interface: "Media")
          { id: ID! stars: Int @join__field }
        type Song @join__type(graph: A) { id: ID! }
        union Hit @join__type(graph: A) @join__type(graph: B) @join__unionMember(graph: A, member: "Film")
          @join__unionMember(graph: B, member: "Song") @join__unionMember(graph: B, member: "Film") = Film | Song
        """
    )

    media, film, hit = supergraph.types["Media"], supergraph.types["Film"], supergraph.types["Hit"]
    assert isinstance(media, InterfaceType)
    assert isinstance(film, ObjectType)
    assert isinstance(hit, UnionType)
    assert media.joins[B].is_interface_object
    assert media.possible_types == ("Film",)
    assert film.fields["stars"].joins == {}
    assert hit.members == {"Film": (A, B), "Song": (B,)}
    query = supergraph.types["Query"]
    assert isinstance(query, ObjectType)
    assert {"x": ("a__c", "{ id }", NamedRef("Int"))} == query.fields["media"].joins[A].context_arguments


def test_reads_federation_1_supergraphs() -> None:
    """What v0.1 leaves implicit is filled in: owners, value types, known key fields, externals."""
    films, reviews = SubgraphName("films"), SubgraphName("reviews")

    supergraph = read_supergraph(LEGACY)

    film, length = supergraph.types["Film"], supergraph.types["Length"]
    assert isinstance(film, ObjectType)
    assert isinstance(length, ObjectType)
    assert [films, reviews] == list(film.fields["id"].joins)
    assert not film.fields["id"].joins[reviews].external
    assert film.fields["title"].joins[reviews].external
    assert [films, reviews] == list(film.fields["length"].joins)
    assert film.fields["length"].joins[reviews].external
    assert [films, reviews] == list(length.joins)
    assert supergraph == read_supergraph(write_supergraph(supergraph))


def test_join_directives_may_go_by_other_names() -> None:
    """The prefix and imported names come from the document's own headers."""
    sdl = HEADER.replace('join/v0.5"', 'join/v0.5", as: "j", import: [{name: "@field", as: "@from"}]')
    sdl = sdl.replace("join__", "j__") + "type Query @j__type(graph: A) @j__type(graph: B) { a: Int @from(graph: A) }"

    supergraph = read_supergraph(sdl)

    query = supergraph.types["Query"]
    assert isinstance(query, ObjectType)
    assert list(query.fields["a"].joins) == [A]


@pytest.mark.parametrize(
    ("sdl", "message"),
    [
        ("type Query { a: }", "line 1, column 17: Syntax Error: Expected Name, found '}'."),
        ("type Query { a: Int }", "the schema has no @link or @core header for the join specification"),
        (HEADER.replace("v0.5", "v0.9") + "type Query { a: Int }", "is not a known version of the join specification"),
        (HEADER.replace("join__Graph", "Graph"), 'the enum "join__Graph" that lists the subgraphs is missing'),
        (HEADER, 'the query root type "Query" is not an object type of the document'),
        (HEADER + "type Query @join__type(graph: C) { a: Int }", '"C" is not a value of "join__Graph" (known: A, B)'),
        (HEADER + "type Query @join__type(graph: A) { a: Nothing }", 'Query.a refers to the type "Nothing"'),
        (HEADER + "type Query @join__type(graph: A, key: 3) { a: Int }", "the key is not a string"),
        (HEADER + 'type Query @join__type(graph: A, key: "a {") { a: Int }', 'the key "a {" is not a field set'),
        (HEADER + "type Query @join__type(graph: A) { a: Int } type Query { a: Int }", 'type "Query" is defined twice'),
        (HEADER + "type Query implements I @join__type(graph: A) { a: Int }", '"I", which is not an interface'),
        (HEADER + 'type Query @join__type(graph: A) { a: Int @join__field(graph: A, type: "[Int") }', "type reference"),
    ],
)
def test_refuses_what_is_no_supergraph(sdl: str, message: str) -> None:
    """The error says what is wrong and, where it is known, the line."""
    with pytest.raises(SupergraphInvalid) as caught:
        read_supergraph(sdl)

    assert message in str(caught.value)


@pytest.mark.data
@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is not here")
def test_loads_the_benchmark_supergraph() -> None:
    """A supergraph of another composer gives a usable schema."""
    supergraph = read_supergraph((SHARED / "gateway_benchmark" / "supergraph.graphql").read_text())

    assert list(supergraph.subgraphs) == ["accounts", "inventory", "products", "reviews"]
    assert build_api_schema(supergraph).query_type is not None


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is not here")
def test_every_supergraph_of_another_composer_loads_and_round_trips() -> None:
    """Every third of a thousand supergraphs reads, and what we write of each reads as the same model."""
    cases = json.loads(lzma.decompress((SHARED / "composition_dev.json.xz").read_bytes()))
    texts = [text for case in cases if (text := case.get("supergraph_sdl_second_composer"))]
    assert len(texts) > 1000

    for text in texts[::3]:
        supergraph = read_supergraph(text)
        assert supergraph == read_supergraph(write_supergraph(supergraph))
        assert build_api_schema(supergraph).query_type is not None


@pytest.mark.parametrize("purpose", ["EXECUTION", "SECURITY"])
def test_specifications_that_must_be_known_and_are_not_are_refused(purpose: str) -> None:
    """A graph that leans on a specification for its execution or security is not served without it."""
    for url in (
        "https://specs.apollo.dev/connect/v0.1",
        "https://example.com/join/v0.5",
        "https://example.com/mask/v1.0",
    ):
        sdl = f"""
            schema
              @link(url: "https://specs.apollo.dev/link/v1.0")
              @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
              @link(url: "{url}", for: {purpose})
            {{ query: Query }}
            enum join__Graph {{ A @join__graph(name: "a", url: "") }}
            type Query @join__type(graph: A) {{ x: Int }}
        """
        with pytest.raises(SupergraphInvalid, match="UNSUPPORTED_LINKED_FEATURE"):
            read_supergraph(sdl)
        assert read_supergraph(sdl.replace(f", for: {purpose})\n            {{", ")\n            {")) is not None
