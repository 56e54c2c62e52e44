# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""Exports and erasures in the graph."""

import strawberry

from subgraphs.profiles.api.context import Info
from subgraphs.profiles.domain import privacy as domain
from subgraphs.profiles.domain.privacy import RequestState

__all__ = ["AccountErasure", "AccountExport", "ErasedPlace", "ErasureCertificate"]

strawberry.enum(RequestState, name="PrivacyRequestState", description="How far an export or an erasure is.")


@strawberry.type(description="A copy of everything that is kept of the account: one JSON text, in parts.")
class AccountExport:
    """Only ever made for the account's own viewers."""

    record: strawberry.Private[domain.PrivacyRequest]

    @strawberry.field
    def id(self) -> strawberry.ID:
        """The request's id."""
        return strawberry.ID(self.record.id)

    @strawberry.field(description="DONE only when every service has given its part.")
    def state(self) -> RequestState:
        """How far it is."""
        return self.record.state

    @strawberry.field
    def requested_at(self) -> str:
        """ISO 8601."""
        return self.record.requested_at.isoformat()

    @strawberry.field
    def finished_at(self) -> str | None:
        """ISO 8601."""
        return None if self.record.finished_at is None else self.record.finished_at.isoformat()

    @strawberry.field(description="When it is deleted here.")
    def expires_at(self) -> str | None:
        """ISO 8601."""
        return None if self.record.expires_at is None else self.record.expires_at.isoformat()

    @strawberry.field(description="Of the whole text in UTF-8.")
    def size_bytes(self) -> float:
        """A float, as it may pass what Int holds."""
        return float(self.record.size_bytes)

    @strawberry.field(description="SHA-256 of the whole text in UTF-8, hexadecimal.")
    def sha256(self) -> str | None:
        """To check what was put together."""
        return self.record.digest

    @strawberry.field(description="How many parts there are; 0 until it is done.")
    def part_count(self) -> int:
        """Each of at most 200,000 characters."""
        return self.record.part_count

    @strawberry.field(
        description="A part of the text, counted from 0; null beyond the last. Put them together in order."
    )
    async def part(self, info: Info, number: int) -> str | None:
        """One read of the store per part that is asked for."""
        if self.record.state is not RequestState.DONE or not 0 <= number < self.record.part_count:
            return None
        return await info.context.services.privacy.store.part(self.record.id, number)

    @strawberry.field(description="Why it is not there yet, or was given up.")
    def problem(self) -> str | None:
        """For people."""
        return self.record.problem


@strawberry.type(description="The end of the account, asked for and not cancelled.")
class AccountErasure:
    """Keep the id: with it the certificate can be read when nobody can log in any more."""

    record: strawberry.Private[domain.PrivacyRequest]

    @strawberry.field
    def id(self) -> strawberry.ID:
        """The request's id, and the certificate's."""
        return strawberry.ID(self.record.id)

    @strawberry.field
    def state(self) -> RequestState:
        """WAITING until everything is gone."""
        return self.record.state

    @strawberry.field
    def requested_at(self) -> str:
        """ISO 8601."""
        return self.record.requested_at.isoformat()

    @strawberry.field(description="Until then cancelErasure keeps the account.")
    def begins_at(self) -> str:
        """ISO 8601."""
        return self.record.run_at.isoformat()


@strawberry.type(description="How many records were erased in one place.")
class ErasedPlace:
    """Such as "playback/table:bookmarks"."""

    place: str
    record_count: int


@strawberry.type(description="That an erasure was done; it does not say whose.")
class ErasureCertificate:
    """For whoever was given the id."""

    id: strawberry.ID
    state: RequestState
    requested_at: str
    finished_at: str | None
    places: list[ErasedPlace] = strawberry.field(description="At most one per place of the registry; empty until DONE.")

    @classmethod
    def from_domain(cls, request: domain.PrivacyRequest) -> "ErasureCertificate":
        """While it runs nothing is told but that it runs."""
        counts = dict(request.counts or {}) if request.state is RequestState.DONE else {}
        return cls(
            id=strawberry.ID(request.id),
            state=request.state,
            requested_at=request.requested_at.isoformat(),
            finished_at=None if request.finished_at is None else request.finished_at.isoformat(),
            places=[ErasedPlace(place=place, record_count=count) for place, count in sorted(counts.items()) if count],
        )
