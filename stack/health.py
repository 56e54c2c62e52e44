"""Asks a process on this machine whether it can work, as a container's health check does: by its own settings."""

from __future__ import annotations

import importlib
import socket

import aiohttp
import grpc.aio as grpc_aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from redis.exceptions import RedisError

from common.settings import ProcessSettings
from common.valkey import open_valkey
from stack.processes import ProcessRow, Readiness
from stack.settings_reference import PROCESS_SETTINGS

__all__ = ["NotHealthy", "check_health"]

EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # where to ask one that listens on all of them


class NotHealthy(Exception):
    """It does not answer, or says that it cannot work; the message says which."""


async def check_health(row: ProcessRow, timeout_s: float) -> str:
    """What the process says of itself; raises NotHealthy, SettingsInvalid."""
    module, _, name = PROCESS_SETTINGS[row.name].partition(":")
    settings_type: type[ProcessSettings] = getattr(importlib.import_module(module), name)
    settings = settings_type.load()
    if row.readiness is Readiness.NONE:
        return await _worker_says(settings, timeout_s)
    port: int = settings.port  # type: ignore[attr-defined]  # whatever listens has one
    host = EVERY_ADDRESS.get(settings.host, settings.host)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if row.readiness is Readiness.HTTP:
        return await _http_says(f"http://{address}/health", timeout_s)
    return await _grpc_says(address, timeout_s)


async def _http_says(url: str, timeout_s: float) -> str:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s)) as client,
            client.get(url) as answer,
        ):
            text = (await answer.text())[:2_000]
            if answer.status != 200:
                raise NotHealthy(f"{url} answers {answer.status}: {text}")
            return text
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NotHealthy(f"{url} does not answer: {error or 'it takes too long'}") from error


async def _grpc_says(address: str, timeout_s: float) -> str:
    async with grpc_aio.insecure_channel(address) as channel:
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=timeout_s)
        except grpc_aio.AioRpcError as error:
            raise NotHealthy(f"{address} does not answer: {error.details()}") from error
    says: str = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise NotHealthy(f"{address} says {says}")
    return says


async def _worker_says(settings: ProcessSettings, timeout_s: float) -> str:
    """It listens nowhere; while it takes jobs, its queue hears of it."""
    from media_pipeline.transcoding.adapters.job_queue import is_working

    host = socket.gethostname()
    async with open_valkey(settings.shared.valkey_url, timeout_s=timeout_s) as redis:
        try:
            alive = await is_working(redis, host)
        except (OSError, RedisError) as error:
            raise NotHealthy(f"the queue cannot be asked: {error}") from error
    if not alive:
        raise NotHealthy(f"the queue has not heard of a worker on {host} for longer than its lease")
    return "WORKING"
