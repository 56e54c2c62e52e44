"""Small JSON documents that the gateway is told by others, from a URL or a file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import orjson

__all__ = ["fetch_document"]

_TIMEOUT_S = 3.0


async def fetch_document(address: str, max_bytes: int) -> Mapping[str, Any]:
    """The JSON object at a URL or in a file; raises OSError or ValueError, and follows no redirects."""
    if not address.startswith(("http://", "https://")):
        return _object(await asyncio.to_thread(_read, Path(address), max_bytes), max_bytes)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(address, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise ValueError(f"HTTP status {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > max_bytes:
                    break
            return _object(bytes(body), max_bytes)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise OSError(f"{address} can't be fetched: {error!r}") from error


def _read(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(max_bytes + 1)


def _object(body: bytes, max_bytes: int) -> Mapping[str, Any]:
    if len(body) > max_bytes:
        raise ValueError(f"the document has more than {max_bytes} bytes")
    found = orjson.loads(body)
    if not isinstance(found, dict):
        raise ValueError("the document is no JSON object")  # noqa: TRY004  # bad data, not a bad argument
    return found
