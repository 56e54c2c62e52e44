"""What each child process runs: its settings from the environment, its app or server, until SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import uvicorn
import uvloop
from starlette.types import ASGIApp

from common.http_protocol import JoiningProtocol
from common.settings import SettingsInvalid, SharedSettings, check_unclaimed
from common.telemetry import configure_logs
from common.valkey import open_valkey
from stack.lifeline import STOP_GRACE_S
from stack.processes import ProcessRow
from stack.settings import StackSettings
from stack.settings_reference import PROCESS_SETTINGS

if TYPE_CHECKING:
    from subgraphs.profiles.settings import ProfilesSettings

__all__ = [
    "COLLECT_AFTER",
    "run_alone",
    "run_delivery",
    "run_gateway",
    "run_licensing",
    "run_playback",
    "run_profiles",
    "run_recommendations",
    "run_steering",
    "run_titles",
    "run_transcoding",
    "run_worker",
]

KEEP_ALIVE_S = 75
"""Longer than the gateway keeps idle connections: the server never closes one that is about to be used."""


COLLECT_AFTER = (5_000, 80, 20)
"""The garbage collector's thresholds in every process.

Requests allocate thousands of objects that die without cycles: look at them less often (measured on heartbeats: a tenth
of their time). The gateway, which sets its own, found the same.

Each look at the youngest generation takes as long as what has gathered there: of 20,000 objects, which titles had after
some hundred suggestions, 3 to 7 ms, of 5,000 one or two, and the same in all. The older generations are looked at after
as many objects as with 20,000 and 20.

Titles and recommendations freeze a catalogue that is in memory to stay: it is half a million objects, none in a circle;
a full collection looked at each, and nobody got an answer for a fifth of a second.
"""


def run_alone(row: ProcessRow) -> None:
    """One process of the table by itself, as on a machine of its own; its log goes to standard error.

    Raises SettingsInvalid for any MARQUEE_ variable that belongs to nobody: this may be all that its machine runs.
    """
    for path in PROCESS_SETTINGS.values():
        importlib.import_module(path.partition(":")[0])
    if problems := check_unclaimed(os.environ):
        raise SettingsInvalid("\n".join(problems))
    # The demo's accounts have a password that everybody knows; only all-in-one brings them without being told.
    os.environ.setdefault("MARQUEE_STACK_DEMO", "false")
    configure_logs(row.name, SharedSettings.load().log_level)
    gc.set_threshold(*COLLECT_AFTER)
    module, _, function = row.entry.partition(":")
    getattr(importlib.import_module(module), function)()


def run_profiles() -> None:
    """The profiles subgraph."""
    from subgraphs.profiles.app import create_app
    from subgraphs.profiles.settings import ProfilesSettings

    settings = ProfilesSettings.load()
    if StackSettings.load().demo:
        asyncio.run(_seed_accounts(settings))
    _serve_http(create_app(settings), settings.host, settings.port)


def run_titles() -> None:
    """The titles subgraph."""
    from subgraphs.titles.app import create_app
    from subgraphs.titles.settings import TitlesSettings

    settings = TitlesSettings.load()
    _serve_http(create_app(settings, settled=gc.freeze), settings.host, settings.port)


def run_playback() -> None:
    """The playback subgraph."""
    from subgraphs.playback.app import create_app
    from subgraphs.playback.settings import PlaybackSettings

    settings = PlaybackSettings.load()
    _serve_http(create_app(settings), settings.host, settings.port)


def run_recommendations() -> None:
    """The recommendations subgraph."""
    from subgraphs.recommendations.app import create_app
    from subgraphs.recommendations.settings import RecommendationsSettings

    settings = RecommendationsSettings.load()
    _serve_http(create_app(settings, settled=gc.freeze), settings.host, settings.port)


def run_delivery() -> None:
    """Media, artwork, licences, steering manifests and uploads over HTTP."""
    from media_pipeline.delivery.app import create_app
    from media_pipeline.delivery.settings import DeliverySettings

    settings = DeliverySettings.load()
    _serve_http(create_app(settings), settings.host, settings.port)


def run_transcoding() -> None:
    """The transcoding service."""
    from media_pipeline.transcoding.server import serve
    from media_pipeline.transcoding.settings import TranscodingSettings

    settings = TranscodingSettings.load()
    _run_until_terminated(lambda: serve(settings))


def run_licensing() -> None:
    """The licensing service."""
    from media_pipeline.licensing.server import serve
    from media_pipeline.licensing.settings import LicensingSettings

    settings = LicensingSettings.load()
    _run_until_terminated(lambda: serve(settings))


def run_steering() -> None:
    """The steering service."""
    from media_pipeline.steering.server import serve
    from media_pipeline.steering.settings import SteeringSettings

    settings = SteeringSettings.load()
    _run_until_terminated(lambda: serve(settings))


def run_worker() -> None:
    """One transcoding worker."""
    from media_pipeline.transcoding.settings import WorkerSettings
    from media_pipeline.transcoding.worker import run

    settings = WorkerSettings.load()
    _run_until_terminated(lambda: run(settings))


def run_gateway() -> None:
    """The gateway, with the pages beside it; it finishes what it has begun, as it does alone."""
    from gateway.server.serving import LISTEN_BACKLOG, serve
    from gateway.settings import GatewaySettings
    from stack.front import create_front

    settings = GatewaySettings.load()
    listening = socket.create_server((settings.host, settings.port), backlog=LISTEN_BACKLOG)
    finish_s = STOP_GRACE_S - 1 - settings.drain_s
    serve(create_front(settings), listening, drain_s=settings.drain_s, finish_s=finish_s)


async def _seed_accounts(settings: ProfilesSettings) -> None:
    """The demo's accounts, before anybody can log in."""
    from subgraphs.profiles.app import open_services
    from subgraphs.profiles.demo import seed_demo

    async with (
        open_valkey(settings.shared.valkey_url) as redis,
        open_services(settings, redis) as (services, _),
    ):
        await seed_demo(services)


def _serve_http(app: ASGIApp, host: str, port: int) -> None:
    uvicorn.run(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=JoiningProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        # No proxy stands before us here: an X-Forwarded-For is somebody's claim.
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(STOP_GRACE_S) - 1,
    )


def _run_until_terminated(service: Callable[[], Awaitable[None]]) -> None:
    """Run the service and cancel it at SIGTERM; it closes what it opened."""

    async def main() -> None:
        task = asyncio.ensure_future(service())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        await asyncio.gather(task, return_exceptions=False)

    try:
        uvloop.run(main())
    except asyncio.CancelledError:
        return
