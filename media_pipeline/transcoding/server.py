"""TranscodingService over gRPC: messages in and out, nothing decided here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from common.clock import Clock, SystemClock
from common.events import EventPublisher
from common.valkey import open_valkey
from grpc_protos.generated.marquee.common.v1 import media_pb2
from grpc_protos.generated.marquee.transcoding.v1 import transcoding_pb2, transcoding_pb2_grpc
from media_pipeline.kernel.identity import current_caller, require_scope_or_service
from media_pipeline.kernel.server import grpc_server, run_until_cancelled
from media_pipeline.media.protection import Encryption
from media_pipeline.transcoding.adapters.asset_events import AssetEvents
from media_pipeline.transcoding.adapters.job_queue import StreaqJobQueue
from media_pipeline.transcoding.adapters.valkey_jobs import ValkeyJobStore
from media_pipeline.transcoding.domain import Job, JobPriority, JobState
from media_pipeline.transcoding.services import JobRequest, Jobs
from media_pipeline.transcoding.settings import TranscodingSettings

__all__ = ["TranscodingServicer", "running_server", "serve"]

SERVICE_NAME = "marquee.transcoding.v1.TranscodingService"
STUDIO_SCOPE = "studio"

_PRIORITY_OF_PROTO = {
    transcoding_pb2.JOB_PRIORITY_UNSPECIFIED: JobPriority.NORMAL,
    transcoding_pb2.JOB_PRIORITY_LOW: JobPriority.LOW,
    transcoding_pb2.JOB_PRIORITY_NORMAL: JobPriority.NORMAL,
    transcoding_pb2.JOB_PRIORITY_HIGH: JobPriority.HIGH,
}
_PROTO_OF_PRIORITY = {
    JobPriority.LOW: transcoding_pb2.JOB_PRIORITY_LOW,
    JobPriority.NORMAL: transcoding_pb2.JOB_PRIORITY_NORMAL,
    JobPriority.HIGH: transcoding_pb2.JOB_PRIORITY_HIGH,
}
_PROTO_OF_STATE = {state: transcoding_pb2.JobState.Value(f"JOB_STATE_{state.value}") for state in JobState}
_PROTO_OF_ENCRYPTION = {
    Encryption.CLEAR: media_pb2.ENCRYPTION_CLEAR,
    Encryption.CLEARKEY: media_pb2.ENCRYPTION_CLEARKEY,
}

_Context = grpc.aio.ServicerContext[Any, Any]


class TranscodingServicer(transcoding_pb2_grpc.TranscodingServiceServicer):
    """The proto's methods on the use cases."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def CreateJob(  # noqa: N802
        self, request: transcoding_pb2.CreateJobRequest, _context: _Context
    ) -> transcoding_pb2.CreateJobResponse:
        """See the proto."""
        require_scope_or_service(current_caller(), STUDIO_SCOPE)
        job = await self._jobs.create(
            JobRequest(
                upload_id=request.upload_id,
                source_object=request.source_object,
                title_id=request.title_id,
                filename=request.filename,
                priority=_PRIORITY_OF_PROTO.get(request.priority, JobPriority.NORMAL),
            )
        )
        return transcoding_pb2.CreateJobResponse(job=_to_proto(job))

    async def GetJob(  # noqa: N802
        self, request: transcoding_pb2.GetJobRequest, _context: _Context
    ) -> transcoding_pb2.GetJobResponse:
        """See the proto."""
        require_scope_or_service(current_caller(), STUDIO_SCOPE)
        return transcoding_pb2.GetJobResponse(job=_to_proto(await self._jobs.get(request.job_id)))

    async def ListJobs(  # noqa: N802
        self, request: transcoding_pb2.ListJobsRequest, _context: _Context
    ) -> transcoding_pb2.ListJobsResponse:
        """See the proto."""
        require_scope_or_service(current_caller(), STUDIO_SCOPE)
        page = await self._jobs.page(request.page_size, request.page_token, request.title_id)
        return transcoding_pb2.ListJobsResponse(
            jobs=[_to_proto(job) for job in page.jobs], next_page_token=page.next_token
        )

    async def WatchJob(  # noqa: N802
        self, request: transcoding_pb2.WatchJobRequest, _context: _Context
    ) -> AsyncIterator[transcoding_pb2.WatchJobResponse]:
        """See the proto."""
        require_scope_or_service(current_caller(), STUDIO_SCOPE)
        async for job in self._jobs.watch(request.job_id):
            yield transcoding_pb2.WatchJobResponse(job=_to_proto(job))

    async def CancelJob(  # noqa: N802
        self, request: transcoding_pb2.CancelJobRequest, _context: _Context
    ) -> transcoding_pb2.CancelJobResponse:
        """See the proto."""
        require_scope_or_service(current_caller(), STUDIO_SCOPE)
        return transcoding_pb2.CancelJobResponse(job=_to_proto(await self._jobs.cancel(request.job_id)))


@asynccontextmanager
async def running_server(settings: TranscodingSettings, clock: Clock | None = None) -> AsyncIterator[int]:
    """The service as a context; yields its port."""
    async with open_valkey(settings.shared.valkey_url) as redis:
        queue = StreaqJobQueue(settings.shared.valkey_url)
        jobs = Jobs(ValkeyJobStore(redis), queue, AssetEvents(EventPublisher(redis)), clock or SystemClock())
        servicer = TranscodingServicer(jobs)

        def register(server: grpc.aio.Server) -> None:
            transcoding_pb2_grpc.add_TranscodingServiceServicer_to_server(servicer, server)

        async with grpc_server(settings, SERVICE_NAME, register) as port:
            yield port


async def serve(settings: TranscodingSettings) -> None:
    """Run the service until cancelled."""
    await run_until_cancelled(running_server(settings))


def _to_proto(job: Job) -> transcoding_pb2.Job:
    return transcoding_pb2.Job(
        id=job.id,
        title_id=job.title_id,
        asset_id=job.asset_id,
        upload_id=job.upload_id,
        source_object=job.source_object,
        filename=job.filename,
        state=_PROTO_OF_STATE[job.state],
        priority=_PROTO_OF_PRIORITY[job.priority],
        progress_ratio=job.progress_ratio,
        activity=job.activity,
        attempt=job.attempt,
        failure_reason=job.failure_reason,
        failure_code=job.failure_code,
        created_at=_timestamp(job.created_at),
        updated_at=_timestamp(job.updated_at),
        variants=[
            transcoding_pb2.PublishedVariant(
                encryption=_PROTO_OF_ENCRYPTION[variant.encryption],
                hls_path=variant.hls_path,
                dash_path=variant.dash_path,
            )
            for variant in job.variants
        ],
    )


def _timestamp(instant: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(instant)
    return message
