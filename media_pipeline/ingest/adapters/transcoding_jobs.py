"""Starts transcoding jobs by gRPC."""

from __future__ import annotations

import grpc

from grpc_protos.error_kinds import service_error_of
from grpc_protos.generated.marquee.transcoding.v1 import transcoding_pb2, transcoding_pb2_grpc
from media_pipeline.ingest.domain import Upload
from media_pipeline.kernel.service_channel import ServiceIdentity

__all__ = ["GrpcJobCreator"]

TIMEOUT_S = 5.0


class GrpcJobCreator:
    """The port on a channel to the transcoding service."""

    def __init__(self, channel: grpc.aio.Channel, identity: ServiceIdentity) -> None:
        self._stub = transcoding_pb2_grpc.TranscodingServiceStub(channel)
        self._identity = identity

    async def create_job(self, upload: Upload) -> str:
        """The id of the upload's job; raises ServiceError."""
        request = transcoding_pb2.CreateJobRequest(
            upload_id=upload.id,
            source_object=upload.source_object,
            title_id=upload.title_id,
            filename=upload.filename,
        )
        try:
            answer = await self._stub.CreateJob(request, timeout=TIMEOUT_S, metadata=self._identity.metadata())
        except grpc.aio.AioRpcError as error:
            raise service_error_of(error) from error
        return answer.job.id
