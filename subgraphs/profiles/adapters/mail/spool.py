"""Mails as files, one .eml each, for a machine without a mail server: any mail program opens them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from common.errors import ErrorKind, ServiceError
from subgraphs.profiles.adapters.mail.message import build_message
from subgraphs.profiles.ports import Mail

__all__ = ["SpoolMailSender"]

MAX_FILES = 1_000
"""Mails kept; the oldest go first."""


class SpoolMailSender:
    """See the MailSender port. The folder is made when missing, for the owner alone."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        """See MailSender.send; the same mail again replaces its file."""
        content = build_message(mail, self._sender).as_bytes()
        try:
            await asyncio.to_thread(self._write, mail.id, content)
        except OSError as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, "the mail folder can't be written") from error

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._folder / f".{name}.draft"
        draft.touch(mode=0o600)
        draft.write_bytes(content)
        draft.replace(self._folder / f"{name}.eml")
        # Names begin with the instant, so that their order is the order of age.
        kept = sorted(entry.name for entry in os.scandir(self._folder) if entry.name.endswith(".eml"))
        for old in kept[:-MAX_FILES]:
            (self._folder / old).unlink(missing_ok=True)
