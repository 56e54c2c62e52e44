"""Delivery while the services behind it are away: media plays on, the rest says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import obstore
import pytest

from common.settings import SharedSettings
from common.tokens import ensure_key_file, sign_service_token
from media_pipeline.delivery.app import create_app
from media_pipeline.delivery.settings import DeliverySettings
from media_pipeline.kernel.media_token import MediaGrant, MediaTokenKeys
from media_pipeline.kernel.object_store import open_object_store

NOBODY = "127.0.0.1:1"
MASTER = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo-480/playlist.m3u8\n"


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    shared = SharedSettings(state_dir=tmp_path, valkey_url=f"redis://{NOBODY}/0", public_media_url="http://media.test")
    settings = DeliverySettings(
        shared=shared,
        licensing_target=NOBODY,
        steering_target=NOBODY,
        transcoding_target=NOBODY,
        artwork_origin_url=f"http://{NOBODY}",
    )
    app = create_app(settings)
    store = open_object_store("", shared.objects_dir)
    await obstore.put_async(store, "assets/ast_1/clear/master.m3u8", MASTER)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://media.test") as http,
    ):
        yield http


def token(tmp_path: Path) -> str:
    keys = MediaTokenKeys.load_or_create(tmp_path / "keys" / "media-token.json")
    return keys.sign(MediaGrant("ast_1", "ses", datetime.now(UTC) + timedelta(hours=1), 0, ("edge-b", "edge-a")))


async def test_media_plays_without_steering(http: httpx.AsyncClient, tmp_path: Path):
    """Manifests go out with relative addresses, so that players stay where they are."""
    answer = await http.get(f"/media/{token(tmp_path)}/assets/ast_1/clear/master.m3u8")
    assert (answer.status_code, answer.content) == (200, MASTER)


async def test_steering_answers_from_the_sessions_own_order(http: httpx.AsyncClient, tmp_path: Path):
    answer = await http.get(f"/steering/{token(tmp_path)}/dash.json")
    assert (answer.status_code, answer.json()["PATHWAY-PRIORITY"]) == (200, ["edge-b", "edge-a"])
    assert answer.json()["TTL"] > 0


async def test_licences_and_artwork_say_that_they_come_later(http: httpx.AsyncClient):
    licence = await http.post("/licence/clearkey", json={}, headers={"Authorization": "Bearer x"})
    artwork = await http.get("/artwork/mov_1/poster/main/120x180.jpeg")
    for answer in (licence, artwork):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert NOBODY not in answer.text


async def test_an_upload_is_safe_until_its_job_can_be_made(http: httpx.AsyncClient, tmp_path: Path):
    key = ensure_key_file(tmp_path / "keys" / "viewer.pem")
    headers = {
        "Tus-Resumable": "1.0.0",
        "Authorization": f"Bearer {sign_service_token(key, 'tests', datetime.now(UTC))}",
        "Upload-Length": "3",
        "Upload-Metadata": "titleId bW92",
        "Content-Type": "application/offset+octet-stream",
    }
    answer = await http.post("/uploads", content=b"abc", headers=headers)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "3")
    assert "Upload-Job-Id" not in answer.headers


async def test_health_is_ready_and_names_what_is_missing(http: httpx.AsyncClient):
    body = (await http.get("/health")).json()
    assert body["ready"] is True
    assert body["checks"]["objects"] == "ok"
    assert body["status"] == "degraded"
    assert all(body["checks"][name].startswith("away") for name in ("licensing", "steering", "transcoding", "valkey"))
