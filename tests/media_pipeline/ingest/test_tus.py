"""The tus 1.0 rules, over HTTP, against the real endpoint on a folder."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from media_pipeline.ingest.adapters.object_uploads import ObjectUploadStore
from media_pipeline.ingest.domain import IngestRules, Upload
from media_pipeline.ingest.services import Uploads
from media_pipeline.ingest.tus import TusEndpoint
from media_pipeline.kernel.object_store import open_object_store
from media_pipeline.transcoding.adapters.object_files import ObjectFiles

BODY = {"Content-Type": "application/offset+octet-stream"}
FILM = bytes(range(256)) * 40


@dataclass
class Jobs:
    """Where complete uploads go."""

    is_away: bool = False
    created: list[str] = field(default_factory=list)

    async def create_job(self, upload: Upload) -> str:
        if self.is_away:
            raise ServiceError(ErrorKind.UNAVAILABLE, "away")
        self.created.append(upload.id)
        return f"job_of_{upload.id}"


class Tokens:
    """The bearer token is the owner."""

    async def owner(self, authorization: str | None) -> str:
        if authorization is None:
            raise ServiceError(ErrorKind.UNAUTHENTICATED, "who?")
        return authorization.removeprefix("Bearer ")


@dataclass
class Ingest:
    """The endpoint with everything around it at hand."""

    http: httpx.AsyncClient
    uploads: Uploads
    jobs: Jobs
    clock: FakeClock
    folder: Path

    async def create(self, length: int = len(FILM), **headers: str) -> httpx.Response:
        return await self.http.post(
            "/uploads", headers={"Upload-Length": str(length), "Upload-Metadata": METADATA, **headers}
        )

    async def patch(self, location: str, offset: int, content: bytes, **headers: str) -> httpx.Response:
        return await self.http.patch(
            location, content=content, headers={**BODY, "Upload-Offset": str(offset), **headers}
        )

    async def offset(self, location: str) -> int:
        return int((await self.http.head(location)).headers["Upload-Offset"])

    async def stored(self, location: str) -> bytes:
        """The source as a worker fetches it."""
        target = self.folder / "joined"
        store = open_object_store("", self.folder / "objects")
        await ObjectFiles(store).download(f"uploads/{location.rpartition('/')[2]}", target)
        return await asyncio.to_thread(target.read_bytes)


def pair(key: str, value: str) -> str:
    return f"{key} {base64.b64encode(value.encode()).decode()}"


METADATA = f"{pair('titleId', 'mov_1')},{pair('filename', '../../Ünder.mp4')}"


@pytest.fixture
async def ingest(tmp_path: Path) -> AsyncIterator[Ingest]:
    jobs, clock = Jobs(), FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    store = ObjectUploadStore(open_object_store("", tmp_path / "objects"))
    uploads = Uploads(store, jobs, clock, IngestRules(max_bytes=1_000_000, part_bytes=1000, max_open_per_owner=3))
    endpoint = TusEndpoint(lambda: uploads, Tokens, "http://test/uploads")  # type: ignore[arg-type]
    transport = httpx.ASGITransport(Starlette(routes=endpoint.routes()))
    headers = {"Tus-Resumable": "1.0.0", "Authorization": "Bearer me"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as http:
        yield Ingest(http, uploads, jobs, clock, tmp_path)


async def test_options_tells_what_is_offered_without_a_version_or_a_token(ingest: Ingest):
    for path in ("/uploads", "/uploads/up_x"):
        answer = await ingest.http.options(path, headers={"Tus-Resumable": "", "Authorization": ""})
        assert answer.status_code == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Extension"] == "creation,creation-with-upload,expiration,checksum,termination"
        assert answer.headers["Tus-Max-Size"] == "1000000"
        assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"


async def test_an_upload_grows_by_requests_and_becomes_a_job(ingest: Ingest):
    created = await ingest.create()
    assert created.status_code == 201
    location = created.headers["Location"]
    assert await ingest.offset(location) == 0
    for start in range(0, len(FILM), 3000):
        answer = await ingest.patch(location, start, FILM[start : start + 3000])
        assert answer.status_code == 204
        assert int(answer.headers["Upload-Offset"]) == min(start + 3000, len(FILM))
    assert answer.headers["Upload-Job-Id"].startswith("job_of_up_")
    assert await ingest.stored(location) == FILM
    head = await ingest.http.head(location)
    assert (head.headers["Upload-Length"], head.headers["Cache-Control"]) == (str(len(FILM)), "no-store")
    assert head.headers["Upload-Job-Id"] == answer.headers["Upload-Job-Id"]
    assert head.headers["Upload-Metadata"] == METADATA


async def test_creation_may_bring_the_first_bytes(ingest: Ingest):
    created = await ingest.http.post(
        "/uploads", content=FILM[:2500], headers={**BODY, "Upload-Length": str(len(FILM)), "Upload-Metadata": METADATA}
    )
    assert (created.status_code, created.headers["Upload-Offset"]) == (201, "2500")
    assert (await ingest.patch(created.headers["Location"], 2500, FILM[2500:])).status_code == 204
    assert await ingest.stored(created.headers["Location"]) == FILM


async def test_a_broken_connection_keeps_what_arrived(ingest: Ingest):
    """Also less than a part; the client asks for the offset and goes on."""
    location = (await ingest.create()).headers["Location"]

    async def breaks() -> AsyncIterator[bytes]:
        yield FILM[:2345]
        raise ConnectionResetError

    upload = await ingest.uploads.get("me", location.rpartition("/")[2])
    with pytest.raises(ConnectionResetError):
        await ingest.uploads.append(upload, 0, breaks())
    assert await ingest.offset(location) == 2345
    assert (await ingest.patch(location, 2345, FILM[2345:])).status_code == 204
    assert await ingest.stored(location) == FILM


async def test_a_new_connection_takes_over_from_a_hanging_one(ingest: Ingest):
    """No lock to wait for: the second writer ends the first and finds what that had brought."""
    location = (await ingest.create()).headers["Location"]
    upload = await ingest.uploads.get("me", location.rpartition("/")[2])
    brought = asyncio.Event()

    async def hangs() -> AsyncIterator[bytes]:
        yield FILM[:1500]
        brought.set()
        await asyncio.Event().wait()

    first = asyncio.create_task(ingest.uploads.append(upload, 0, hangs()))
    await brought.wait()
    conflict = await ingest.patch(location, 0, FILM)
    assert (conflict.status_code, conflict.headers["Upload-Offset"]) == (409, "1500")
    assert (await ingest.patch(location, 1500, FILM[1500:])).status_code == 204
    await asyncio.gather(first, return_exceptions=True)
    assert await ingest.stored(location) == FILM


@pytest.mark.parametrize("offset", [1, 999_999])
async def test_a_wrong_offset_is_a_conflict_that_names_the_right_one(ingest: Ingest, offset: int):
    location = (await ingest.create()).headers["Location"]
    answer = await ingest.patch(location, offset, b"x")
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "0")


async def test_checksums_are_checked_and_wrong_bytes_are_forgotten(ingest: Ingest):
    location = (await ingest.create()).headers["Location"]

    def checksum(algorithm: str, content: bytes) -> str:
        return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"

    wrong = await ingest.patch(location, 0, FILM[:3000], **{"Upload-Checksum": checksum("sha1", b"other")})
    assert wrong.status_code == 460
    assert await ingest.offset(location) == 0
    right = await ingest.patch(location, 0, FILM[:3000], **{"Upload-Checksum": checksum("sha1", FILM[:3000])})
    assert (right.status_code, right.headers["Upload-Offset"]) == (204, "3000")
    await ingest.patch(location, 3000, FILM[3000:], **{"Upload-Checksum": checksum("sha256", FILM[3000:])})
    assert await ingest.stored(location) == FILM
    unknown = await ingest.patch(location, 0, b"", **{"Upload-Checksum": "crc32 AAAA"})
    assert unknown.status_code == 400


async def test_more_bytes_than_announced_are_refused(ingest: Ingest):
    location = (await ingest.create(10)).headers["Location"]
    assert (await ingest.patch(location, 0, b"x" * 11)).status_code == 413
    assert ingest.jobs.created == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "1000001"}, 413),
        ({"Upload-Length": "0"}, 400),
        ({"Upload-Length": "-5"}, 400),
        ({"Upload-Length": ""}, 400),
        ({"Upload-Length": "9" * 30}, 400),
        ({"Upload-Metadata": ""}, 400),
        ({"Upload-Metadata": pair("filename", "a.mp4")}, 400),
        ({"Upload-Metadata": "titleId !!!"}, 400),
        ({"Upload-Metadata": pair("titleId", "x" * 200)}, 400),
        ({"Tus-Resumable": "0.2.2"}, 412),
    ],
)
async def test_uploads_that_cannot_be_are_refused(ingest: Ingest, headers: dict[str, str], status: int):
    answer = await ingest.create(**headers)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert len(answer.json()["detail"]) > 15
    if status == 412:
        assert answer.headers["Tus-Version"] == "1.0.0"


async def test_bodies_of_another_type_are_refused(ingest: Ingest):
    location = (await ingest.create()).headers["Location"]
    assert (await ingest.patch(location, 0, b"x", **{"Content-Type": "application/json"})).status_code == 415


async def test_uploads_expire_unless_complete(ingest: Ingest):
    open_one = (await ingest.create()).headers["Location"]
    complete = (await ingest.create(3)).headers["Location"]
    await ingest.patch(complete, 0, b"abc")
    ingest.clock.advance(timedelta(hours=25))
    assert (await ingest.http.head(open_one)).status_code == 410
    assert (await ingest.patch(open_one, 0, b"x")).status_code == 410
    assert (await ingest.http.head(complete)).status_code == 200
    await ingest.uploads.tidy()
    assert (await ingest.http.head(open_one)).status_code == 404
    assert await ingest.stored(complete) == b"abc"


async def test_termination_removes_everything_but_a_jobs_source(ingest: Ingest):
    location = (await ingest.create()).headers["Location"]
    await ingest.patch(location, 0, FILM[:2000])
    assert (await ingest.http.delete(location)).status_code == 204
    assert (await ingest.http.head(location)).status_code == 404
    complete = (await ingest.create(3)).headers["Location"]
    await ingest.patch(complete, 0, b"abc")
    assert (await ingest.http.delete(complete)).status_code == 409


async def test_an_owner_has_a_bounded_number_of_open_uploads(ingest: Ingest):
    """Complete ones and other people's do not count."""
    locations = [(await ingest.create(3)).headers["Location"] for _ in range(3)]
    assert (await ingest.create(3)).status_code == 429
    assert (await ingest.create(3, Authorization="Bearer you")).status_code == 201
    await ingest.patch(locations[0], 0, b"abc")
    assert (await ingest.create(3)).status_code == 201
    assert (await ingest.create(3)).status_code == 429


async def test_methods_may_be_sent_as_post(ingest: Ingest):
    location = (await ingest.create(3)).headers["Location"]
    answer = await ingest.http.post(
        location, content=b"abc", headers={**BODY, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    )
    assert answer.status_code == 204
    assert (await ingest.http.post(location)).status_code == 405


async def test_others_uploads_look_like_none(ingest: Ingest):
    location = (await ingest.create()).headers["Location"]
    for stranger in ({"Authorization": "Bearer you"},):
        assert (await ingest.http.head(location, headers=stranger)).status_code == 404
        assert (await ingest.http.delete(location, headers=stranger)).status_code == 404
    assert (await ingest.http.head("/uploads/..%2f..%2fetc")).status_code == 404


async def test_a_complete_upload_becomes_a_job_when_transcoding_is_back(ingest: Ingest):
    """Nothing acknowledged is lost: the bytes are there, the job is made later, once."""
    ingest.jobs.is_away = True
    location = (await ingest.create(3)).headers["Location"]
    answer = await ingest.patch(location, 0, b"abc")
    assert answer.status_code == 204
    assert "Upload-Job-Id" not in answer.headers
    ingest.jobs.is_away = False
    await ingest.uploads.tidy()
    await ingest.uploads.tidy()
    assert len(ingest.jobs.created) == 1
    assert "Upload-Job-Id" in (await ingest.http.head(location)).headers


async def test_names_are_text_and_nothing_else(ingest: Ingest):
    location = (await ingest.create(3)).headers["Location"]
    upload = await ingest.uploads.get("me", location.rpartition("/")[2])
    assert upload.filename == "../../Ünder.mp4"
    assert all(
        path.is_relative_to(ingest.folder / "objects" / "uploads" / upload.id) for path in files_below(ingest.folder)
    )


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
