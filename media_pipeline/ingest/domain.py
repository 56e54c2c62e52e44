"""Uploads as values, their limits and their metadata."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["IngestRules", "MetadataInvalid", "Upload", "read_metadata", "write_metadata"]

MAX_METADATA_CHARACTERS = 4096
MAX_TITLE_ID_CHARACTERS = 128
MAX_FILENAME_CHARACTERS = 255
_METADATA_KEY = re.compile(r"^[!-+\--~]{1,64}$")


class MetadataInvalid(Exception):
    """Upload-Metadata can't be used; the text says why."""


@dataclass(frozen=True, slots=True)
class IngestRules:
    """Limits of uploads. `part_bytes` is what one object holds and what an interruption loses at most of memory."""

    max_bytes: int = 10 * 1000**3
    life: timedelta = timedelta(hours=24)
    part_bytes: int = 8 << 20
    idle_timeout_s: float = 60.0
    max_open_per_owner: int = 20


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. `offset_bytes` counts what is durably there; `owner` may see and change it."""

    id: str
    owner: str
    length_bytes: int
    metadata: Mapping[str, str]
    created_at: datetime
    expires_at: datetime
    offset_bytes: int = 0
    job_id: str = ""

    @property
    def is_complete(self) -> bool:
        """All bytes are there."""
        return self.offset_bytes == self.length_bytes

    @property
    def source_object(self) -> str:
        """Where its parts lie."""
        return f"uploads/{self.id}"

    @property
    def title_id(self) -> str:
        """The title that the film belongs to."""
        return self.metadata["titleId"]

    @property
    def filename(self) -> str:
        """What the uploader calls it: text for people, never a path."""
        return self.metadata.get("filename", "")


def read_metadata(header: str) -> dict[str, str]:
    """Upload-Metadata: `key base64value, key base64value`; raises MetadataInvalid.

    titleId is needed. Control characters are removed from the values, because they are shown to people.
    """
    if len(header) > MAX_METADATA_CHARACTERS:
        raise MetadataInvalid(
            f"Upload-Metadata has {len(header)} characters, at most {MAX_METADATA_CHARACTERS} are read"
        )
    metadata: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, value = pair.partition(" ")
        if not _METADATA_KEY.fullmatch(key) or key in metadata:
            raise MetadataInvalid(f"Upload-Metadata key {key[:64]!r} is malformed or repeated")
        try:
            text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError) as error:
            raise MetadataInvalid(f"the value of Upload-Metadata key {key!r} is not base64 of UTF-8 text") from error
        metadata[key] = "".join(letter for letter in text if letter.isprintable())
    title_id = metadata.get("titleId", "").strip()
    if not 1 <= len(title_id) <= MAX_TITLE_ID_CHARACTERS:
        raise MetadataInvalid("Upload-Metadata needs titleId, the id of the title that the film belongs to")
    metadata["titleId"] = title_id
    if "filename" in metadata:
        metadata["filename"] = metadata["filename"][:MAX_FILENAME_CHARACTERS]
    return metadata


def write_metadata(metadata: Mapping[str, str]) -> str:
    """The header for a HEAD answer."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in metadata.items())
