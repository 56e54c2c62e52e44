# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""A title as the studio sees it, the audit log, and how changes by hand end."""

import json
from collections.abc import Awaitable
from typing import Annotated, TypeVar

import strawberry

from subgraphs.kernel.pagination import PageInfo, page_info, read_page_request
from subgraphs.kernel.policy import Window
from subgraphs.kernel.results import InvalidInput, NotPermitted, TitleNotFound, invalid_input, title_not_found
from subgraphs.titles.api.context import Info
from subgraphs.titles.api.types import Person, Season, Title, person_of, season_of, title_of
from subgraphs.titles.domain import title as domain
from subgraphs.titles.domain.audit_trail import described_window
from subgraphs.titles.domain.markers import MarkerKind
from subgraphs.titles.ports import AuditEntry
from subgraphs.titles.services.editing import BadInput, Edited, Stale, TooMany, Unknown
from subgraphs.titles.services.studio import STUDIO_SCOPES, NotAllowed

__all__ = [
    "AuditConnection",
    "CatalogueEntry",
    "EditTitleResult",
    "EditTitleSuccess",
    "PersonResult",
    "SeasonResult",
    "attempt",
    "audit_connection",
    "edit_result",
    "not_permitted",
    "person_result",
    "season_result",
]

OutcomeT = TypeVar("OutcomeT")
MAX_FIRST = 100
AUDIT_KEY_LENGTH = 2


@strawberry.type(description="When a title is offered in a country, * for all; instants are ISO 8601, null is open.")
class CatalogueWindow:
    """From `from` on to before `until`."""

    country: str
    from_: str | None = strawberry.field(name="from")
    until: str | None


@strawberry.type(description="A certificate that was given for a country.")
class CountryCertificate:
    """Other countries' codes follow from the strictest."""

    country: str
    code: str


@strawberry.type(description="A marked stretch of a title, in seconds from its start.")
class CatalogueMarker:
    """As playback shows it to players."""

    kind: MarkerKind
    start_seconds: float
    end_seconds: float


@strawberry.type(description="One field that a change by hand changed; values are JSON.")
class AuditChange:
    """`before` is null for what was not there."""

    field: str
    before: str | None
    after: str | None


@strawberry.type(description="One change by hand.")
class AuditRecord:
    """Who, when, what."""

    id: strawberry.ID
    at: str
    account_id: strawberry.ID
    action: str
    subject_id: strawberry.ID
    changes: list[AuditChange]

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditRecord":
        """From the port's."""
        changes = [
            AuditChange(field=name, before=_json(entry.before, name), after=_json(entry.after, name))
            for name in {**entry.before, **entry.after}
        ]
        return cls(
            id=strawberry.ID(entry.id),
            at=entry.at.isoformat(),
            account_id=strawberry.ID(entry.account_id),
            action=entry.action,
            subject_id=strawberry.ID(entry.subject_id),
            changes=changes,
        )


@strawberry.type
class AuditEdge:
    """Relay's edge."""

    cursor: str
    node: AuditRecord


@strawberry.type
class AuditConnection:
    """Newest first."""

    edges: list[AuditEdge]
    page_info: PageInfo


@strawberry.type(description="A title as the studio sees it, whatever the viewer may see. Needs scope studio.")
class CatalogueEntry:
    """`revision` is what a change of the title has to name."""

    record: strawberry.Private[domain.Title]
    title: Title
    revision: int
    source: str
    source_key: str
    is_withdrawn: bool = strawberry.field(description="By hand.")
    is_delisted: bool = strawberry.field(description="Its source's last full feed lacked it.")
    blocked_countries: list[str]
    edited_fields: list[str] = strawberry.field(description="Set by hand: imports leave them alone.")
    windows: list[CatalogueWindow]
    certificates: list[CountryCertificate]
    markers: list[CatalogueMarker]

    @classmethod
    def of(cls, record: domain.Title) -> "CatalogueEntry":
        """From the domain's title."""
        return cls(
            record=record,
            title=title_of(record),
            revision=record.revision,
            source=record.origin.source,
            source_key=record.origin.key,
            is_withdrawn=record.is_withdrawn,
            is_delisted=record.is_delisted,
            blocked_countries=sorted(record.blocked_countries),
            edited_fields=sorted(record.edited_fields),
            windows=[_window(window) for window in record.windows],
            certificates=[CountryCertificate(country=country, code=code) for country, code in record.certificates],
            markers=[
                CatalogueMarker(
                    kind=MarkerKind(marker.kind), start_seconds=marker.start_seconds, end_seconds=marker.end_seconds
                )
                for marker in record.media.markers
            ],
        )

    @strawberry.field(description="What was done to this title by hand, newest first; at most 100 at a time.")
    async def audit_log(self, info: Info, first: int = 20, after: str | None = None) -> AuditConnection:
        """Of this title alone."""
        return await audit_connection(info, self.record.id, first, after)


@strawberry.type
class EditTitleSuccess:
    """The title as it is now."""

    entry: CatalogueEntry


@strawberry.type(description="Somebody changed the title meanwhile; look at it as it is now, and try again.")
class StaleRevision:
    """Nothing was written."""

    message: str
    entry: CatalogueEntry


@strawberry.type(description="There is no such season.")
class SeasonNotFound:
    """Or no such series to make it in."""

    message: str


@strawberry.type(description="Nobody on the credits has this id.")
class PersonNotFound:
    """Merged people have the id of whom they were merged into."""

    message: str


@strawberry.type
class SeasonSuccess:
    """The season as it is now."""

    season: Season


@strawberry.type
class PersonSuccess:
    """The person as they are now."""

    person: Person


EditTitleResult = Annotated[
    EditTitleSuccess | NotPermitted | InvalidInput | TitleNotFound | StaleRevision,
    strawberry.union(name="EditTitleResult"),
]
SeasonResult = Annotated[
    SeasonSuccess | NotPermitted | InvalidInput | SeasonNotFound, strawberry.union(name="SeasonResult")
]
PersonResult = Annotated[
    PersonSuccess | NotPermitted | InvalidInput | PersonNotFound, strawberry.union(name="PersonResult")
]


async def attempt(act: Awaitable[OutcomeT]) -> OutcomeT | NotPermitted | InvalidInput:
    """What an act comes to, its expected refusals as results."""
    try:
        return await act
    except NotAllowed:
        return not_permitted()
    except BadInput as error:
        return invalid_input(error.problems)


def edit_result(outcome: Edited | NotPermitted | InvalidInput) -> EditTitleResult:
    """The GraphQL result of a change of one title."""
    match outcome:
        case domain.Title():
            return EditTitleSuccess(entry=CatalogueEntry.of(outcome))
        case Unknown():
            return title_not_found(outcome.id)
        case Stale():
            revision = outcome.current.revision
            return StaleRevision(
                message=f"The title has revision {revision} by now; nothing was changed.",
                entry=CatalogueEntry.of(outcome.current),
            )
        case _:
            return outcome


def season_result(outcome: domain.Season | Unknown | NotPermitted | InvalidInput) -> SeasonResult:
    """The GraphQL result of a change of a season."""
    match outcome:
        case domain.Season():
            return SeasonSuccess(season=season_of(outcome))
        case Unknown():
            return SeasonNotFound(message=f"There is no series or season {_short(outcome.id)!r}.")
        case _:
            return outcome


def person_result(outcome: domain.Person | Unknown | TooMany | NotPermitted | InvalidInput) -> PersonResult:
    """The GraphQL result of a change of a person."""
    match outcome:
        case domain.Person():
            return PersonSuccess(person=person_of(outcome))
        case Unknown():
            return PersonNotFound(message=f"There is no person {_short(outcome.id)!r}.")
        case TooMany():
            return invalid_input({"input.id": f"is credited in more than {outcome.limit} titles, too many for one act"})
        case _:
            return outcome


def not_permitted() -> NotPermitted:
    """With the scopes that would do."""
    scopes = " or ".join(sorted(STUDIO_SCOPES))
    return NotPermitted(message=f"Only an account with scope {scopes} may change the catalogue.")


async def audit_connection(info: Info, subject_id: str | None, first: int, after: str | None) -> AuditConnection:
    """A page of the audit log; raises NotAllowed."""
    request = read_page_request(first, after, max_first=MAX_FIRST, key_length=AUDIT_KEY_LENGTH)
    page = await info.context.services.studio.audit_log(info.context.viewer, subject_id, request)
    edges = [
        AuditEdge(cursor=cursor, node=AuditRecord.of(entry))
        for entry, cursor in zip(page.items, page.cursors, strict=True)
    ]
    return AuditConnection(edges=edges, page_info=page_info(page))


def _window(window: Window) -> CatalogueWindow:
    described = described_window(window)
    return CatalogueWindow(country=window.country, from_=described["from"], until=described["until"])


def _json(values: object, name: str) -> str | None:
    value = values.get(name) if isinstance(values, dict) else None
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"
