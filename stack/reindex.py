"""`marquee reindex`: the running titles service rebuilds its search index, with progress; searches go on meanwhile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from common.settings import SharedSettings
from common.tokens import SigningKey, ensure_key_file, sign_service_token
from subgraphs.titles.settings import TitlesSettings

__all__ = ["ReindexFailed", "run_reindex"]

REBUILD_TIMEOUT_S = 3_600.0
"""A million titles take some ten minutes."""
POLL_TIMEOUT_S = 5.0
POLL_EVERY_S = 0.5


class ReindexFailed(Exception):
    """The index is as it was; the message says why and what to do."""


async def run_reindex(console: Console) -> int:
    """Returns how many titles were indexed. Raises ReindexFailed."""
    key_path = SharedSettings.load().keys_dir / "viewer.pem"
    if not key_path.exists():
        raise ReindexFailed(f"{key_path} is missing; run `make up` first, or set MARQUEE_STATE_DIR to its state folder")
    key = ensure_key_file(key_path)
    url = f"http://127.0.0.1:{TitlesSettings.load().port}/internal/reindex"
    timeout = aiohttp.ClientTimeout(total=REBUILD_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            showing = tasks.create_task(_show_progress(console, session, url, key))
            try:
                return await _rebuild(session, url, key)
            finally:
                showing.cancel()
    except* (aiohttp.ClientError, TimeoutError) as errors:
        reason = str(errors.exceptions[0]) or type(errors.exceptions[0]).__name__
        raise ReindexFailed(
            f"no titles service rebuilds the index at {url} ({reason}); is Marquee running?"
        ) from errors
    except* ReindexFailed as errors:
        raise errors.exceptions[0] from None
    raise AssertionError("either it was rebuilt, or it failed")


async def _rebuild(session: aiohttp.ClientSession, url: str, key: SigningKey) -> int:
    async with session.post(url, headers=_headers(key)) as response:
        if response.status != 200:
            raise ReindexFailed(f"the titles service refused: {(await response.json())['error']}")
        return int((await response.json())["indexed"])


async def _show_progress(console: Console, session: aiohttp.ClientSession, url: str, key: SigningKey) -> None:
    """Until it is cancelled; what can't be asked just now is asked again."""
    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task("titles", total=None)
        while True:
            await asyncio.sleep(POLL_EVERY_S)
            try:
                poll_timeout = aiohttp.ClientTimeout(total=POLL_TIMEOUT_S)
                async with session.get(url, headers=_headers(key), timeout=poll_timeout) as response:
                    running = (await response.json())["running"] if response.status == 200 else None
            except (aiohttp.ClientError, TimeoutError):
                continue
            if running is not None:
                bars.update(bar, completed=running["copied"], total=running["total"])


def _headers(key: SigningKey) -> dict[str, str]:
    # Signed for each request: a rebuild may take longer than a token lives.
    return {"authorization": f"Bearer {sign_service_token(key, 'reindex', datetime.now(UTC))}"}
