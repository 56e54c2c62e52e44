"""Imports as jobs of the titles service: routes, progress, resuming after kills, cancelling, one at a time."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from redis.asyncio import Redis

from common.errors import ErrorKind, ServiceError
from subgraphs.titles.adapters.import_lease import KEY, ValkeyImportLease
from subgraphs.titles.imports import CatalogueFormat, ImportJob, ImportJobs, ImportRefused, JobState
from subgraphs.titles.imports.client import ImportClient
from subgraphs.titles.imports.jobs import ImportBusy, UnknownImport, UploadStalled
from subgraphs.titles.imports.threads import run_in_thread
from subgraphs.titles.services.writing import CatalogueWriter
from tests.subgraphs.titles.conftest import ADULT, CHILD, OpenService, Parts, Service
from tests.subgraphs.titles.importing import feed, movie, write


def film(name: str, **values: Any) -> str:
    return json.dumps({"title": name, "year": 1945} | values) + "\n"


class OwnLease:
    """Held by one; `is_lost` when another has taken it."""

    def __init__(self) -> None:
        self.is_held = False
        self.is_lost = False

    async def acquire(self) -> bool:
        if self.is_held or self.is_lost:
            return False
        self.is_held = True
        return True

    async def renew(self) -> bool:
        return not self.is_lost

    async def release(self) -> None:
        self.is_held = False


async def settled() -> None:
    """Nothing to wait for."""


def jobs_of(parts: Parts, folder: Path, writer: CatalogueWriter | None = None) -> ImportJobs:
    return ImportJobs(
        folder,
        writer or parts.writer,
        parts.store,
        OwnLease(),
        clock=parts.clock,
        settled=settled,
        max_bytes=10_000_000,
    )


async def pieces(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


async def begin(jobs: ImportJobs, text: str, name: str = "wikipedia") -> ImportJob:
    return await jobs.start(
        CatalogueFormat(name), pieces(text), file_name="films.jsonl", show=None, is_removal_allowed=False
    )


async def end_of(jobs: ImportJobs, import_id: str) -> ImportJob:
    async with asyncio.timeout(30):
        while (job := await jobs.job(import_id)).ended_at is None:  # noqa: ASYNC110  # a job on disk has no event
            await asyncio.sleep(0.01)
    return job


class Killed(BaseException):
    """Stands for kill -9: nothing behind it runs in the import."""


class FailingWriter(CatalogueWriter):
    """The real writer; at one batch it fails, before or after that is stored."""

    def fail_at(self, batch: int, error: BaseException, *, is_stored: bool) -> None:
        self._left, self._error, self._is_stored = batch, error, is_stored

    async def take(self, *args: Any, **options: Any) -> Any:
        self._left -= 1
        if self._left == 0 and not self._is_stored:
            raise self._error
        taken = await super().take(*args, **options)
        if self._left == 0:
            raise self._error
        return taken


FILMS = "".join(film(f"Film {number}") if number % 100 else "oops\n" for number in range(1, 2_301))


@pytest.mark.parametrize("is_stored", [False, True])
@pytest.mark.parametrize("batch", [1, 3, 5])
async def test_an_import_that_was_killed_goes_on_where_it_stopped(
    parts: Parts, tmp_path: Path, batch: int, *, is_stored: bool
) -> None:
    """In another process, from the last batch that was counted; every row counts once, every reject is listed once."""
    writer = FailingWriter(parts.store, parts.catalogue, parts.follower.wake)
    writer.fail_at(batch, Killed(), is_stored=is_stored)
    dying = jobs_of(parts, tmp_path, writer)
    job = await begin(dying, FILMS)
    assert dying._task is not None
    with pytest.raises(Killed):
        await dying._task
    on_disk = json.loads((tmp_path / job.id / "job.json").read_text())
    assert (on_disk["state"], on_disk["progress"]["read"]) == ("RUNNING", (batch - 1) * 500)
    # What a kill leaves behind its last full write.
    with (tmp_path / job.id / "rejects.jsonl").open("ab") as file:
        file.write(b'{"line": 7, "outc')

    jobs = jobs_of(parts, tmp_path)
    assert (await jobs.job(job.id)).state is JobState.INTERRUPTED
    resumed = await jobs.resume(None)
    assert (resumed.id, resumed.rows_before) == (job.id, (batch - 1) * 500)
    done = await end_of(jobs, job.id)
    taken = done.progress.taken
    assert (done.state, done.progress.read, done.progress.rejected) == (JobState.DONE, 2_300, 23)
    assert taken.created + taken.unchanged == 2_277
    assert taken.unchanged == (495 if is_stored and batch < 5 else 297 if is_stored else 0)
    listed = [json.loads(line)["line"] for line in jobs.rejects_path(job.id).read_text().splitlines()]
    assert listed == list(range(100, 2_301, 100))
    assert {path.name for path in (tmp_path / job.id).iterdir()} == {"job.json", "rejects.jsonl"}


async def test_a_store_that_is_away_for_a_moment_is_waited_for(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is done again, whether or not it was stored."""
    monkeypatch.setattr("subgraphs.titles.imports.run.RETRY_DELAYS_S", (0.0,))
    for is_stored, created in ((False, 2_277), (True, 0)):
        writer = FailingWriter(parts.store, parts.catalogue, parts.follower.wake)
        writer.fail_at(2, ServiceError(ErrorKind.UNAVAILABLE, "the store is away"), is_stored=is_stored)
        jobs = jobs_of(parts, tmp_path, writer)
        done = await end_of(jobs, (await begin(jobs, FILMS)).id)
        assert (done.state, done.progress.taken.created, done.progress.read) == (JobState.DONE, created, 2_300)


async def test_duplicates_are_known_from_before_the_break(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before a resumed import is not written again, and not forgotten either."""
    monkeypatch.setattr("subgraphs.titles.imports.run.RETRY_DELAYS_S", ())
    text = "".join(film(f"Film {number}") for number in range(600)) + film("Film 3")
    writer = FailingWriter(parts.store, parts.catalogue, parts.follower.wake)
    writer.fail_at(2, ServiceError(ErrorKind.UNAVAILABLE, "the store is away"), is_stored=False)
    jobs = jobs_of(parts, tmp_path, writer)
    broken = await end_of(jobs, (await begin(jobs, text)).id)
    assert (broken.state, broken.message) == (JobState.INTERRUPTED, "the store is away; resume it later")
    done = await end_of(jobs, (await jobs.resume(broken.id)).id)
    assert (done.progress.taken.created, done.progress.rejected) == (600, 1)
    assert "duplicate of line 4" in jobs.rejects_path(done.id).read_text()


async def test_an_import_can_be_cancelled_and_resumed(parts: Parts, tmp_path: Path) -> None:
    """What is stored by then stays; only a broken-off import can be resumed."""
    jobs = jobs_of(parts, tmp_path)
    job = await begin(jobs, FILMS)
    cancelled = await jobs.cancel(job.id)
    assert (cancelled.state, cancelled.progress.read < 2_300) == (JobState.CANCELLED, True)
    assert await jobs.cancel(job.id) == cancelled
    done = await end_of(jobs, (await jobs.resume(job.id)).id)
    assert (done.state, done.progress.read) == (JobState.DONE, 2_300)
    with pytest.raises(UnknownImport, match="is DONE; only a broken-off one can be resumed"):
        await jobs.resume(job.id)
    with pytest.raises(UnknownImport, match="no import was broken off"):
        await jobs.resume(None)


async def test_a_stop_of_the_service_breaks_an_import_off(parts: Parts, tmp_path: Path) -> None:
    """It says so afterwards, and can be resumed."""
    jobs = jobs_of(parts, tmp_path)
    job = await begin(jobs, FILMS)
    await jobs.aclose()
    stopped = await jobs_of(parts, tmp_path).job(job.id)
    assert (stopped.state, stopped.message) == (JobState.INTERRUPTED, "the titles service was stopped")


async def test_an_import_that_loses_its_lease_stops(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else imports by then."""
    monkeypatch.setattr("subgraphs.titles.imports.jobs.LEASE_RENEWAL_S", 0.0)
    lease = OwnLease()
    jobs = ImportJobs(
        tmp_path, parts.writer, parts.store, lease, clock=parts.clock, settled=settled, max_bytes=10_000_000
    )
    job = await begin(jobs, FILMS)
    lease.is_lost = True
    ended = await end_of(jobs, job.id)
    assert (ended.state, "another process imports" in (ended.message or "")) == (JobState.INTERRUPTED, True)


async def test_one_import_at_a_time(parts: Parts, tmp_path: Path) -> None:
    """A second one is refused in words, and welcome afterwards; a refused one leaves nothing behind."""
    jobs = jobs_of(parts, tmp_path)
    job = await begin(jobs, FILMS)
    for again in (begin(jobs, FILMS), jobs.resume(job.id)):
        with pytest.raises(ImportBusy, match="another import is running"):
            await again
    await end_of(jobs, job.id)
    parts.clock.advance(timedelta(seconds=1))
    refused = await end_of(jobs, (await begin(jobs, "")).id)
    assert (refused.state, refused.message) == (JobState.REFUSED, "the file has no rows")
    assert [path.name for path in (tmp_path / refused.id).iterdir()] == ["job.json"]
    assert [job.state for job in await jobs.jobs()] == [JobState.REFUSED, JobState.DONE]


async def test_only_the_last_imports_are_kept(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what they left on disk."""
    monkeypatch.setattr("subgraphs.titles.imports.jobs.MAX_JOBS", 2)
    jobs = jobs_of(parts, tmp_path)
    ids = []
    for number in range(3):
        parts.clock.advance(timedelta(seconds=1))
        ids.append((await end_of(jobs, (await begin(jobs, film(f"Film {number}"))).id)).id)
    assert [job.id for job in await jobs.jobs()] == ids[:0:-1]
    with pytest.raises(UnknownImport, match="there is no import"):
        await jobs.job(ids[0])


async def test_the_lease_is_for_one_owner(redis: Redis) -> None:
    """The same process may take it again after a crash, another may not until it is released or has run out."""
    ours, again, theirs = (ValkeyImportLease(redis, owner) for owner in ("a-4002", "a-4002", "b-4002"))
    assert await ours.acquire()
    assert not await theirs.acquire()
    assert await again.acquire()
    await theirs.release()
    assert await ours.renew()
    assert 0 < await redis.ttl(KEY) <= 90
    await ours.release()
    assert await theirs.acquire()
    assert not await ours.renew()


async def test_without_its_server_there_is_no_lease(unused_tcp_port_factory: Callable[[], int]) -> None:
    """Which is a connection's error, in words."""
    async with Redis.from_url(f"redis://127.0.0.1:{unused_tcp_port_factory()}/0") as away:
        with pytest.raises(ConnectionError, match="the server that keeps the import lease does not answer"):
            await ValkeyImportLease(away, "a").acquire()


async def ask(service: Service, method: str, path: str = "", content: str = "", **values: str) -> tuple[int, Any]:
    answer = await service.http.request(
        method, f"/internal/imports{path}", params=values, content=content, headers=service.service_token()
    )
    return answer.status_code, answer.json()


async def imported(service: Service, content: str, **values: str) -> dict[str, Any]:
    """The import when it has ended."""
    status, begun = await ask(service, "POST", content=content, **{"format": "wikipedia"} | values)
    assert status == 202, begun
    await end_of(service.resources.imports, begun["id"])
    _, ended = await ask(service, "GET", f"/{begun['id']}")
    values_: dict[str, Any] = ended
    return values_


async def test_the_route_imports_with_progress(own_service: Service) -> None:
    """Afterwards the films are found by grown-ups and not by children, and the rejects can be fetched."""
    ended = await imported(own_service, film("Zeppelin Nights") + "oops\n", name="films.jsonl")
    assert (ended["state"], ended["file_name"], ended["progress"]["taken"]["created"]) == ("DONE", "films.jsonl", 1)
    assert [(reject["line"], reject["outcome"]) for reject in ended["first_rejects"]] == [(2, "rejected")]
    search = '{ search(query: "zeppelin nights") { edges { node { displayName certificate { code } } } } }'
    found = (await own_service.data(search, ADULT))["search"]["edges"]
    assert found[0]["node"] == {"displayName": "Zeppelin Nights", "certificate": {"code": "NR"}}
    assert "Zeppelin Nights" not in str(await own_service.data(search, CHILD))
    status, listed = await ask(own_service, "GET")
    assert (status, [job["id"] for job in listed["imports"]]) == (200, [ended["id"]])
    rejects = await own_service.http.get(
        f"/internal/imports/{ended['id']}/rejects", headers=own_service.service_token()
    )
    assert json.loads(rejects.text)["reason"].startswith("no JSON")


async def test_the_first_hundred_rejects_are_shown_and_all_of_them_kept(own_service: Service) -> None:
    """The count is exact."""
    ended = await imported(own_service, film("One") + "oops\n" * 250)
    assert (len(ended["first_rejects"]), ended["progress"]["rejected"]) == (100, 250)
    path = own_service.resources.imports.rejects_path(ended["id"])
    assert len(path.read_text().splitlines()) == 250


async def test_a_removed_title_is_gone_for_everybody(own_service: Service) -> None:
    """A feed's film is found; when the next full feed lacks it, it is not; and the held-back removal says why."""
    films = [movie(f"m{number}", certificates={"US": "G"}) for number in range(10)]
    films.append(movie("m10", name="Zeppelin Mornings", certificates={"US": "G"}))
    await imported(own_service, feed(*films), format="feed")
    search = '{ search(query: "zeppelin mornings") { edges { node { displayName } } } }'
    assert "Zeppelin Mornings" in str(await own_service.data(search))
    ended = await imported(own_service, feed(*films[:9]), format="feed")
    assert "2 of 11 titles are missing" in ended["held_removals"]
    assert "Zeppelin Mornings" in str(await own_service.data(search))
    ended = await imported(own_service, feed(*films[:9]), format="feed", allow_removals="true")
    assert (ended["held_removals"], ended["progress"]["removed"]) == (None, 2)
    assert "Zeppelin Mornings" not in str(await own_service.data(search))


async def test_the_routes_are_for_service_tokens(own_service: Service) -> None:
    """Without one, 401; and what is asked wrongly is answered in words."""
    for headers in ({}, {"authorization": "Bearer x.y.z"}, {"authorization": "Basic abc"}):
        for method, path in (
            ("POST", "/internal/imports?format=wikipedia"),
            ("GET", "/internal/imports"),
            ("GET", "/internal/imports/imp_1"),
            ("GET", "/internal/imports/imp_1/rejects"),
            ("DELETE", "/internal/imports/imp_1"),
            ("POST", "/internal/imports/last/resume"),
            ("POST", "/internal/republish"),
            ("POST", "/internal/reindex"),
        ):
            assert (await own_service.http.request(method, path, headers=headers)).status_code == 401
    status, answer = await ask(own_service, "POST", content="x", format="imdb")
    assert (status, "known are feed, wikipedia, netflix, tvmaze" in answer["error"]) == (400, True)
    assert (await ask(own_service, "POST", content="x", format="feed", allow_removals="yes"))[0] == 400
    assert (await ask(own_service, "GET", "/imp_1"))[0] == 404
    assert (await ask(own_service, "GET", "/..%5C.."))[0] == 404
    assert (await ask(own_service, "POST", "/last/resume"))[0] == 404


async def test_another_process_that_imports_is_waited_for(own_service: Service, redis: Redis) -> None:
    """409 while it holds the lease."""
    theirs = ValkeyImportLease(redis, "elsewhere-4002")
    await theirs.acquire()
    status, answer = await ask(own_service, "POST", content="x", format="wikipedia")
    assert (status, "another titles process imports" in answer["error"]) == (409, True)
    await theirs.release()
    assert (await imported(own_service, film("One")))["state"] == "DONE"


async def test_the_route_refuses_a_file_over_the_limit(open_service: OpenService, redis: Any) -> None:
    """413 with the limit; nothing stays on disk, and the next import may begin."""
    async with open_service(max_import_bytes=100) as service:
        status, answer = await ask(service, "POST", content="x" * 101, format="wikipedia")
        assert (status, "more than 100 bytes" in answer["error"]) == (413, True)
        assert list((service.state_dir / "titles" / "imports").iterdir()) == []
        assert (await imported(service, ""))["message"] == "the file has no rows"


async def test_the_operators_routes(own_service: Service) -> None:
    """Everything is announced again, and indexed again."""
    token = own_service.service_token()
    assert (await own_service.http.post("/internal/republish", headers=token)).json() == {"announced": 163}
    assert (await own_service.http.post("/internal/reindex", headers=token)).json() == {"indexed": 163}


async def test_the_client_imports_through_a_running_service(
    own_service: Service, tmp_path: Path, unused_tcp_port: int
) -> None:
    """Over a real socket: progress to the end, the report, a cancellation, and refusals in words."""
    config = uvicorn.Config(own_service.http._transport.app, port=unused_tcp_port, lifespan="off", log_level="error")  # type: ignore[attr-defined]
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
        base_url = f"http://127.0.0.1:{unused_tcp_port}"
        tokens: list[str] = []

        def sign_token() -> str:
            tokens.append(own_service.service_token()["authorization"].removeprefix("Bearer "))
            return tokens[-1]

        path = write(tmp_path / "films.jsonl", film("One") + "oops\n")
        async with ImportClient.open(base_url, sign_token) as client:
            begun = await client.start(CatalogueFormat.WIKIPEDIA, path)
            *_, last = [followed async for followed in client.follow(begun.job.id)]
            assert (last.job.state, last.job.progress.taken.created) == (JobState.DONE, 1)
            assert [(reject.line, reject.outcome) for reject in last.first_rejects] == [(2, "rejected")]
            await client.save_rejects(begun.job.id, tmp_path / "rejects")
            assert json.loads((tmp_path / "rejects").read_text())["line"] == 2
            with pytest.raises(ImportRefused, match="404: no import was broken off"):
                await client.resume()
            begun = await client.start(CatalogueFormat.WIKIPEDIA, write(tmp_path / "many.jsonl", FILMS))
            assert (await client.cancel(begun.job.id)).job.state is JobState.CANCELLED
            assert (await client.resume()).job.id == begun.job.id
            assert len(tokens) > 7, "a token for each request: an import may take longer than one lives"
        async with ImportClient.open(base_url, lambda: "wrong") as stranger:
            with pytest.raises(ImportRefused, match="needs a service token"):
                await stranger.start(CatalogueFormat.WIKIPEDIA, path)
    finally:
        server.should_exit = True
        await task


async def test_a_sender_who_falls_silent_is_not_waited_for(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import is refused, and another may begin."""
    monkeypatch.setattr("subgraphs.titles.imports.jobs.PIECE_TIMEOUT_S", 0.01)

    async def silent() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    jobs = jobs_of(parts, tmp_path)
    with pytest.raises(UploadStalled, match="nothing of the file came"):
        await jobs.start(CatalogueFormat.WIKIPEDIA, silent(), file_name="x", show=None, is_removal_allowed=False)
    assert await jobs.jobs() == []
    assert (await end_of(jobs, (await begin(jobs, film("One"))).id)).state is JobState.DONE


async def test_files_of_old_broken_off_imports_are_kept_no_longer(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resuming one says so."""
    monkeypatch.setattr("subgraphs.titles.imports.jobs.MAX_UPLOADS", 1)
    jobs = jobs_of(parts, tmp_path)
    broken = await jobs.cancel((await begin(jobs, FILMS)).id)
    parts.clock.advance(timedelta(seconds=1))
    await end_of(jobs, (await begin(jobs, film("One"))).id)
    with pytest.raises(UnknownImport, match="is kept no longer; send it again"):
        await jobs.resume(broken.id)


async def test_a_thread_is_waited_for_however_often_it_is_cancelled() -> None:
    """What it works on is not closed under its hands."""
    may_end, has_begun = threading.Event(), threading.Event()

    def work() -> None:
        has_begun.set()
        may_end.wait(10)

    task = asyncio.create_task(run_in_thread(work))
    await asyncio.to_thread(has_begun.wait, 10)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
