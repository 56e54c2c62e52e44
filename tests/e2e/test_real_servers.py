"""`marquee up --servers`: the same product on PostgreSQL, MongoDB, OpenSearch and Redis, and its data really there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from pymongo import MongoClient
from redis import Redis

from stack.servers import KINDS
from tests.support.canaries import (
    Canary,
    find_in_files,
    find_in_mongodb,
    find_in_opensearch,
    find_in_postgres,
    find_in_valkey,
)
from tests.support.devices import TV, cards_of, sections_of
from tests.support.media_tools import draw_test_clip
from tests.support.planted_household import settled_households, wait_for_certificate
from tests.support.running_stack import GENEROUS, RunningStack
from tests.support.servers import mongodb_database, opensearch_namespace, postgres_database, redis_database
from tests.support.viewers import SignedIn, Viewers

FILM = "mov_marquee-demo"
DEVICE = {"id": "living-room", "formFactor": "TV", "supportsClearKey": True}
RESUME_S = 10.0
INDEX_NAME = "MARQUEE_TITLES_SEARCH_INDEX_NAME"
PLANTED_WHERE = {
    "PostgreSQL": {"e-mail", "device name", "account id", "first profile"},
    "MongoDB": {"position", "device", "first profile's id", "download device"},
    "Redis": {"first profile's id", "playback session"},
}
"""Some of the planted values that each kind of server must have: else the search for what is left would be blind."""


@dataclass
class Watched:
    """The stack, whose viewer has seen ten seconds of the film."""

    stack: RunningStack
    viewers: Viewers
    viewer: SignedIn


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    """Every variable of every kind of server, each with a namespace of its own."""
    with ExitStack() as namespaces:
        enter = namespaces.enter_context
        names = {
            "MARQUEE_VALKEY_URL": enter(redis_database()),
            "MARQUEE_TITLES_STORE_URL": enter(mongodb_database("_titles")),
            "MARQUEE_PLAYBACK_STORE_URL": enter(mongodb_database("_playback")),
            **{
                f"MARQUEE_{name.upper()}_DATABASE_URL": enter(postgres_database(f"_{name}"))
                for name in ("profiles", "recommendations", "licensing")
            },
        }
        search = enter(opensearch_namespace("-titles"))
        names["MARQUEE_TITLES_SEARCH_URL"] = search.url
        assert set(names) == {variable for kind in KINDS for variable in kind.urls}
        yield {**names, INDEX_NAME: search.prefix.rstrip("-")}


@pytest.fixture(scope="module")
def watched(addresses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Signed up, found, played, reported: by the operations that the TV page sends."""
    state = tmp_path_factory.mktemp("servers") / "state"
    # The other stack draws the demo film; here it is small, and lies there as one that a start before has drawn.
    film = state / "demo" / "first-light.mp4"
    film.parent.mkdir(parents=True)
    draw_test_clip(film, seconds=24)
    stack = RunningStack.start(state, servers=True, extra_env={**GENEROUS, **addresses})
    try:
        stack.wait_for_console("First Light is playable", 240)
        viewers = Viewers(stack)
        viewer = viewers.fresh(plan="PREMIUM")
        session = start(stack, viewer)["session"]
        beat = {"sessionId": session["id"], "positionSeconds": RESUME_S - 1, "sequence": 1}
        accepted = stack.operation("shared/heartbeat", {"input": beat}, token=viewer.token).data["heartbeat"]
        assert accepted["acceptedPositionSeconds"] == RESUME_S - 1
        stop = {"sessionId": session["id"], "positionSeconds": RESUME_S, "sequence": 2}
        stack.operation("shared/stop_playback", {"input": stop}, token=viewer.token)
        assert wait_for_continue_watching(stack, viewer) == [FILM]
        yield Watched(stack, viewers, viewer)
    finally:
        stack.stop()


def start(stack: RunningStack, viewer: SignedIn) -> dict[str, Any]:
    variables = {"input": {"titleId": FILM, "device": DEVICE}}
    answer = stack.operation("shared/start_playback", variables, token=viewer.token)
    result: dict[str, Any] = answer.data["startPlayback"]
    return result


def wait_for_continue_watching(stack: RunningStack, viewer: SignedIn) -> list[str]:
    """Titles of that row of the home page, which hears of what was watched by an event."""
    deadline = time.monotonic() + 10
    while True:
        page = stack.operation("tv/home", {"device": TV}, token=viewer.token).data["page"]
        rows = [section for section in sections_of(page) if section["kind"] == "CONTINUE_WATCHING"]
        if rows:
            return [card["title"]["id"] for card in cards_of(rows[0])]
        assert time.monotonic() < deadline, "nothing to continue"
        time.sleep(0.2)


def found(stack: RunningStack, viewer: SignedIn, query: str) -> list[str]:
    """Names that a search finds."""
    text = "query($q: String!) { search(query: $q) { edges { node { displayName } } } }"
    edges = stack.graphql(text, {"q": query}, token=viewer.token).data["search"]["edges"]
    return [edge["node"]["displayName"] for edge in edges]


def count_in_postgres(url: str, statement: str, *arguments: Any) -> int:
    async def ask() -> int:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=10)
        try:
            return int(await connection.fetchval(statement, *arguments))
        finally:
            await connection.close()

    return asyncio.run(ask())


def find_everywhere(stack: RunningStack, addresses: dict[str, str], canaries: list[Canary]) -> dict[str, list[str]]:
    """Where canaries are, by kind of server: every table, collection, key, stream and index, and every file."""
    postgres, mongodb = (
        [url for url in addresses.values() if url.startswith(scheme)] for scheme in ("postgresql", "mongodb")
    )
    return {
        "PostgreSQL": [each for url in postgres for each in find_in_postgres(url, canaries)],
        "MongoDB": [each for url in mongodb for each in find_in_mongodb(url, canaries)],
        "Redis": find_in_valkey(addresses["MARQUEE_VALKEY_URL"], canaries),
        "OpenSearch": find_in_opensearch(addresses["MARQUEE_TITLES_SEARCH_URL"], addresses[INDEX_NAME], canaries),
        "files": find_in_files(stack.state_dir, canaries),
    }


def test_the_console_tells_which_servers_are_in_use(watched: Watched, addresses: dict[str, str]) -> None:
    """By the variables that named them; passwords and addresses stay out of the console."""
    for kind in KINDS:
        assert f"{kind.name:<21} {', '.join(kind.urls)}" in watched.stack.console
    assert not [url for url in addresses.values() if "://" in url and url in watched.stack.console]


def test_search_finds_with_a_typing_error(watched: Watched) -> None:
    assert "Nosferatu" in " ".join(found(watched.stack, watched.viewer, "nosfratu"))


def test_accounts_and_keys_are_in_postgresql(watched: Watched, addresses: dict[str, str]) -> None:
    email = watched.viewer.account["email"]
    profiles, licensing = (addresses[f"MARQUEE_{name}_DATABASE_URL"] for name in ("PROFILES", "LICENSING"))
    assert count_in_postgres(profiles, "SELECT count(*) FROM accounts WHERE email = $1", email) == 1
    tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
    for name in ("PROFILES", "LICENSING", "RECOMMENDATIONS"):
        assert count_in_postgres(addresses[f"MARQUEE_{name}_DATABASE_URL"], tables) > 1
    assert count_in_postgres(licensing, "SELECT count(*) FROM content_keys") > 0


def test_titles_and_positions_are_in_mongodb(watched: Watched, addresses: dict[str, str]) -> None:
    for variable, wanted in (
        ("MARQUEE_TITLES_STORE_URL", FILM),
        ("MARQUEE_PLAYBACK_STORE_URL", watched.viewer.profile["id"]),
    ):
        with MongoClient[dict[str, Any]](addresses[variable]) as client:
            database = client.get_default_database()
            documents = [each for name in database.list_collection_names() for each in database[name].find()]
        assert any(wanted in str(each) for each in documents), variable


def test_the_index_is_in_opensearch(watched: Watched, addresses: dict[str, str]) -> None:
    answer = httpx.get(f"{addresses['MARQUEE_TITLES_SEARCH_URL']}/{addresses[INDEX_NAME]}*/_count", timeout=10)
    assert answer.json()["count"] > 10


def test_events_are_in_redis(watched: Watched, addresses: dict[str, str]) -> None:
    with Redis.from_url(addresses["MARQUEE_VALKEY_URL"]) as client:
        kinds = {client.type(key) for key in client.scan_iter()}
    assert b"stream" in kinds


def test_nothing_is_kept_in_embedded_stores(watched: Watched) -> None:
    """Below the state folder there are keys, objects and logs, and no database."""
    left = [path for path in watched.stack.state_dir.rglob("*") if path.suffix in {".sqlite", ".aof", ".rdb"}]
    assert left == []
    assert not (watched.stack.state_dir / "valkey").exists()
    assert not (watched.stack.state_dir / "titles" / "search").exists()


def test_an_erasure_leaves_nothing_on_any_server(watched: Watched, addresses: dict[str, str]) -> None:
    """A copy has all that was planted and nothing of the neighbours; then it is gone from all tables and collections."""
    stack = watched.stack

    def find_taste(profile_id: Canary) -> bool:
        return any("marquee:taste" in place for place in find_in_valkey(addresses["MARQUEE_VALKEY_URL"], [profile_id]))

    first, second = settled_households(stack, FILM, find_taste)
    for server, names in PLANTED_WHERE.items():
        assert names <= _names(find_everywhere(stack, addresses, first.own_canaries)[server]), server
    assert first.faults_of_export(first.export(), second) == {"missing": [], "shown": [], "foreign": []}
    kept = find_everywhere(stack, addresses, second.own_canaries)

    certificate = wait_for_certificate(stack, first.erase())

    assert any(place["recordCount"] > 0 for place in certificate["places"])
    nothing: dict[str, list[str]] = {"PostgreSQL": [], "MongoDB": [], "Redis": [], "OpenSearch": [], "files": []}
    assert find_everywhere(stack, addresses, first.own_canaries) == nothing
    for server, names in PLANTED_WHERE.items():
        assert names & _names(kept[server]) <= _names(find_everywhere(stack, addresses, second.own_canaries)[server])


def _names(places: list[str]) -> set[str]:
    return {place.split(" in ")[0] for place in places}


def test_after_a_restart_everything_is_still_there(watched: Watched, addresses: dict[str, str]) -> None:
    """Who signed up logs in, finds what was found, and goes on where the film was left."""
    assert watched.stack.stop() == 0
    again = RunningStack.start(watched.stack.state_dir, servers=True, demo=False, extra_env=addresses)
    try:
        viewer = Viewers(again).again(watched.viewer)
        assert viewer.profile["id"] == watched.viewer.profile["id"]
        assert "Nosferatu" in " ".join(found(again, viewer, "nosferatu"))
        assert wait_for_continue_watching(again, viewer) == [FILM]
        session = start(again, viewer)["session"]
        assert session["resumePositionSeconds"] == RESUME_S
        manifest = session["manifests"][0]["url"].replace(watched.stack.media_url, again.media_url)
        assert again.client.get(manifest).status_code == 200
    finally:
        assert again.stop() == 0
