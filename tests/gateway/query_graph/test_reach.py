"""What can be reached: keys, requirements, and no circles."""

from __future__ import annotations

from gateway.graphql_kit.field_sets import read_field_set
from gateway.query_graph.model import NodeKind, QueryGraph
from gateway.query_graph.reach import Reachability
from tests.support.planning import planner_of, planner_of_case

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@external", "@requires", "@shareable"])\n'


def node(graph: QueryGraph, type_name: str, subgraph: str) -> frozenset[int]:
    return frozenset(n.id for n in graph.nodes if n.type_name == type_name and n.subgraph == subgraph and not n.view)


def test_chain_of_keys() -> None:
    """An object is entered by a key that another entered subgraph delivers; ranks tell the order."""
    graph = planner_of_case("several-keys").query_graph
    reach = Reachability(graph).at("Ship", node(graph, "Ship", "harbour"))
    customs, insurance = (next(iter(node(graph, "Ship", s))) for s in ("customs", "insurance"))
    assert reach.entered[customs] < reach.entered[insurance]
    assert {"imo", "name", "cleared", "premium"} <= reach.providers.keys()


def test_requirement_needs_its_fields() -> None:
    """A field with a requirement is had once all of it can be had, nested fields included."""
    graph = planner_of_case("requires").query_graph
    reachability = Reachability(graph)
    reach = reachability.at("Part", node(graph, "Part", "catalogue"))
    assert "zone" in reach.providers
    assert "bill" in reach.providers
    assert reachability.can_select(
        "Part", node(graph, "Part", "catalogue"), read_field_set("maker { country { code } }")
    )


def test_override_label_opens_one_side() -> None:
    """A gradually overridden field is resolved by exactly one subgraph, whichever way the label stands."""
    graph = planner_of_case("override").query_graph
    at = node(graph, "Order", "old")
    inactive = Reachability(graph).at("Order", at).providers["status"]
    active = Reachability(graph, frozenset({"percent(10)"})).at("Order", at).providers["status"]
    assert [graph.nodes[i].subgraph for i in inactive] == ["old"]
    assert [graph.nodes[i].subgraph for i in active] == ["new"]


def test_provided_fields_are_on_a_node_of_their_own() -> None:
    """@provides changes what is there on one way only."""
    graph = planner_of_case("provides").query_graph
    views = [n for n in graph.nodes if n.type_name == "Author" and n.view]
    assert [n.subgraph for n in views] == ["feed"]
    assert "name" in views[0].fields
    assert "name" not in graph.nodes[next(iter(node(graph, "Author", "feed")))].fields


def test_interface_object_is_a_kind_of_its_own() -> None:
    """It has no members, and stands for all implementations of its interface."""
    graph = planner_of_case("interface-objects").query_graph
    ratings = graph.nodes[next(iter(node(graph, "Medium", "ratings")))]
    assert NodeKind.INTERFACE_OBJECT is ratings.kind
    assert ratings.members == {}
    assert ratings.id in graph.entity_targets("Film")
    split = graph.split(frozenset({ratings.id}))
    assert not split.typed
    assert list(split.nodes_by_type) == ["Medium"]


def test_equal_supergraphs_make_equal_graphs() -> None:
    """Node ids do not depend on anything but the supergraph."""
    first, second = (planner_of({"a": LINK + "type Query { t: T } type T { x: Int }"}).query_graph for _ in range(2))
    assert [str(n) for n in first.nodes] == [str(n) for n in second.nodes]
