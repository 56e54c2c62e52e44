"""Gradual overrides: which labels hold, and that a request is planned accordingly."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.pipeline.override_labels import OverrideLabels, read_override_labels
from gateway.supergraph.read import read_supergraph
from tests.support.federation import Federation
from tests.support.gateway import gateway_client, post


def moving(label: str) -> Federation:
    """A field that moves from `old` to `new`."""
    return Federation(
        subgraphs={
            "old": """
                type Query { thing: Thing }
                type Thing @key(fields: "id") { id: ID! size: Int }
            """,
            "new": f"""
                type Thing @key(fields: "id") {{ id: ID! size: Int @override(from: "old", label: "{label}") }}
            """,
        },
        roots={"thing": lambda: {"__typename": "Thing", "id": "1", "size": 3}},
        find=lambda _name, key: {"__typename": "Thing", "id": key["id"], "size": 3},
    )


def test_one_draw_decides_all_percentages() -> None:
    labels = OverrideLabels({"percent(5)": 5.0, "percent(50)": 50.0}, frozenset({"on"}))
    assert labels.active(3) == {"percent(5)", "percent(50)", "on"}
    assert labels.active(20) == {"percent(50)", "on"}
    assert labels.active(99.9) == {"on"}


def test_labels_are_read_from_the_supergraph() -> None:
    supergraph = read_supergraph(moving("percent(12.5)").supergraph_sdl())
    assert read_override_labels(supergraph, {"other"}) == OverrideLabels({"percent(12.5)": 12.5}, frozenset())


@pytest.mark.parametrize(
    ("label", "settings", "asked"),
    [
        ("percent(100)", {}, ["old", "new"]),
        ("percent(0)", {}, ["old"]),
        ("beta", {"active_override_labels": {"beta"}}, ["old", "new"]),
        ("beta", {}, ["old"]),
    ],
)
async def test_requests_go_where_the_field_is(
    label: str, settings: dict[str, set[str]], asked: list[str], tmp_path: Path
) -> None:
    federation = moving(label)
    transport = federation.transport()
    async with gateway_client(federation.supergraph_sdl(), transport, tmp_path, **settings) as client:
        assert await post(client, "{ thing { size } }") == {"data": {"thing": {"size": 3}}}
    assert [each.subgraph_name for each in transport.exchanges] == asked
