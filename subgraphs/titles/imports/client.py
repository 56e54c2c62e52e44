"""Imports through a running titles service: sends a file, follows the import, cancels and resumes.

The service owns the store and the index, so an import goes through it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from subgraphs.titles.imports.formats import CatalogueFormat
from subgraphs.titles.imports.job import ImportJob
from subgraphs.titles.imports.rows import ImportRefused

__all__ = ["FollowedImport", "ImportClient", "Reject"]

PIECE_BYTES = 256 * 1024
CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 60.0
"""Longest wait for an answer, or for the next piece of one; the service answers between two batches."""
REFRESH_S = 0.5


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was "rejected" or "repaired"."""

    line: int
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class FollowedImport:
    """An import as it is now, with the first of its rejected and repaired rows."""

    job: ImportJob
    first_rejects: tuple[Reject, ...]


class ImportClient:
    """Methods raise ImportRefused with the service's words, and aiohttp.ClientError or TimeoutError."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, sign_token: Callable[[], str]) -> None:
        self._session = session
        self._sign_token = sign_token
        self._url = f"{base_url.rstrip('/')}/internal/imports"

    @classmethod
    @asynccontextmanager
    async def open(cls, base_url: str, sign_token: Callable[[], str]) -> AsyncIterator[ImportClient]:
        """A client for the service at `base_url`, closed at the block's end.

        `sign_token` gives a service token for each request: an import may take longer than a token lives.
        """
        # No limit in all: a file may be large, and the service may be slow to take it.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=ANSWER_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            yield cls(session, base_url, sign_token)

    async def start(
        self,
        catalogue_format: CatalogueFormat,
        path: Path,
        *,
        show: str | None = None,
        is_removal_allowed: bool = False,
    ) -> FollowedImport:
        """Send a file; the import has begun when this returns."""
        values = {
            "format": str(catalogue_format),
            "name": path.name,
            "allow_removals": str(is_removal_allowed).lower(),
            **({} if show is None else {"show": show}),
        }
        return _followed(await self._ask("POST", "", params=values, data=_pieces(path)))

    async def resume(self, import_id: str | None = None) -> FollowedImport:
        """Go on with an import that was broken off, the last one where none is named."""
        return _followed(await self._ask("POST", f"/{import_id or 'last'}/resume"))

    async def follow(self, import_id: str) -> AsyncIterator[FollowedImport]:
        """The import twice a second until it has ended, which is the last."""
        while True:
            followed = _followed(await self._ask("GET", f"/{import_id}"))
            yield followed
            if followed.job.ended_at is not None:
                return
            await asyncio.sleep(REFRESH_S)

    async def cancel(self, import_id: str) -> FollowedImport:
        """End it; what is stored stays."""
        return _followed(await self._ask("DELETE", f"/{import_id}"))

    async def save_rejects(self, import_id: str, path: Path) -> None:
        """Write all of an import's rejected and repaired rows into a file, as JSON lines; may raise OSError."""
        async with self._answer("GET", f"/{import_id}/rejects") as response:
            with path.open("wb") as file:
                async for piece in response.content.iter_chunked(PIECE_BYTES):
                    await asyncio.to_thread(file.write, piece)

    async def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        async with self._answer(method, path, **options) as response:
            answer: dict[str, Any] = await response.json()
            return answer

    @asynccontextmanager
    async def _answer(self, method: str, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"authorization": f"Bearer {self._sign_token()}"}
        async with self._session.request(method, f"{self._url}{path}", headers=headers, **options) as response:
            if response.status not in {200, 202}:
                raise ImportRefused(await _refusal(response))
            yield response


def _followed(values: dict[str, Any]) -> FollowedImport:
    rejects = tuple(Reject(**reject) for reject in values.pop("first_rejects"))
    return FollowedImport(ImportJob.from_json(values), rejects)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            yield piece


async def _refusal(response: aiohttp.ClientResponse) -> str:
    try:
        message = (await response.json())["error"]
    except (ValueError, KeyError, aiohttp.ContentTypeError):
        message = "no reason given"
    return f"the titles service answered {response.status}: {message}"
