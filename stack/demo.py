"""The demo film: drawn by ffmpeg's generators, then uploaded and transcoded as any other film would be."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console

from common.settings import SharedSettings
from common.tokens import ensure_key_file
from stack.settings import StackSettings
from stack.studio import JobView, Studio, StudioError

__all__ = ["DEMO_PASSWORD", "DEMO_TITLE_ID", "bring_in_demo_film", "open_studio"]

DEMO_TITLE_ID = "mov_marquee-demo"
DEMO_PASSWORD = "popcorn-time"  # noqa: S105  # the demo accounts are public by design

_MEDIA_STATUS = "query DemoFilm($id: ID!) { title(id: $id) { displayName mediaStatus } }"


@asynccontextmanager
async def open_studio() -> AsyncIterator[Studio]:
    """The studio, logged in, of the stack that this environment's settings describe; raises StudioError."""
    settings_module: Any = importlib.import_module("media_pipeline.transcoding.settings")
    shared = SharedSettings.load()
    target = f"127.0.0.1:{settings_module.TranscodingSettings.load().port}"
    key_path = shared.keys_dir / "viewer.pem"
    if not key_path.exists():
        raise StudioError(
            f"{key_path} is missing: Marquee was never started with this state folder. "
            "Run `make up` first, or set MARQUEE_STATE_DIR to the folder that it named."
        )
    settings = StackSettings.load()
    key = ensure_key_file(key_path)
    async with Studio(shared.public_gateway_url, shared.public_media_url, target, key) as studio:
        await studio.log_in(settings.studio_email, settings.studio_password.get_secret_value())
        yield studio


async def bring_in_demo_film(console: Console) -> None:
    """Make the demo film playable unless it is; every step is told on the console, a failure too."""
    try:
        status = await _media_status()
        if status == "READY":
            console.print("The demo film [bold]First Light[/] is playable.")
            return
        if status is None:
            console.print("[yellow]The demo film's title is not in the catalogue; nothing to transcode.[/]")
            return
        await _ingest_demo_film(console)
    except (StudioError, OSError, aiohttp.ClientError, TimeoutError) as error:
        console.print(f"[red]The demo film could not be brought in:[/] {error}")


async def _ingest_demo_film(console: Console) -> None:
    from media_pipeline.transcoding.demo_film import draw_demo_film

    folder = SharedSettings.load().state_dir / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    film = folder / "first-light.mp4"
    if not film.exists():
        console.print("Drawing the demo film [bold]First Light[/] …")
        draft: Path = film.with_suffix(".draft.mp4")
        await draw_demo_film(draft)
        await asyncio.to_thread(draft.replace, film)
    async with open_studio() as studio:
        upload_id = await studio.upload(film, DEMO_TITLE_ID, lambda _sent, _size: None)
        console.print("First Light is uploaded; the worker transcodes it while you look around.")
        said: set[str] = set()

        def tell(job: JobView) -> None:
            if job.activity and job.activity not in said:
                said.add(job.activity)
                console.print(f"  First Light: {job.activity}", style="dim", highlight=False)

        job = await studio.follow_job(DEMO_TITLE_ID, upload_id, tell)
    if job.state == "PUBLISHED":
        await _wait_until_playable()
        console.print("[green]First Light is playable.[/] Find it at the top of the TV page.")
    else:
        console.print(f"[red]First Light was not published:[/] {job.failure_reason or job.state}")


async def _wait_until_playable() -> None:
    """The event that publishes reaches the catalogue within moments; a minute is far too long."""
    for _ in range(120):
        if await _media_status() == "READY":
            return
        await asyncio.sleep(0.5)
    raise StudioError("the film is published, but the catalogue did not hear of it within a minute")


async def _media_status() -> str | None:
    url = f"{SharedSettings.load().public_gateway_url}/graphql"
    request = {"query": _MEDIA_STATUS, "variables": {"id": DEMO_TITLE_ID}}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as client,
        client.post(url, json=request) as answer,
    ):
        body = await answer.json(content_type=None)
    title = (body.get("data") or {}).get("title")
    return None if title is None else str(title["mediaStatus"])
