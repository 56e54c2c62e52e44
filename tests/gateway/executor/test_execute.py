"""The scheduler: order, skipping, failures, deadlines; subgraphs answer from scripts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
import structlog
from graphql import OperationDefinitionNode, build_schema, parse

from gateway.errors import SubgraphUnavailable
from gateway.executor import operation
from gateway.executor.compile import compile_plan
from gateway.executor.errors import ErrorPolicy
from gateway.executor.execute import ExecutionRequest, ResponseTree, execute_plan
from gateway.executor.operation import compile_operation
from gateway.executor.projection.generate import FastProjection, generate_projection
from gateway.executor.projection.shape import ObjectShape
from gateway.executor.transport.base import SubgraphAnswer
from gateway.executor.transport.recorded import RecordedTransport, Script
from gateway.graphql_kit.selections import Condition
from gateway.planner.plan.nodes import OutputRewrite, QueryPlan
from tests.support.hand_made_plans import entities, entity_input, path, plan, root, shape

POLICY = ErrorPolicy(mask=False)


async def run(
    query_plan: QueryPlan,
    script: Script,
    *,
    variables: Mapping[str, Any] | None = None,
    encoded: Mapping[str, bytes] | None = None,
    timeout_s: float = 5.0,
) -> tuple[ResponseTree, RecordedTransport]:
    transport = RecordedTransport(script)
    request = ExecutionRequest(
        variables or {}, encoded or {}, {}, asyncio.get_running_loop().time() + timeout_s, timeout_s
    )
    tree = await execute_plan(compile_plan(query_plan), request, transport, POLICY)
    return tree, transport


PRODUCTS = entity_input("products.@", shapes=(shape("id", sent="Product"),))


async def test_merges_entities_into_the_objects_they_were_built_from() -> None:
    """Equal representations are sent once and reach every place."""

    def script(subgraph: str, request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "catalog":
            return {"data": {"products": [{"id": "1"}, {"id": "2"}, None, {"id": "1"}]}}
        asked = request["variables"]["representations"]
        return {"data": {"_entities": [{"price": int(each["id"]) * 10} for each in asked]}}

    tree, transport = await run(
        plan(
            root(0, "catalog", "{ products { id } }"),
            entities(1, "prices", "{ ... on Product { price } }", PRODUCTS, after=(0,)),
        ),
        script,
    )
    assert tree.data == {
        "products": [{"id": "1", "price": 10}, {"id": "2", "price": 20}, None, {"id": "1", "price": 10}]
    }
    assert transport.exchanges[1].request["variables"] == {
        "representations": [{"__typename": "Product", "id": "1"}, {"__typename": "Product", "id": "2"}]
    }
    assert tree.requests_sent == 2


async def test_a_child_starts_when_its_own_parent_is_done_not_its_parents_sibling() -> None:
    """No waves: the child of the quick root is asked while the slow root is still unanswered."""
    child_was_asked = asyncio.Event()

    async def answer(subgraph: str, request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "slow":
            await child_was_asked.wait()
            return {"data": {"other": 1}}
        if subgraph == "quick":
            return {"data": {"products": [{"id": "1"}]}}
        child_was_asked.set()
        return {"data": {"_entities": [{"price": 5}]}}

    tree, _ = await run(
        plan(
            root(0, "quick", "{ products { id } }"),
            root(1, "slow", "{ other }"),
            entities(2, "prices", "{ ... on Product { price } }", PRODUCTS, after=(0,)),
        ),
        answer,
    )
    assert tree.data == {"products": [{"id": "1", "price": 5}], "other": 1}


async def test_a_step_without_representations_is_not_sent() -> None:
    tree, transport = await run(
        plan(
            root(0, "catalog", "{ products { id } }"),
            entities(1, "prices", "{ ... on Product { price } }", PRODUCTS, after=(0,)),
        ),
        lambda _subgraph, _request: {"data": {"products": []}},
    )
    assert tree.data == {"products": []}
    assert [each.subgraph_name for each in transport.exchanges] == ["catalog"]


@pytest.mark.parametrize(("value", "sent"), [(True, 1), (False, 0)])
async def test_a_step_whose_condition_does_not_hold_is_left_out(value: bool, sent: int) -> None:
    tree, _ = await run(
        plan(root(0, "a", "{ x }", condition=(Condition("yes"), Condition("no", negated=True)))),
        lambda _subgraph, _request: {"data": {"x": 1}},
        variables={"yes": value, "no": False},
    )
    assert tree.requests_sent == sent
    assert not tree.failures


async def test_client_variables_are_spliced_into_the_body() -> None:
    _, transport = await run(
        plan(root(0, "a", "query($n: Int, $absent: Int) { x(n: $n, m: $absent) }", variables=("n", "absent"))),
        lambda _subgraph, _request: {"data": {"x": 1}},
        encoded={"n": b'"n":[1,"\\u00e9"]'},
    )
    assert transport.exchanges[0].request["variables"] == {"n": [1, "é"]}


async def test_mutations_run_one_after_the_other_and_go_on_after_a_failure() -> None:
    def script(subgraph: str, _request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "first":
            raise SubgraphUnavailable("first", "down")
        return {"data": {"second": True}}

    tree, transport = await run(
        plan(
            root(0, "first", "mutation { first }", kind="mutation"),
            root(1, "second", "mutation { second }", kind="mutation", after=(0,)),
            kind="mutation",
        ),
        script,
    )
    assert [each.subgraph_name for each in transport.exchanges] == ["first", "second"]
    assert tree.data == {"second": True}
    assert list(tree.failures) == [0]


async def test_dependants_of_a_failed_step_are_skipped_and_blame_it() -> None:
    def script(subgraph: str, _request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "catalog":
            raise SubgraphUnavailable("catalog", "subgraph 'catalog' can't be reached")
        return {"data": {"me": {"id": "7"}}}

    tree, transport = await run(
        plan(
            root(0, "catalog", "{ products { id } }"),
            root(1, "accounts", "{ me { id } }"),
            entities(2, "prices", "{ ... on Product { price } }", PRODUCTS, after=(0,)),
        ),
        script,
    )
    assert {each.subgraph_name for each in transport.exchanges} == {"catalog", "accounts"}
    assert tree.data == {"me": {"id": "7"}}
    for place in (("products",), ("products", "id"), ("products", "price")):
        reason = tree.missing_reason(place)
        assert reason is not None
        assert reason.code == "SUBREQUEST_CONNECT_FAILED"
    assert tree.missing_reason(("me", "id")) is None
    assert tree.unexplained() == []


async def test_a_hanging_subgraph_ends_at_its_deadline_and_siblings_live() -> None:
    async def script(subgraph: str, _request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "hangs":
            await asyncio.Event().wait()
        return {"data": {"quick": 1}}

    tree, transport = await run(
        plan(root(0, "hangs", "{ slow }"), root(1, "quick", "{ quick }")), script, timeout_s=0.05
    )
    assert tree.data == {"quick": 1}
    assert tree.failures[0].code == "SUBREQUEST_TIMEOUT"
    assert transport.in_flight == 0


async def test_a_cancelled_request_leaves_nothing_running() -> None:
    asked = asyncio.Event()

    async def script(_subgraph: str, _request: dict[str, Any]) -> dict[str, Any]:
        asked.set()
        await asyncio.Event().wait()
        return {}

    transport = RecordedTransport(script)
    request = ExecutionRequest({}, {}, {}, float("inf"), 60)
    compiled = compile_plan(plan(root(0, "a", "{ a }"), root(1, "b", "{ b }")))
    task = asyncio.create_task(execute_plan(compiled, request, transport, POLICY))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert transport.in_flight == 0
    assert len(asyncio.all_tasks()) == 1


async def test_root_data_can_be_merged_where_a_field_returns_the_root_type_again() -> None:
    def script(subgraph: str, _request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "a":
            return {"data": {"rename": {"again": {"x": 1}}}}
        return {"data": {"y": 2}}

    tree, _ = await run(
        plan(
            root(0, "a", "mutation { rename { again { x } } }", kind="mutation"),
            root(1, "b", "{ y }", after=(0,), at="rename.again"),
            kind="mutation",
        ),
        script,
    )
    assert tree.data == {"rename": {"again": {"x": 1, "y": 2}}}


async def test_internal_aliases_are_renamed_before_merging() -> None:
    tree, _ = await run(
        plan(root(0, "a", "{ items { _m_0: name } }", rewrites=(OutputRewrite(path("items.@"), "_m_0", "name"),))),
        lambda _subgraph, _request: {"data": {"items": [{"_m_0": "x"}, None, {"other": 1}]}},
    )
    assert tree.data == {"items": [{"name": "x"}, None, {"other": 1}]}


async def test_places_that_later_steps_treat_differently_share_nothing() -> None:
    """The same entity at two paths, and a later step that fills only one of them."""
    both = entity_input("left", "right", shapes=(shape("id", sent="Thing"),))
    only_left = entity_input("left.part", shapes=(shape("id", sent="Part"),))

    def script(subgraph: str, _request: dict[str, Any]) -> dict[str, Any]:
        match subgraph:
            case "a":
                return {"data": {"left": {"id": "1"}, "right": {"id": "1"}}}
            case "b":
                return {"data": {"_entities": [{"part": {"id": "p"}}]}}
            case _:
                return {"data": {"_entities": [{"size": 3}]}}

    tree, transport = await run(
        plan(
            root(0, "a", "{ left { id } right { id } }"),
            entities(1, "b", "{ ... on Thing { part { id } } }", both, after=(0,)),
            entities(2, "c", "{ ... on Part { size } }", only_left, after=(1,)),
        ),
        script,
    )
    assert len(transport.exchanges[1].request["variables"]["representations"]) == 1
    assert tree.data["left"]["part"] == {"id": "p", "size": 3}
    assert tree.data["right"]["part"] == {"id": "p"}


async def test_several_inputs_travel_in_one_aliased_request() -> None:
    authors = entity_input("authors.@", shapes=(shape("id", sent="Author"),), alias="a", variable="ra")
    books = entity_input("books.@", shapes=(shape("isbn", sent="Book"),), alias="b", variable="rb")

    def script(subgraph: str, request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "root":
            return {"data": {"authors": [{"id": "1"}], "books": []}}
        assert request["variables"] == {"ra": [{"__typename": "Author", "id": "1"}], "rb": []}
        return {"data": {"a": [{"name": "Ann"}], "b": []}}

    tree, _ = await run(
        plan(
            root(0, "root", "{ authors { id } books { isbn } }"),
            entities(1, "names", "{ name }", authors, books, after=(0,)),
        ),
        script,
    )
    assert tree.data == {"authors": [{"id": "1", "name": "Ann"}], "books": []}


ENTITIES_OF_ONE = plan(
    root(0, "catalog", "{ products { id } }"),
    entities(1, "prices", "{ ... on Product { price } }", PRODUCTS, after=(0,)),
)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (SubgraphAnswer(200, b'{"data":{"_entities":null}}'), "SUBREQUEST_INVALID_ENTITIES"),
        (SubgraphAnswer(200, b'{"data":{"_entities":{}}}'), "SUBREQUEST_INVALID_ENTITIES"),
        (SubgraphAnswer(200, b'{"data":{"_entities":[]}}'), "SUBREQUEST_INVALID_ENTITIES"),
        (SubgraphAnswer(200, b'{"data":{"_entities":[{},{}]}}'), "SUBREQUEST_INVALID_ENTITIES"),
        (SubgraphAnswer(200, b'{"data":{"_entities":[7]}}'), "SUBREQUEST_INVALID_ENTITIES"),
        (SubgraphAnswer(200, b'{"data":{}}'), "SUBREQUEST_INVALID_ENTITIES"),
        (SubgraphAnswer(200, b'{"data":null}'), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(200, b"{}"), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(200, b'{"data":[]}'), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(200, b'{"data":"x"}'), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(200, b"[]"), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(200, b"null"), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(200, b""), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(200, b"<html>"), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(200, b'{"data":NaN}'), "SUBREQUEST_MALFORMED_RESPONSE"),
        (
            SubgraphAnswer(
                200,
                b'{"data":{"_entities":[{"price":1}]}',
            ),
            "SUBREQUEST_MALFORMED_RESPONSE",
        ),
        (SubgraphAnswer(200, b"[" * 100_000 + b"]" * 100_000), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(200, '{"data":{}}'.encode("utf-16")), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(200, b'{"data":{"_entities":[{}]}}', "text/html"), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(200, b'{"data":{"_entities":[{}]}}', ""), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(500, b"boom", "text/plain"), "SUBREQUEST_HTTP_ERROR"),
        (SubgraphAnswer(502, b'{"message":"bad"}'), "SUBREQUEST_HTTP_ERROR"),
        (SubgraphAnswer(204, b"", ""), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphAnswer(307, b"", ""), "SUBREQUEST_HTTP_ERROR"),
    ],
)
async def test_answers_of_a_wrong_shape_are_failures_of_that_step_alone(answer: SubgraphAnswer, code: str) -> None:
    tree, _ = await run(
        ENTITIES_OF_ONE,
        lambda subgraph, _request: {"data": {"products": [{"id": "1"}]}} if subgraph == "catalog" else answer,
    )
    assert tree.data == {"products": [{"id": "1"}]}
    assert tree.failures[1].code == code
    assert tree.failures[1].extensions == {"service": "prices"}


async def test_values_nested_too_deeply_fail_their_own_step_alone() -> None:
    deep = b"[" * 900 + b"]" * 900
    tree, _ = await run(
        ENTITIES_OF_ONE,
        lambda _subgraph, _request: SubgraphAnswer(200, b'{"data":{"products":[{"id":' + deep + b"}]}}"),
    )
    assert tree.failures[1].code == "SUBREQUEST_MALFORMED_RESPONSE"
    assert "products" in tree.data


async def test_a_graphql_body_counts_more_than_an_error_status() -> None:
    tree, _ = await run(
        plan(root(0, "a", "{ x y }")),
        lambda _s, _r: SubgraphAnswer(400, b'{"errors":[{"message":"no","path":["x"]}],"data":{"x":null,"y":1}}'),
    )
    assert tree.data == {"x": None, "y": 1}
    assert [(each.message, each.path) for each in tree.errors] == [("no", ("x",))]


async def test_what_clients_may_not_see_is_in_the_log() -> None:
    def script(subgraph: str, _request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "down":
            raise SubgraphUnavailable("down", "subgraph 'down' can't be reached")
        return {"data": {"x": None}, "errors": [{"message": "db 10.0.0.1 gone"}] * 1000}

    with structlog.testing.capture_logs() as lines:
        await run(plan(root(0, "a", "{ x }"), root(1, "down", "{ y }")), script)
    assert {line["subgraph"]: line.get("count") for line in lines} == {"a": 1000, "down": None}
    assert "10.0.0.1" in str(lines)
    assert len(str(lines)) < 3000


async def test_a_byte_order_mark_is_forgiven() -> None:
    tree, _ = await run(
        plan(root(0, "a", "{ x }")), lambda _s, _r: SubgraphAnswer(200, b'\xef\xbb\xbf{"data":{"x":1}}')
    )
    assert tree.data == {"x": 1}


async def test_entity_errors_come_back_at_every_place_of_the_entity() -> None:
    def script(subgraph: str, _request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "catalog":
            return {"data": {"products": [{"id": "1"}, {"id": "2"}, {"id": "1"}]}}
        return {
            "data": {"_entities": [{"price": None}, {"price": 2}]},
            "errors": [{"message": "no price", "path": ["_entities", 0, "price"]}],
        }

    tree, _ = await run(ENTITIES_OF_ONE, script)
    assert [each.path for each in tree.errors] == [("products", 0, "price"), ("products", 2, "price")]


async def test_errors_of_a_request_in_the_middle_of_the_tree_begin_at_the_clients_root() -> None:
    def script(subgraph: str, _request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "a":
            return {"data": {"list": [{"again": {"x": 1}}, {"again": {"x": 2}}]}}
        return {"data": {"_m_0": None}, "errors": [{"message": "no", "path": ["_m_0", 3]}, {"message": "pathless"}]}

    tree, _ = await run(
        plan(
            root(0, "a", "{ list { again { x } } }"),
            root(1, "b", "{ _m_0: y }", after=(0,), at="list.@.again", rewrites=(OutputRewrite((), "_m_0", "y"),)),
        ),
        script,
    )
    assert tree.data == {"list": [{"again": {"x": 1, "y": None}}, {"again": {"x": 2, "y": None}}]}
    assert [(error.message, error.path) for error in tree.errors] == [
        ("no", ("list", 0, "again", "y", 3)),
        ("no", ("list", 1, "again", "y", 3)),
        ("pathless", ("list", 0, "again")),
        ("pathless", ("list", 1, "again")),
    ]


@pytest.mark.parametrize(
    "errors",
    [
        "text",
        {},
        [None],
        [1],
        ["x"],
        [{}],
        [{"message": 1}],
        [{"message": "m", "path": "x"}],
        [{"message": "m", "path": [None]}],
        [{"message": "m", "path": ["_entities", 99, "x"]}],
        [{"message": "m", "path": ["_entities", "x"]}],
        [{"message": "m", "extensions": []}],
        [{"message": "m", "locations": -1}],
        [{"message": "m"}] * 10_000,
    ],
)
async def test_errors_of_any_shape_are_told_and_bounded(errors: Any) -> None:
    def script(subgraph: str, _request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "catalog":
            return {"data": {"products": [{"id": "1"}]}}
        return {"data": {"_entities": [{"price": 1}]}, "errors": errors}

    tree, _ = await run(ENTITIES_OF_ONE, script)
    assert tree.data == {"products": [{"id": "1", "price": 1}]}
    assert 1 <= len(tree.errors) <= POLICY.max_errors


@pytest.mark.parametrize(
    "answered",
    [
        [{"id": "2", "price": 20}, {"id": "1", "price": 10}],
        [{"id": "1", "price": 10}, {"id": "1", "price": 10}],
        [{"id": 2, "price": 20}, None],
        [{"id": "1", "price": 10}],
        [{"id": "1", "price": 10}, {"id": "2", "price": 20}, {"id": "2", "price": 20}],
    ],
    ids=["another order", "one twice", "as a number", "one too few", "one too many"],
)
async def test_entities_of_others_are_refused(answered: list[Any]) -> None:
    """An entity that says by its key that it belongs elsewhere is merged nowhere, nor is any other of that answer."""

    def script(subgraph: str, request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "catalog":
            return {"data": {"products": [{"id": "1"}, {"id": "2"}]}}
        return {"data": {"_entities": answered}}

    tree, _ = await run(
        plan(
            root(0, "catalog", "{ products { id } }"),
            entities(1, "prices", "{ ... on Product { id price } }", PRODUCTS, after=(0,)),
        ),
        script,
    )
    assert tree.data == {"products": [{"id": "1"}, {"id": "2"}]}
    assert tree.failures[1].code == "SUBREQUEST_INVALID_ENTITIES"


async def test_a_key_written_in_another_way_is_the_same_entity() -> None:
    """Only what surely belongs elsewhere is refused: a subgraph may write keys in its own way."""

    def script(subgraph: str, request: dict[str, Any]) -> dict[str, Any]:
        if subgraph == "catalog":
            return {"data": {"products": [{"id": "A"}, {"id": "7"}]}}
        return {"data": {"_entities": [{"id": "a", "price": 10}, {"id": 7, "price": 20}]}}

    tree, _ = await run(
        plan(
            root(0, "catalog", "{ products { id } }"),
            entities(1, "prices", "{ ... on Product { id price } }", PRODUCTS, after=(0,)),
        ),
        script,
    )
    assert tree.failures == {}
    assert [each["price"] for each in tree.data["products"]] == [10, 20]


async def test_the_shape_of_an_answer_is_made_in_a_thread_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a large operation takes long, and nobody else's request waits for it; a few ways of conditions are kept."""
    conditions = "query($a: Boolean!, $b: Boolean!, $c: Boolean!)"
    document = parse(f"{conditions} {{ x @include(if: $a) y @skip(if: $b) z @skip(if: $c) }}")
    definition = document.definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    compiled = compile_operation(
        build_schema("type Query { x: Int y: Int z: Int }"), definition, {}, plan(root(0, "catalog", "{ x y z }"))
    )
    threads: list[threading.Thread] = []

    def generate(made: ObjectShape) -> FastProjection:
        threads.append(threading.current_thread())
        return generate_projection(made)

    monkeypatch.setattr(operation, "generate_projection", generate)
    transport = RecordedTransport(lambda *_: {"data": {"x": 1, "y": 2, "z": 3}})
    for given in [*product((True, False), repeat=3), (False,) * 3]:
        values = dict(zip("abc", given, strict=True))
        request = ExecutionRequest(values, {}, {}, asyncio.get_running_loop().time() + 5, 5)
        answer = await compiled.run(request, values, transport, POLICY)
        kept = {"x": (1, values["a"]), "y": (2, not values["b"]), "z": (3, not values["c"])}
        assert answer.data == {name: value for name, (value, is_asked) in kept.items() if is_asked}
    assert len(threads) == 8
    assert threading.main_thread() not in threads
    assert len(compiled._variants) == 4
