"""What `marquee up` tells of processes that work, but are busy with something still."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

from aiohttp import web
from rich.console import Console

from stack.preparing import tell_preparing


def health(**checks: str) -> str:
    return json.dumps({"status": "degraded", "ready": True, "checks": {"store": "ok", **checks}})


async def test_progress_is_told_until_it_is_done() -> None:
    """Each step once; a process that is restarted meanwhile is asked again, and others are left alone."""
    answers = iter(
        [
            health(search="preparing: rebuilding, 0 of 9"),
            health(search="preparing: rebuilding, 0 of 9"),
            "no JSON",
            health(search="preparing: rebuilding, 5 of 9"),
            health(search="ok", events="ConnectionError"),
        ]
    )
    others: Iterator[str] = iter([json.dumps({"status": "ok", "checks": {"store": "ok"}})])

    async def busy(_request: web.Request) -> web.Response:
        return web.Response(text=next(answers))

    async def idle(_request: web.Request) -> web.Response:
        return web.Response(text=next(others))

    app = web.Application()
    app.add_routes([web.get("/busy", busy), web.get("/idle", idle)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    console = Console(file=io.StringIO(), width=100)
    try:
        await tell_preparing(
            console, {"titles": f"{base}/busy", "playback": f"{base}/idle", "gone": "http://127.0.0.1:9/"}, pause
        )
    finally:
        await runner.cleanup()
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "titles: rebuilding, 0 of 9",
        "titles: rebuilding, 5 of 9",
        "titles: done",
    ]
    assert len(paused) == 4
