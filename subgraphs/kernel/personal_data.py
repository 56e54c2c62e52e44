"""Personal data: what a subgraph keeps of an account, handed out, forgotten and counted by one internal route.

Each store of a subgraph that holds anything of an account or a profile is a `PersonalDataStore`; the application gives
them all to `OpenedSubgraph.personal_data`. Profiles calls POST /internal/personal-data/<action> of every subgraph with
a service token, for export and for erasure. Every action may be repeated: a caller that was killed half-way starts
again.

Places are named `<kind>:<name>` ("table:bookmarks", "keys:marquee:taste:"), as in schema/personal_data.yaml, where
every place of the whole system is listed with what becomes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, Self

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import AccountId, ProfileId

__all__ = [
    "MAX_RECORDS_PER_PLACE",
    "CountsByPlace",
    "Owner",
    "PersonalDataAction",
    "PersonalDataStore",
    "RecordsByPlace",
    "Subject",
    "run_personal_data_action",
    "too_many_records",
]

MAX_RECORDS_PER_PLACE = 200_000
"""Of one account; an export beyond it is refused instead of cut."""
MAX_PROFILES = 1_000
"""Profiles that an account may ever have had, in one request."""
MAX_ID_LENGTH = 200

RecordsByPlace = Mapping[str, Sequence[Mapping[str, object]]]
"""JSON objects by place; a place without any may be left out."""
CountsByPlace = Mapping[str, int]


class Owner(StrEnum):
    """What a record says whose it is."""

    ACCOUNT = "account"
    PROFILE = "profile"
    EMAIL = "email"
    """An e-mail address that the account has or had; only profiles is told any."""
    MENTIONED = "mentioned"
    """The text of the column holds an id somewhere, as an event's data does."""


class PersonalDataAction(StrEnum):
    """The last part of the route's path."""

    EXPORT = "export"
    ERASE = "erase"
    COUNT = "count"
    SCRUB = "scrub"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data: an account and all profiles that it has, also those that a step before may have deleted.

    `emails` stay in profiles: no other process is told any. `service_token` is the caller's, to be handed on to
    internal services, which verify it again; empty when nobody called.
    """

    account_id: AccountId
    profile_ids: tuple[ProfileId, ...] = ()
    emails: tuple[str, ...] = ()
    service_token: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """The account's id and its profiles'."""
        return (self.account_id, *self.profile_ids)

    def owned_by(self, owner: Owner) -> tuple[str, ...]:
        """The ids that a record of this owner can carry."""
        match owner:
            case Owner.ACCOUNT:
                return (self.account_id,)
            case Owner.PROFILE:
                return self.profile_ids
            case Owner.EMAIL:
                return self.emails
            case Owner.MENTIONED:
                return self.ids

    @classmethod
    def from_json(cls, body: object) -> Self:
        """From `{"accountId": …, "profileIds": […]}`; raises ServiceError(INVALID_ARGUMENT)."""
        if not isinstance(body, Mapping):
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, "the body must be a JSON object with accountId, profileIds")
        profile_ids = body.get("profileIds", [])
        if not isinstance(profile_ids, list) or len(profile_ids) > MAX_PROFILES:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"profileIds must be a list of at most {MAX_PROFILES} ids")
        return cls(AccountId(_id(body.get("accountId"))), tuple(ProfileId(_id(each)) for each in profile_ids))

    def to_json(self) -> dict[str, Any]:
        """What from_json reads back."""
        return {"accountId": self.account_id, "profileIds": list(self.profile_ids)}


class PersonalDataStore(Protocol):
    """One store's part. All methods raise ServiceError(UNAVAILABLE) when the store is away."""

    async def export_personal(self, subject: Subject) -> RecordsByPlace:
        """Everything that the account may see of itself; secrets such as hashes are left out.

        Raises ServiceError(RESOURCE_EXHAUSTED) rather than cutting a place off.
        """
        ...

    async def erase_personal(self, subject: Subject) -> CountsByPlace:
        """Delete, or make anonymous where the law wants the rest kept; how many records by place."""
        ...

    async def count_personal(self, subject: Subject) -> CountsByPlace:
        """What is there now by place, zeros included: after an erasure all must be 0."""
        ...

    async def scrub(self) -> None:
        """Overwrite what deleted records left behind in files; nothing where a store does that itself."""
        ...


async def run_personal_data_action(
    stores: Iterable[PersonalDataStore], action: PersonalDataAction, subject: Subject
) -> dict[str, Any]:
    """The answer of the route: `{"records": {place: […]}}` for an export, else `{"counts": {place: n}}`.

    Stores are asked in their order, so that a store whose records say whose the next one's are can come later.
    """
    records: dict[str, list[Mapping[str, object]]] = {}
    counts: dict[str, int] = {}
    for store in stores:
        match action:
            case PersonalDataAction.EXPORT:
                for place, found in (await store.export_personal(subject)).items():
                    records.setdefault(place, []).extend(found)
            case PersonalDataAction.ERASE:
                _add(counts, await store.erase_personal(subject))
            case PersonalDataAction.COUNT:
                _add(counts, await store.count_personal(subject))
            case PersonalDataAction.SCRUB:
                await store.scrub()
    return {"records": records} if action is PersonalDataAction.EXPORT else {"counts": counts}


def too_many_records(place: str) -> ServiceError:
    """The error for a place that holds more of one account than an export takes."""
    return ServiceError(
        ErrorKind.RESOURCE_EXHAUSTED,
        f"{place} holds more than {MAX_RECORDS_PER_PLACE} records of one account; export it by hand",
    )


def _add(total: dict[str, int], counts: CountsByPlace) -> None:
    for place, count in counts.items():
        total[place] = total.get(place, 0) + count


def _id(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID_LENGTH:
        raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"an id must be a text of 1 to {MAX_ID_LENGTH} characters")
    return value
