"""The whole subgraph on MongoDB and OpenSearch: two processes beside each other on one catalogue."""

from __future__ import annotations

import asyncio
import urllib.parse
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from redis.asyncio import Redis

from common.settings import SharedSettings
from subgraphs.titles.settings import TitlesSettings
from tests.subgraphs.titles.conftest import STUDIO, Service, opened_service
from tests.support.unsteady_line import UnsteadyLine

BROWSE = '{ titles(first: 3, sort: NAME) { edges { node { displayName } } } search(query: "cops") { totalCount } }'

BY_ID = '{ title(id: "mov_cops-1922") { id } }'
SEARCH = '{ search(query: "cops") { edges { node { id } } } }'


async def until_gone(service: Service, query: str) -> None:
    """The other process's write arrives by an event."""
    async with asyncio.timeout(20):
        while "mov_cops-1922" in str(await service.data(query)):  # noqa: ASYNC110  # another application is watched
            await asyncio.sleep(0.02)


async def test_two_processes_share_a_catalogue(
    mongodb_url: str, opensearch_url: str, opensearch_prefix: str, valkey_url: str, redis: Redis, tmp_path: Path
) -> None:
    """What one withdraws is gone for the other one too, in lists, in search and by id; a restart finds everything."""
    shared: dict[str, Any] = {
        "valkey_url": valkey_url,
        "store_url": SecretStr(mongodb_url),
        "search_url": SecretStr(opensearch_url),
        "search_index_name": f"{opensearch_prefix}titles",
    }
    async with opened_service(tmp_path / "a", **shared, port=4941) as one:
        first = await one.data(BROWSE)
        async with opened_service(tmp_path / "b", **shared, port=4942, seed_demo=False) as other:
            assert first == await other.data(BROWSE)
            for query in (BY_ID, SEARCH):
                assert "mov_cops-1922" in str(await other.data(query))
            found = first["search"]["totalCount"]
            await one.data('mutation { withdrawTitle(id: "mov_cops-1922") { __typename } }', STUDIO)
            for query in (BY_ID, SEARCH):
                await until_gone(other, query)
    async with opened_service(tmp_path / "c", **shared, port=4943, seed_demo=False) as again:
        assert (await again.data(BROWSE))["search"]["totalCount"] == found - 1
        health = (await again.http.get("/health")).json()
        assert (health["ready"], health["checks"]["store"], health["checks"]["search"]) == (True, "ok", "ok")
        reindexed = await again.http.post("/internal/reindex", headers=again.service_token())
        assert reindexed.json() == {"indexed": 163}


async def test_without_its_search_engine_the_catalogue_is_open(
    mongodb_url: str, opensearch_url: str, opensearch_prefix: str, valkey_url: str, redis: Redis, tmp_path: Path
) -> None:
    """It starts, lists and shows titles; search says UNAVAILABLE until the engine is there, and then finds everything."""
    parts = urllib.parse.urlsplit(opensearch_url)
    async with UnsteadyLine(parts.hostname or "", parts.port or 80) as line:
        await line.cut()
        settings: dict[str, Any] = {
            "store_url": SecretStr(mongodb_url),
            "search_url": SecretStr(f"http://127.0.0.1:{line.port}"),
            "search_index_name": f"{opensearch_prefix}titles",
        }
        async with opened_service(tmp_path, valkey_url=valkey_url, **settings) as service:
            listed = await service.data("{ titles(first: 3) { edges { node { displayName } } } }")
            assert len(listed["titles"]["edges"]) == 3
            answer = await service.ask('{ search(query: "cops") { totalCount } }')
            assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
            health = (await service.http.get("/health")).json()
            assert (health["ready"], health["checks"]["store"]) == (True, "ok")
            assert health["checks"]["search"] != "ok"
            refused = await service.http.post("/internal/reindex", headers=service.service_token())
            assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
            await line.mend()
            await service.settled()
            assert (await service.data('{ search(query: "cops") { totalCount } }'))["search"]["totalCount"] > 0


@pytest.mark.parametrize(
    ("name", "url"), [("store_url", "mysql://host/marquee"), ("store_url", "host:27017"), ("search_url", "host:9200")]
)
def test_refuses_urls_of_nothing_that_it_knows(tmp_path: Path, name: str, url: str) -> None:
    """With what it knows, and without the URL, which may hold a password."""
    with pytest.raises(ValidationError, match="begins with n") as refused:
        TitlesSettings(shared=SharedSettings(state_dir=tmp_path), **{name: SecretStr(url)})
    assert url not in str(refused.value)
