"""The operations that the screens send are valid against the schema that they are sent to."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate

SCHEMA = Path(__file__).parents[2] / "schema"
OPERATIONS = sorted((SCHEMA / "operations").rglob("*.graphql"))
EXPECTED = {
    *(f"{form}/{name}" for form in ["tv", "phone"] for name in ["home", "row", "refresh"]),
    *(
        f"shared/{name}"
        for name in [
            "details",
            "search",
            "start_playback",
            "heartbeat",
            "stop_playback",
            "my_list_add",
            "my_list_remove",
            "set_thumb",
            "onboarding",
            "save_onboarding_picks",
            "report_interactions",
            "sign_up",
            "log_in",
            "select_profile",
            "refresh",
        ]
    ),
}


def name_of(path: Path) -> str:
    return path.relative_to(SCHEMA / "operations").with_suffix("").as_posix()


@pytest.fixture(scope="module")
def api_schema() -> GraphQLSchema:
    path = SCHEMA / "api.graphql"
    if not path.exists():
        pytest.skip("schema/api.graphql is not composed; run scripts/schema")
    return build_schema(path.read_text("utf-8"))


def test_every_screen_has_its_operation() -> None:
    """What TV, phone and both of them need is there by name."""
    assert {name_of(path) for path in OPERATIONS} >= EXPECTED


@pytest.mark.parametrize("path", OPERATIONS, ids=name_of)
def test_an_operation_is_valid_and_alone_in_its_file(api_schema: GraphQLSchema, path: Path) -> None:
    """One named operation with its fragments, valid as it stands."""
    document = parse(path.read_text("utf-8"))
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]

    assert [node.name is not None for node in operations] == [True]
    assert [error.message for error in validate(api_schema, document)] == []
