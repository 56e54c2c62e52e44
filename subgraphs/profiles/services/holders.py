"""Profiles' own stores as one holder among the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from subgraphs.kernel.personal_data import (
    CountsByPlace,
    PersonalDataAction,
    PersonalDataStore,
    RecordsByPlace,
    Subject,
    run_personal_data_action,
)

__all__ = ["OwnPersonalData"]


@dataclass(frozen=True, slots=True)
class OwnPersonalData:
    """A PersonalDataHolder over this process's stores."""

    name: str
    stores: Sequence[PersonalDataStore]

    async def export(self, subject: Subject) -> RecordsByPlace:
        """See PersonalDataHolder."""
        answer = await run_personal_data_action(self.stores, PersonalDataAction.EXPORT, subject)
        return cast("RecordsByPlace", answer["records"])

    async def erase(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataHolder."""
        return await self._counts(PersonalDataAction.ERASE, subject)

    async def count(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataHolder."""
        return await self._counts(PersonalDataAction.COUNT, subject)

    async def scrub(self, subject: Subject) -> None:
        """See PersonalDataHolder."""
        await self._counts(PersonalDataAction.SCRUB, subject)

    async def _counts(self, action: PersonalDataAction, subject: Subject) -> CountsByPlace:
        return cast("CountsByPlace", (await run_personal_data_action(self.stores, action, subject))["counts"])
