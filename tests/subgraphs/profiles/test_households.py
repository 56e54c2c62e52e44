"""Profiles through the graph: who may create, change and delete them, and every result."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.sql import reading
from subgraphs.profiles.adapters.sqlalchemy.tables import OUTBOX
from tests.subgraphs.profiles.conftest import Graph

CREATE = """mutation($input: CreateProfileInput!) { createProfile(input: $input) { __typename
  ... on CreateProfileSuccess { profile { id name avatar isKids maturityLimit language } account { profiles { name } } }
  ... on TooManyProfiles { message limit } ... on InvalidInput { fields { path message } } ... on NotPermitted { message } } }"""
UPDATE = """mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { __typename
  ... on UpdateProfileSuccess { profile { id name avatar maturityLimit language } }
  ... on ProfileNotFound { message profileId } ... on InvalidInput { fields { path message } }
  ... on NotPermitted { message } } }"""
DELETE = """mutation($id: ID!) { deleteProfile(id: $id) { __typename
  ... on DeleteProfileSuccess { account { profiles { name } } } ... on NotPermitted { message } } }"""


async def create(graph: Graph, token: str | None, **values: Any) -> dict[str, Any]:
    result: dict[str, Any] = (await graph.data(CREATE, {"input": values}, token=token))["createProfile"]
    return result


async def update(graph: Graph, token: str | None, **values: Any) -> dict[str, Any]:
    result: dict[str, Any] = (await graph.data(UPDATE, {"input": values}, token=token))["updateProfile"]
    return result


async def delete(graph: Graph, token: str | None, profile_id: str) -> dict[str, Any]:
    result: dict[str, Any] = (await graph.data(DELETE, {"id": profile_id}, token=token))["deleteProfile"]
    return result


async def test_a_new_profile_gets_defaults_and_is_seen_at_once(graph: Graph) -> None:
    """In the same answer's account, too."""
    session = await graph.sign_up()
    result = await create(graph, session["accessToken"], name="  Grace   Hopper ")
    assert (
        result["profile"].items()
        >= {
            "name": "Grace Hopper",
            "avatar": "avatar-1",
            "isKids": False,
            "maturityLimit": 18,
            "language": "en",
        }.items()
    )
    assert [profile["name"] for profile in result["account"]["profiles"]] == ["Ada", "Grace Hopper"]


async def test_the_sixth_profile_is_refused_also_when_six_come_at_once(graph: Graph) -> None:
    """With the limit; the account has exactly five."""
    token = (await graph.sign_up())["accessToken"]
    results = await asyncio.gather(*(create(graph, token, name=f"Profile {number}") for number in range(6)))
    kinds = [result["__typename"] for result in results]
    assert (kinds.count("CreateProfileSuccess"), kinds.count("TooManyProfiles")) == (4, 2)
    [limit] = {result["limit"] for result in results if result["__typename"] == "TooManyProfiles"}
    assert limit == 5
    viewer = await graph.data("{ viewer { account { profiles { id } } } }", token=token)
    assert len(viewer["viewer"]["account"]["profiles"]) == 5


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({"name": ""}, ["input.name"]),
        ({"name": "x" * 51}, ["input.name"]),
        ({"name": "a\x00b"}, ["input.name"]),
        ({"name": "Milo", "isKids": True, "maturityLimit": 8}, ["input.maturityLimit"]),
        ({"name": "Grace", "maturityLimit": 19}, ["input.maturityLimit"]),
        ({"name": "Grace", "maturityLimit": -1}, ["input.maturityLimit"]),
        ({"name": "Grace", "avatar": "../../etc"}, ["input.avatar"]),
        ({"name": "Grace", "language": "klingon language"}, ["input.language"]),
        ({"name": "", "avatar": "", "language": ""}, ["input.name", "input.avatar", "input.language"]),
    ],
)
async def test_a_wrong_profile_names_every_wrong_field(graph: Graph, values: dict[str, Any], paths: list[str]) -> None:
    """At once, and nothing is made."""
    token = (await graph.sign_up())["accessToken"]
    result = await create(graph, token, **values)
    assert result["__typename"] == "InvalidInput"
    assert [field["path"] for field in result["fields"]] == paths


@pytest.mark.parametrize("name", ["\U0001f469\u200d\U0001f680", "محمد", "x" * 50, "<script>"])
async def test_names_are_whatever_people_are_called(graph: Graph, name: str) -> None:
    """Up to 50 characters; escaping is the clients' duty."""
    result = await create(graph, (await graph.sign_up())["accessToken"], name=name)
    assert result["profile"]["name"] == name


async def test_a_change_changes_what_was_given(graph: Graph) -> None:
    """The rest stays."""
    session = await graph.sign_up()
    profile_id = session["account"]["profiles"][0]["id"]
    result = await update(graph, session["accessToken"], id=profile_id, language="pt-BR", maturityLimit=12)
    assert result["profile"] == {
        "id": profile_id,
        "name": "Ada",
        "avatar": "avatar-1",
        "maturityLimit": 12,
        "language": "pt-BR",
    }
    assert (await update(graph, session["accessToken"], id=profile_id))["profile"] == result["profile"]


async def test_a_foreign_profile_is_not_there(graph: Graph) -> None:
    """For changes, deletions and entity look-ups alike, as one that never existed."""
    token = (await graph.sign_up())["accessToken"]
    theirs = (await graph.sign_up("grace@example.org"))["account"]
    for profile_id in (theirs["profiles"][0]["id"], "prof_unknown"):
        assert await update(graph, token, id=profile_id, name="Mine") == {
            "__typename": "ProfileNotFound",
            "message": f"The account has no profile {profile_id!r}.",
            "profileId": profile_id,
        }
        assert (await delete(graph, token, profile_id))["__typename"] == "ProfileNotFound"
    entities = """query($r: [_Any!]!) { _entities(representations: $r) {
      ... on Profile { name } ... on Account { email } } }"""
    representations = [
        {"__typename": "Profile", "id": theirs["profiles"][0]["id"]},
        {"__typename": "Account", "id": theirs["id"]},
        {"__typename": "Profile", "id": "prof_unknown"},
    ]
    assert (await graph.data(entities, {"r": representations}, token=token))["_entities"] == [None, None, None]
    assert (await graph.data(entities, {"r": representations}))["_entities"] == [None, None, None]


async def test_ones_own_entities_are_there(graph: Graph) -> None:
    """By the ids that other subgraphs hold."""
    session = await graph.sign_up()
    account = session["account"]
    entities = """query($r: [_Any!]!) { _entities(representations: $r) {
      ... on Profile { name } ... on Account { email } } }"""
    representations = [
        {"__typename": "Account", "id": account["id"]},
        {"__typename": "Profile", "id": account["profiles"][0]["id"]},
    ]
    answer = await graph.data(entities, {"r": representations}, token=session["accessToken"])
    assert answer["_entities"] == [{"email": "ada@example.org"}, {"name": "Ada"}]


async def test_deleting_leaves_one(graph: Graph) -> None:
    """The last profile stays, and the result says what to do."""
    session = await graph.sign_up()
    token, first = session["accessToken"], session["account"]["profiles"][0]["id"]
    await create(graph, token, name="Grace")
    result = await delete(graph, token, first)
    assert result["account"]["profiles"] == [{"name": "Grace"}]
    viewer = await graph.data("{ viewer { account { profiles { id } } } }", token=token)
    [last] = viewer["viewer"]["account"]["profiles"]
    result = await delete(graph, token, last["id"])
    assert result["__typename"] == "NotPermitted"
    assert "create another one first" in result["message"]


async def test_a_deleted_profile_is_selected_no_more(graph: Graph) -> None:
    """A token that carries it acts as one without a profile, whatever it claims."""
    session = await graph.sign_up()
    await create(graph, session["accessToken"], name="Grace")
    token = (await graph.select(session))["accessToken"]
    await delete(graph, token, session["account"]["profiles"][0]["id"])
    viewer = (await graph.data("{ viewer { profile { name } account { profiles { name } } } }", token=token))["viewer"]
    assert viewer == {"profile": None, "account": {"profiles": [{"name": "Grace"}]}}
    rated = await graph.data('mutation { rateTitle(titleId: "mov_film", stars: 5) { __typename } }', token=token)
    assert rated["rateTitle"]["__typename"] == "NoProfileSelected"


async def test_a_kids_profile_manages_nothing(graph: Graph) -> None:
    """Not even its own limit downwards: no door is left ajar."""
    session = await graph.sign_up()
    token = await graph.kid_token(session)
    own, adult = graph.viewer(token).profile_id, session["account"]["profiles"][0]["id"]
    assert own is not None
    for result in (
        await create(graph, token, name="Grown-up"),
        await update(graph, token, id=own, maturityLimit=18),
        await update(graph, token, id=own, maturityLimit=0),
        await update(graph, token, id=adult, maturityLimit=0),
        await delete(graph, token, adult),
        await delete(graph, token, own),
    ):
        assert result["__typename"] == "NotPermitted"
        assert "kids profile" in result["message"]


async def test_a_limited_profile_gives_no_more_than_it_has(graph: Graph) -> None:
    """It may not raise itself nor make a profile above itself; lowering and equals are fine."""
    session = await graph.sign_up()
    created = await create(graph, session["accessToken"], name="Teen", maturityLimit=12)
    teen = created["profile"]["id"]
    token = (await graph.select(session, teen))["accessToken"]
    assert (await update(graph, token, id=teen, maturityLimit=18))["__typename"] == "NotPermitted"
    assert (await create(graph, token, name="Grown-up"))["__typename"] == "NotPermitted"
    assert (await create(graph, token, name="Friend", maturityLimit=12))["__typename"] == "CreateProfileSuccess"
    assert (await update(graph, token, id=teen, maturityLimit=11))["__typename"] == "UpdateProfileSuccess"
    adult = session["account"]["profiles"][0]["id"]
    assert (await update(graph, token, id=adult, name="Countess"))["__typename"] == "UpdateProfileSuccess"


async def test_a_kids_profile_can_not_be_given_a_grown_ups_limit(graph: Graph) -> None:
    """Also not by a grown-up."""
    session = await graph.sign_up()
    kid = (await create(graph, session["accessToken"], name="Milo", isKids=True))["profile"]["id"]
    result = await update(graph, session["accessToken"], id=kid, maturityLimit=12)
    assert [field["message"] for field in result["fields"]] == ["is 12; a kids profile takes 0 to 7"]


async def test_nobody_manages_nothing(graph: Graph) -> None:
    """Anonymous, and after logging out."""
    session = await graph.sign_up()
    token = session["accessToken"]
    await graph.data("mutation { logOut { loggedOut } }", token=token)
    profile_id = session["account"]["profiles"][0]["id"]
    for who in (None, token):
        for result in (
            await create(graph, who, name="Grace"),
            await update(graph, who, id=profile_id, name="Grace"),
            await delete(graph, who, profile_id),
        ):
            assert result["__typename"] == "NotSignedIn"


async def test_every_change_is_told_once(graph: Graph, engine: AsyncEngine) -> None:
    """In the outbox, in order, without the e-mail address; refused and empty changes tell nothing."""
    session = await graph.sign_up()
    token, first = session["accessToken"], session["account"]["profiles"][0]["id"]
    second = (await create(graph, token, name="Milo", isKids=True))["profile"]["id"]
    await update(graph, token, id=second, language="de")
    await update(graph, token, id=second, language="de")
    await update(graph, token, id=second, maturityLimit=18)
    await delete(graph, token, second)
    await delete(graph, token, first)
    async with reading(engine) as connection:
        rows = (await connection.execute(select(OUTBOX.table).order_by(OUTBOX.table.c.sequence))).mappings().all()
    assert [row["kind"] for row in rows] == [
        "account.signed_up",
        "profile.created",
        "profile.created",
        "profile.changed",
        "profile.deleted",
    ]
    assert {row["topic"] for row in rows} == {"accounts"}
    assert rows[3]["data"] == {
        "profileId": second,
        "accountId": session["account"]["id"],
        "isKids": True,
        "maturity": 7,
        "country": "US",
        "language": "de",
        "personalisation": True,
        "analytics": False,
        "digest": False,
    }
    assert not any("ada@example.org" in str(row["data"]) for row in rows)


async def test_a_limit_that_is_set_meanwhile_stays(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody renames the profile and has read it before a parent limits it: both changes hold."""
    session = await graph.sign_up()
    token, profile_id = session["accessToken"], session["account"]["profiles"][0]["id"]
    accounts = graph.services.accounts
    write = accounts.update_profile

    async def limit_first(*arguments: Any) -> bool:
        monkeypatch.setattr(accounts, "update_profile", write)
        limited = await update(graph, token, id=profile_id, maturityLimit=7)
        assert limited["__typename"] == "UpdateProfileSuccess"
        return await write(*arguments)

    monkeypatch.setattr(accounts, "update_profile", limit_first)
    renamed = await update(graph, token, id=profile_id, name="Milo")
    assert (renamed["profile"]["name"], renamed["profile"]["maturityLimit"]) == ("Milo", 7)


async def test_a_profile_that_never_holds_still_is_tried_again_later(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request ends, and says so."""
    session = await graph.sign_up()

    async def always_too_late(*_: Any) -> bool:
        return False

    monkeypatch.setattr(graph.services.accounts, "update_profile", always_too_late)
    values = {"id": session["account"]["profiles"][0]["id"], "name": "Milo"}
    answer = await graph(UPDATE, {"input": values}, token=session["accessToken"])
    assert answer["errors"][0]["extensions"]["code"] == "ABORTED"
