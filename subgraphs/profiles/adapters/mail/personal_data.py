"""The spool folder's personal data: mails to an account's addresses, as files."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

from subgraphs.kernel.personal_data import CountsByPlace, RecordsByPlace, Subject

__all__ = ["SpoolPersonalData"]

PLACE = "folder:mail"


class SpoolPersonalData:
    """See PersonalDataStore; a mail is the account's when it goes to one of its addresses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def export_personal(self, subject: Subject) -> RecordsByPlace:
        """Nothing: the account has these mails, and their contents are exported as notifications."""
        del subject
        return {}

    async def erase_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        return {PLACE: await asyncio.to_thread(self._erase, subject)}

    async def count_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        return {PLACE: await asyncio.to_thread(lambda: sum(1 for _ in self._found(subject)))}

    async def scrub(self) -> None:
        """The file system reuses the room of deleted files."""

    def _erase(self, subject: Subject) -> int:
        found = list(self._found(subject))
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def _found(self, subject: Subject) -> Iterator[Path]:
        wanted = {email.casefold() for email in subject.emails}
        if not wanted or not self._folder.is_dir():
            return
        for path in sorted(self._folder.iterdir()):
            if path.suffix not in {".eml", ".draft"}:
                continue
            try:
                message = message_from_bytes(path.read_bytes(), policy=policy.default)
            except FileNotFoundError:
                continue
            if any(str(header).casefold().strip(" <>") in wanted for header in message.get_all("To", [])):
                yield path
