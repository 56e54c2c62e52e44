"""The master key in a file, and content keys wrapped by it (AES key wrap, RFC 3394)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from media_pipeline.licensing.domain import KeyRecord
from media_pipeline.licensing.ports import KeyUnreadable
from media_pipeline.media.protection import ContentKey

__all__ = ["FileKeyWrapper"]

MASTER_KEY_BYTES = 32


class FileKeyWrapper:
    """Wraps id and value as one, because key wrap has no associated data: a row that got another row's id fails."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key has {len(master_key)} bytes, wanted {MASTER_KEY_BYTES}")
        self._master_key = master_key

    @classmethod
    def load_or_create(cls, path: Path) -> FileKeyWrapper:
        """The key in the file, made first (mode 0600) when there is none."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(MASTER_KEY_BYTES))
        try:
            return cls(bytes.fromhex(path.read_text().strip()))
        except ValueError as error:
            raise ValueError(f"{path} is no master key: wanted {MASTER_KEY_BYTES * 2} hexadecimal digits") from error

    def wrap(self, key: ContentKey) -> bytes:
        """40 bytes: key id and value, wrapped."""
        return aes_key_wrap(self._master_key, key.key_id + key.value)

    def unwrap(self, record: KeyRecord) -> ContentKey:
        """The key; raises KeyUnreadable."""
        try:
            plain = aes_key_unwrap(self._master_key, record.wrapped)
        except (InvalidUnwrap, ValueError) as error:
            raise KeyUnreadable(f"key {record.key_id.hex()} can't be opened with this master key") from error
        key_id, value = plain[:16], plain[16:]
        if key_id != record.key_id:
            raise KeyUnreadable(f"key {record.key_id.hex()} is stored under another key's id")
        return ContentKey(key_id, value, record.key_class)
