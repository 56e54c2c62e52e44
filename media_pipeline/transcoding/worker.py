"""A transcoding worker: takes jobs from the queue until it is cancelled."""

from __future__ import annotations

import asyncio

import grpc
import structlog
from coredis.exceptions import RedisError as QueueError
from redis.asyncio import Redis

from common.clock import SystemClock
from common.events import EventPublisher
from common.valkey import open_valkey
from media_pipeline.kernel.object_store import open_object_store
from media_pipeline.kernel.service_channel import ServiceIdentity, open_channel
from media_pipeline.transcoding.adapters.asset_events import AssetEvents
from media_pipeline.transcoding.adapters.asset_keys import LicensingAssetKeys
from media_pipeline.transcoding.adapters.job_queue import work_on_queue
from media_pipeline.transcoding.adapters.media_programs import FfmpegEncoder, FfprobeProbe, ShakaPackager
from media_pipeline.transcoding.adapters.object_files import ObjectFiles
from media_pipeline.transcoding.adapters.valkey_jobs import ValkeyJobStore
from media_pipeline.transcoding.plan_encode import EncoderChoices
from media_pipeline.transcoding.settings import WorkerSettings
from media_pipeline.transcoding.transcode import Transcoder, TranscoderRules

__all__ = ["run"]

log = structlog.get_logger(__name__)

RECONNECT_S = 1.0


async def run(settings: WorkerSettings) -> None:
    """Work until cancelled. The job that runs then goes back to the queue; without its queue the worker tries again."""
    channel = open_channel(settings.licensing_target)
    try:
        async with open_valkey(settings.shared.valkey_url) as redis:
            await _work(settings, _build_transcoder(settings, redis, channel))
    finally:
        await channel.close(None)


async def _work(settings: WorkerSettings, transcoder: Transcoder) -> None:
    log.info("worker.started", work_dir=str(settings.resolved_work_dir))
    while True:
        try:
            await work_on_queue(settings.shared.valkey_url, transcoder.run, concurrency=1, lease_s=settings.lease_s)
        except* (QueueError, OSError) as errors:
            log.warning("worker.queue_lost", error=str(errors.exceptions[0]), retry_s=RECONNECT_S)
        await asyncio.sleep(RECONNECT_S)


def _build_transcoder(settings: WorkerSettings, redis: Redis, channel: grpc.aio.Channel) -> Transcoder:
    return Transcoder(
        jobs=ValkeyJobStore(redis),
        probe=FfprobeProbe(),
        encoder=FfmpegEncoder(stall_s=settings.stall_timeout_s, niceness=settings.niceness),
        packager=ShakaPackager(niceness=settings.niceness),
        keys=LicensingAssetKeys(channel, ServiceIdentity(settings.service_key_path, "transcoding-worker")),
        objects=ObjectFiles(open_object_store(settings.object_store_url, settings.shared.objects_dir)),
        events=AssetEvents(EventPublisher(redis)),
        clock=SystemClock(),
        rules=TranscoderRules(
            work_dir=settings.resolved_work_dir,
            choices=EncoderChoices(settings.preset, settings.encoder_threads),
            max_attempts=settings.max_attempts,
            retry_delay_s=settings.retry_delay_s,
        ),
    )
