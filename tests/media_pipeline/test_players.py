"""Real players in a real browser: hls.js on HLS, Shaka Player on DASH, clear and with keys from the licence
endpoint."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from grpc_protos.generated.marquee.transcoding.v1 import transcoding_pb2
from tests.media_pipeline.test_from_upload_to_player import TITLE_ID, entitle, order, upload, watch
from tests.support.media_services import MediaServices, media_services

NODE_MODULES = Path(__file__).resolve().parents[2] / "clients" / "node_modules"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PLAYED_S = 1.0

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
    pytest.mark.skipif(
        not (NODE_MODULES / "hls.js").is_dir(), reason="the players are not installed (npm ci in clients/)"
    ),
]

PAGE = """<!doctype html><video id="video" muted></video>
<script src="/npm/hls.js/dist/hls.min.js"></script><script
src="/npm/shaka-player/dist/shaka-player.compiled.js"></script> <script>
const video = document.getElementById('video');
const errors = [];
function playHls(url, licence, token) {
  const hls = new Hls({
    emeEnabled: Boolean(licence),
    drmSystems: licence ? {'org.w3.clearkey': {licenseUrl: licence}} : {},
    licenseXhrSetup: (request, address) => {
      request.open('POST', address, true);
      request.setRequestHeader('Authorization', 'Bearer ' + token);
    },
  });
  hls.on(Hls.Events.ERROR, (_, data) => data.fatal && errors.push(data.type + ' ' + data.details));
  hls.on(Hls.Events.STEERING_MANIFEST_LOADED, (_, data) => { window.steering = data.steeringManifest; });
  hls.loadSource(url);
  hls.attachMedia(video);
  window.heights = () => hls.levels.map((level) => level.height);
  video.play().catch((error) => errors.push(String(error)));
}
async function playShaka(url, licence, token) {
  const player = new shaka.Player();
  await player.attach(video);
  player.addEventListener('error', (event) => errors.push('shaka ' + event.detail.code));
  player.getNetworkingEngine().registerRequestFilter((type, request) => {
    if (type === shaka.net.NetworkingEngine.RequestType.LICENSE) request.headers.Authorization = 'Bearer ' + token;
  });
  window.heights = () => player.getVariantTracks().map((track) => track.height);
  await player.load(url);
  await video.play();
}
</script>"""


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """An application on a port of its own; its lifespan is somebody else's."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="warning"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event to wait for
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def pages() -> Starlette:
    return Starlette(
        routes=[
            Route("/", lambda _: HTMLResponse(PAGE)),
            Mount("/npm", StaticFiles(directory=NODE_MODULES)),
        ]
    )


async def played(page: Any) -> dict[str, Any]:
    """What the page tells once the film has run for a second, or an error came."""
    state: dict[str, Any] = {}
    for _ in range(600):
        state = await page.evaluate(
            "({at: video.currentTime, width: video.videoWidth, keys: Boolean(video.mediaKeys), errors,"
            " heights: window.heights ? window.heights() : [], steering: window.steering || null})"
        )
        if state["at"] > PLAYED_S or state["errors"]:
            break
        await asyncio.sleep(0.05)
    return state


async def published(services: MediaServices, film_bytes: bytes) -> dict[str, Any]:
    jobs = await watch(services, await upload(services, film_bytes))
    assert jobs[-1].state == transcoding_pb2.JOB_STATE_PUBLISHED
    return (await services.events("assets"))[0][1]


async def test_players_play_both_versions(tmp_path: Path, film_bytes: bytes):
    """Four ways to the same pictures; keys only where they are needed; steering is asked and obeyed."""
    from playwright.async_api import async_playwright

    async with (
        media_services(tmp_path / "state", worker=True, listen=True) as services,
        listening(pages()) as page_url,
        async_playwright() as playwright,
    ):
        event = await published(services, film_bytes)
        entitlement = await entitle(services, event)
        pathways = await order(services, event, entitlement.max_height_px)
        base = f"{pathways.pathways[0].base_url}/media/{pathways.media_token}"
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        for player, protocol in (("Hls", "hls"), ("Shaka", "dash")):
            for version in ("clear", "clearkey"):
                licence = entitlement.licence_url if version == "clearkey" else None
                page = await browser.new_page()
                await page.goto(page_url)
                arguments = [f"{base}/{event['variants'][version][protocol]}", licence, entitlement.playback_token]
                await page.evaluate(f"void play{player}({', '.join(json.dumps(value) for value in arguments)})")
                state = await played(page)
                assert state["errors"] == [], (player, version, state)
                assert state["at"] > PLAYED_S, (player, version, state)
                assert state["width"] in {426, 640}
                assert state["keys"] is (version == "clearkey")
                assert set(state["heights"]) <= {240, 360}
                if player == "Hls":
                    assert state["steering"]["PATHWAY-PRIORITY"] == [item.id for item in pathways.pathways]
                await page.close()
        await browser.close()
    assert event["titleId"] == TITLE_ID
