"""The export: one JSON text with everything of an account, from every service, or nothing.

`{"format", "version", "generatedAt", "accountId", "sections": [{"service", "places": {place: [record, …]}}, …]}`, see
docs/privacy.md. Only when every service has answered is there a text at all: a part is never shown as the whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.personal_data import Subject
from subgraphs.profiles.domain.privacy import PART_CHARACTERS, PrivacyRequest
from subgraphs.profiles.ports_privacy import PersonalDataHolder, PrivacyStore

__all__ = ["EXPORT_FORMAT", "EXPORT_VERSION", "Exporting"]

EXPORT_FORMAT = "marquee-account-export"
EXPORT_VERSION = 1
MAX_CHARACTERS = 64 << 20
"""Of one export; beyond it a person has to help."""


@dataclass(frozen=True, slots=True)
class Exporting:
    """The use case; `kept` is how long a finished export can be collected."""

    store: PrivacyStore
    holders: Sequence[PersonalDataHolder]
    kept: timedelta

    async def run(self, request: PrivacyRequest, now: datetime) -> None:
        """Gather and keep the text. Raises ServiceError when a service did not answer; then nothing is kept."""
        assert request.account_id is not None
        subject = await self.store.subject(request.account_id)
        text = await self._gather(subject, now)
        parts = [text[start : start + PART_CHARACTERS] for start in range(0, len(text), PART_CHARACTERS)]
        digest = hashlib.sha256(text.encode()).hexdigest()
        await self.store.finish_export(request.id, parts, digest, now, now + self.kept)

    async def _gather(self, subject: Subject, now: datetime) -> str:
        sections = [{"service": holder.name, "places": await holder.export(subject)} for holder in self.holders]
        document = {
            "format": EXPORT_FORMAT,
            "version": EXPORT_VERSION,
            "generatedAt": now.isoformat(),
            "accountId": subject.account_id,
            "sections": sections,
        }
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        if len(text) > MAX_CHARACTERS:
            raise ServiceError(
                ErrorKind.RESOURCE_EXHAUSTED, f"the export has more than {MAX_CHARACTERS} characters; ask support"
            )
        return text
