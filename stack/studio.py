"""The studio's way in, by the same doors as anybody's: log in, create a title, upload by tus, watch the job."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import aiohttp
import grpc.aio

from common.tokens import SigningKey, sign_service_token
from grpc_protos.generated.marquee.transcoding.v1 import transcoding_pb2, transcoding_pb2_grpc

__all__ = ["JobView", "Studio", "StudioError"]

CHUNK_BYTES = 5 * 1024 * 1024
MAX_RESUMES = 8
"""Times that an upload is taken up again after the connection broke."""
REQUEST_TIMEOUT_S = 60.0
JOB_APPEARS_WITHIN_S = 30.0
JOB_DEADLINE_S = 4 * 3600.0

_LOG_IN = """mutation StudioLogIn($input: LogInInput!) {
  logIn(input: $input) {
    __typename
    ... on LogInSuccess { session { accessToken } }
    ... on InvalidCredentials { message }
    ... on RateLimited { message }
  }
}"""

_CREATE_TITLE = """mutation StudioCreateTitle($input: CreateTitleInput!) {
  createTitle(input: $input) {
    __typename
    ... on CreateTitleSuccess { title { id } }
    ... on NotPermitted { message }
    ... on InvalidInput { message fields { path message } }
  }
}"""


class StudioError(Exception):
    """A step did not work; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A transcoding job as a person follows it. `progress_ratio` is 0..1."""

    id: str
    state: str
    progress_ratio: float
    activity: str
    failure_reason: str

    @property
    def is_final(self) -> bool:
        """Nothing will change any more."""
        return self.state in {"PUBLISHED", "FAILED", "CANCELLED"}


class Studio:
    """A signed-in studio account. Use as an async context manager."""

    def __init__(self, gateway_url: str, media_url: str, transcoding_target: str, viewer_key: SigningKey) -> None:
        self._gateway_url = gateway_url.rstrip("/")
        self._media_url = media_url.rstrip("/")
        self._transcoding_target = transcoding_target
        self._viewer_key = viewer_key
        self._token = ""
        self._credentials: tuple[str, str] | None = None
        self._client: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.close()

    async def log_in(self, email: str, password: str) -> None:
        """Get an access token; raises StudioError."""
        answer = await self._graphql(_LOG_IN, {"input": {"email": email, "password": password}})
        result = answer["logIn"]
        if result["__typename"] != "LogInSuccess":
            raise StudioError(f"log-in as {email} failed: {result['message']}")
        self._token = result["session"]["accessToken"]
        self._credentials = (email, password)

    async def create_title(self, **title: Any) -> str:
        """Create a title and return its id; `title` as CreateTitleInput."""
        answer = await self._graphql(_CREATE_TITLE, {"input": title})
        result = answer["createTitle"]
        if result["__typename"] != "CreateTitleSuccess":
            details = "; ".join(f"{field['path']}: {field['message']}" for field in result.get("fields", ()))
            raise StudioError(f"the title was not created: {result['message']} {details}".rstrip())
        return str(result["title"]["id"])

    async def upload(self, file: Path, title_id: str, progress: Callable[[int, int], None]) -> str:
        """Upload by tus, resuming when the connection breaks; returns the upload's id.

        `progress` gets (bytes sent, bytes in all).
        """
        size = (await asyncio.to_thread(file.stat)).st_size
        location = await self._create_upload(file, title_id, size)
        offset, resumes = 0, 0
        progress(0, size)
        with file.open("rb") as source:
            while offset < size:
                source.seek(offset)
                chunk = await asyncio.to_thread(source.read, CHUNK_BYTES)
                try:
                    offset = await self._send_chunk(location, offset, chunk)
                except (aiohttp.ClientConnectionError, TimeoutError) as error:
                    resumes += 1
                    if resumes > MAX_RESUMES:
                        raise StudioError(f"the upload broke {resumes} times, last with: {error}") from error
                    await asyncio.sleep(min(2.0**resumes * 0.1, 5.0))
                    offset = await self._ask_offset(location)
                progress(offset, size)
        return location.rstrip("/").rsplit("/", 1)[-1]

    async def follow_job(self, title_id: str, upload_id: str, seen: Callable[[JobView], None]) -> JobView:
        """Follow the upload's job to its end; `seen` gets every change. Raises StudioError when there is no job."""
        async with grpc.aio.insecure_channel(self._transcoding_target) as channel:
            stub = transcoding_pb2_grpc.TranscodingServiceStub(channel)
            job_id = await self._find_job(stub, title_id, upload_id)
            last: JobView | None = None
            request = transcoding_pb2.WatchJobRequest(job_id=job_id)
            try:
                async for answer in stub.WatchJob(request, metadata=self._metadata(), timeout=JOB_DEADLINE_S):
                    last = _view(answer.job)
                    seen(last)
            except grpc.aio.AioRpcError as error:
                raise StudioError(f"watching job {job_id} broke off: {error.details()}") from error
        if last is None:
            raise StudioError(f"job {job_id} said nothing")
        return last

    async def _find_job(self, stub: Any, title_id: str, upload_id: str) -> str:
        request = transcoding_pb2.ListJobsRequest(page_size=100, title_id=title_id)
        deadline = asyncio.get_running_loop().time() + JOB_APPEARS_WITHIN_S
        while asyncio.get_running_loop().time() < deadline:
            try:
                answer = await stub.ListJobs(request, metadata=self._metadata(), timeout=5.0)
            except grpc.aio.AioRpcError as error:
                raise StudioError(
                    f"the transcoding service at {self._transcoding_target} refused: {error.details()}"
                ) from error
            for job in answer.jobs:
                if job.upload_id == upload_id:
                    return str(job.id)
            await asyncio.sleep(0.1)
        raise StudioError(f"upload {upload_id} is complete, but no job appeared in {JOB_APPEARS_WITHIN_S:.0f} s")

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        token = sign_service_token(self._viewer_key, "studio-cli", datetime.now(UTC))
        return (("authorization", f"Bearer {token}"),)

    async def _graphql(self, text: str, variables: dict[str, Any]) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
        url = f"{self._gateway_url}/graphql"
        try:
            async with self._session.post(url, json={"query": text, "variables": variables}, headers=headers) as answer:
                body = await answer.json(content_type=None)
        except aiohttp.ClientConnectionError as error:
            raise StudioError(f"nothing answers at {url}; is Marquee running (make up)?") from error
        if body.get("errors"):
            raise StudioError(f"the gateway answered: {body['errors'][0].get('message')}")
        data: dict[str, Any] = body["data"]
        return data

    async def _create_upload(self, file: Path, title_id: str, size: int) -> str:
        metadata = {"filename": file.name, "titleId": title_id}
        encoded = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items())
        headers = {**self._tus_headers, "Upload-Length": str(size), "Upload-Metadata": encoded}
        url = f"{self._media_url}/uploads"
        try:
            async with self._session.post(url, headers=headers) as answer:
                if answer.status != 201:
                    raise StudioError(f"the upload was refused ({answer.status}): {(await answer.text())[:300]}")
                return str(answer.url.join(type(answer.url)(answer.headers["Location"])))
        except aiohttp.ClientConnectionError as error:
            raise StudioError(f"nothing answers at {url}; is Marquee running (make up)?") from error

    async def _send_chunk(self, location: str, offset: int, chunk: bytes) -> int:
        headers = {
            **self._tus_headers,
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        async with self._session.patch(location, data=chunk, headers=headers) as answer:
            if answer.status == 401 and self._credentials is not None:
                # A long upload outlives its access token. The server's offset tells whether the chunk counted.
                await self.log_in(*self._credentials)
                return await self._ask_offset(location)
            if answer.status != 204:
                raise StudioError(f"a chunk at {offset} was refused ({answer.status}): {(await answer.text())[:300]}")
            return int(answer.headers["Upload-Offset"])

    async def _ask_offset(self, location: str) -> int:
        async with self._session.head(location, headers=self._tus_headers) as answer:
            if answer.status not in {200, 204}:
                raise StudioError(f"the upload can't be resumed: {location} answered {answer.status}")
            return int(answer.headers["Upload-Offset"])

    @property
    def _tus_headers(self) -> dict[str, str]:
        return {"Tus-Resumable": "1.0.0", "authorization": f"Bearer {self._token}"}

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._client is None:
            raise RuntimeError("Studio is used outside its `async with` block")
        return self._client


def _view(job: transcoding_pb2.Job) -> JobView:
    state = transcoding_pb2.JobState.Name(job.state).removeprefix("JOB_STATE_")
    return JobView(job.id, state, job.progress_ratio, job.activity, job.failure_reason)
