"""Opens the object store: a local folder by default, any URL that obstore reads otherwise.

Paths are keys relative to the store's root ("assets/<id>/clear/master.m3u8"). A put becomes visible whole or
not at all.
"""

from __future__ import annotations

from pathlib import Path

from obstore.store import LocalStore, ObjectStore, from_url

__all__ = ["ObjectStore", "open_object_store"]


def open_object_store(url: str, local_folder: Path) -> ObjectStore:
    """The store at `url`, or the local folder (made when missing) when the URL is empty.

    Raises ValueError for a URL that can't be read. Credentials of S3 come from its usual environment variables.
    """
    if not url:
        local_folder.mkdir(parents=True, exist_ok=True)
        return LocalStore(local_folder.resolve(), mkdir=True, automatic_cleanup=True)
    try:
        return from_url(url)
    except Exception as error:
        raise ValueError(
            f"object store URL {url!r} can't be opened: {error}; use s3://bucket/prefix or leave it empty"
        ) from error
