"""Types that resolve all their references at once."""

from collections.abc import Sequence
from typing import Any

import pytest
import strawberry
import strawberry.federation

from subgraphs.kernel.entities import build_schema

CALLS: list[list[str]] = []


@strawberry.federation.type(keys=["id"])
class Parcel:
    """Known by ids that begin with p; the whole batch fails with one that ends in !."""

    id: strawberry.ID

    @classmethod
    async def resolve_references(cls, info: strawberry.Info, ids: Sequence[str]) -> "list[Parcel | None]":
        """One call for all."""
        CALLS.append(list(ids))
        if any(id_.endswith("!") for id_ in ids):
            raise ValueError("torn")
        return [cls(id=strawberry.ID(id_)) if id_.startswith("p") else None for id_ in ids]


@strawberry.federation.type(keys=["id"])
class Letter:
    """Resolved one by one."""

    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Letter":
        """Always there."""
        return cls(id=id)


@strawberry.type
class Query:
    """A schema needs one."""

    @strawberry.field
    def parcel(self) -> Parcel | None:
        """None."""
        return None


QUERY = (
    "query($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Parcel { id } ... on Letter { id } } }"
)


async def asked(*of: Any) -> Any:
    schema = build_schema(query=Query, types=[Parcel, Letter])
    CALLS.clear()
    return await schema.execute(QUERY, variable_values={"of": list(of)}, context_value={})


async def test_all_of_a_type_are_one_call_and_each_stands_at_its_place() -> None:
    """Between others, with unknown ones null and malformed ones an error of their own."""
    result = await asked(
        {"__typename": "Parcel", "id": "p1"},
        {"__typename": "Letter", "id": "l1"},
        {"__typename": "Parcel", "id": "q"},
        {"__typename": "Parcel", "id": ["p2"]},
        {"__typename": "Parcel", "id": "p1"},
    )
    assert CALLS == [["p1", "q", "p1"]]
    assert [each and each["id"] for each in result.data["_entities"]] == ["p1", "l1", None, None, "p1"]
    assert [error.path for error in result.errors] == [["_entities", 3]]


async def test_what_a_batch_raises_is_the_error_of_its_places_alone() -> None:
    """Other types are answered."""
    result = await asked(
        {"__typename": "Parcel", "id": "p!"}, {"__typename": "Letter", "id": "l"}, {"__typename": "Parcel", "id": "p"}
    )
    assert [each and each["id"] for each in result.data["_entities"]] == [None, "l", None]
    assert [(error.path, error.message) for error in result.errors] == [
        (["_entities", 0], "torn"),
        (["_entities", 2], "torn"),
    ]


def test_only_types_whose_key_is_id_may_resolve_all_at_once() -> None:
    """Said when the schema is made."""

    @strawberry.federation.type(keys=["code"])
    class Crate:
        """With another key."""

        code: str

        @classmethod
        async def resolve_references(cls, info: strawberry.Info, ids: Sequence[str]) -> list[None]:
            """Never called."""
            return [None for _ in ids]

    with pytest.raises(TypeError, match="Crate has resolve_references"):
        build_schema(query=Query, types=[Crate])
