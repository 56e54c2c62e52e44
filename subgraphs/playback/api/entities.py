# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"

"""Title and Profile as playback extends them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Self

import strawberry
import strawberry.federation

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import ProfileId, TitleId
from subgraphs.kernel.pagination import CursorKey, Page, PageInfo, page_info, read_page_request
from subgraphs.kernel.policy import EVERYWHERE, TitleFacts, Window
from subgraphs.playback.api.context import PlaybackInfo
from subgraphs.playback.api.types import Availability, Certificate, MediaStatus, PlayDecision
from subgraphs.playback.domain.bookmarks import Bookmark
from subgraphs.playback.domain.rights import check_play
from subgraphs.playback.domain.sessions import PlayRefusal
from subgraphs.playback.ports import HistoryPosition
from subgraphs.playback.services.read_progress import TitleProgress

__all__ = ["ContinueWatchingEntry", "Profile", "Progress", "Title", "progress_of", "title_reference"]

MAX_HISTORY_PAGE = 50
MAX_CONTINUE_WATCHING = 20


@strawberry.type(description="How far a profile is in a title.")
class Progress:
    """From a bookmark; positions are whole seconds."""

    position_seconds: int
    duration_seconds: int
    fraction: float = strawberry.field(description="0 to 1")
    completed: bool
    last_watched_at: str
    resume_title: Annotated["Title", strawberry.lazy("subgraphs.playback.api.entities")] | None = strawberry.field(
        default=None, description="For a series: the episode to go on with."
    )


@strawberry.federation.interface_object(name="Title", keys=["id"])
class Title:
    """`required` is the representation that came with a reference: the inputs of canPlay."""

    id: strawberry.ID
    required: strawberry.Private[Mapping[str, Any]]

    @classmethod
    def resolve_reference(cls, id: str, representation: Mapping[str, Any]) -> Self:  # noqa: A002  # the key's name
        """Any id: playback can't know better than titles which exist, and has nothing to tell of unknown ones."""
        return cls(id=strawberry.ID(id), required=representation)

    @strawberry.federation.field(external=True)
    def certificate(self) -> Certificate:
        """Titles' word."""
        return Certificate(minimum_age=int(self._input("certificate")["minimumAge"]))

    @strawberry.federation.field(external=True)
    def availability(self) -> Availability:
        """Titles' word."""
        return Availability(is_available=bool(self._input("availability")["isAvailable"]))

    @strawberry.federation.field(external=True)
    def media_status(self) -> MediaStatus:
        """Titles' word."""
        return MediaStatus(self._input("mediaStatus"))

    @strawberry.field(
        description="Where the viewer's profile is in this title (a series: in its latest episode); "
        "null when never started."
    )
    async def progress(self, info: PlaybackInfo) -> Progress | None:
        """All of a request in one store query."""
        found = await info.context.loaders.by_key(info.context.progress.progress).load(TitleId(self.id))
        return None if found is None else progress_of(found)

    @strawberry.federation.field(
        requires=["certificate { minimumAge }", "availability { isAvailable }", "mediaStatus"],
        description="May this viewer press play now, and if not, why.",
    )
    async def can_play(self, info: PlaybackInfo) -> PlayDecision | None:
        """From what titles says of this title and from the viewer; free stream slots are only known when starting."""
        known = await info.context.loaders.by_key(info.context.progress.titles).load(TitleId(self.id))
        availability = self._input("availability")
        facts = TitleFacts(
            minimum_age=int(self._input("certificate")["minimumAge"]),
            is_kids=known is not None and known.facts.is_kids,
            windows=(Window(EVERYWHERE),) if availability["isAvailable"] else (),
        )
        refusal = check_play(info.context.viewer, facts, info.context.now)
        if refusal is None and self._input("mediaStatus") != MediaStatus.READY.value:
            refusal = PlayRefusal.NOT_READY
        return PlayDecision(allowed=refusal is None, refusal=refusal)

    def _input(self, name: str) -> Any:
        value = self.required.get(name)
        if value is None:
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT, f"title {self.id!r} came without {name}; ask through the gateway"
            )
        return value


@strawberry.type
class HistoryEntry:
    """A title with the profile's place in it."""

    title: Title | None
    progress: Progress


@strawberry.type
class HistoryEdge:
    """Relay edge."""

    cursor: str
    node: HistoryEntry


@strawberry.type
class HistoryConnection:
    """Most recent first."""

    edges: list[HistoryEdge]
    page_info: PageInfo


@strawberry.type
class ContinueWatchingEntry:
    """`progress` is null for an episode that comes next and was not begun."""

    title: Title | None
    progress: Progress | None


@strawberry.federation.type(keys=["id"])
class Profile:
    """Profiles owns it; here are what it watched and what it can go on with."""

    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: str) -> Self:  # noqa: A002  # the key's name
        """Any id; the fields refuse profiles that are not the viewer's."""
        return cls(id=strawberry.ID(id))

    @strawberry.field(description="What was watched, most recent first; first is at most 50.")
    async def history(self, info: PlaybackInfo, first: int = 20, after: str | None = None) -> HistoryConnection | None:
        """One page."""
        request = read_page_request(first, after, max_first=MAX_HISTORY_PAGE, key_length=2)
        read = await info.context.progress.history(
            ProfileId(self.id), first=first, before=None if request.after is None else _position(request.after)
        )
        page = Page.cut(read.bookmarks, request, _cursor_key)
        return HistoryConnection(
            edges=[
                HistoryEdge(
                    cursor=cursor,
                    node=HistoryEntry(
                        title=title_reference(bookmark.key.title_id),
                        progress=progress_of(TitleProgress(bookmark, None)),
                    ),
                )
                for bookmark, cursor in zip(page.items, page.cursors, strict=True)
            ],
            page_info=page_info(page),
        )

    @strawberry.field(description="Titles in progress and next episodes, most recent first; first is at most 20.")
    async def continue_watching(self, info: PlaybackInfo, first: int = 10) -> list[ContinueWatchingEntry] | None:
        """Merged by absolute recency."""
        read_page_request(first, None, max_first=MAX_CONTINUE_WATCHING)
        entries = await info.context.progress.continue_watching(ProfileId(self.id), first)
        return [
            ContinueWatchingEntry(
                title=title_reference(entry.title_id),
                progress=None if entry.bookmark is None else progress_of(TitleProgress(entry.bookmark, None)),
            )
            for entry in entries
        ]


def title_reference(title_id: TitleId) -> Title:
    """A title by its id alone; other subgraphs fill it."""
    return Title(id=strawberry.ID(title_id), required={})


def progress_of(progress: TitleProgress) -> Progress:
    """The GraphQL object."""
    bookmark = progress.bookmark
    resume_id = progress.resume_title_id
    return Progress(
        position_seconds=int(bookmark.position_s),
        duration_seconds=round(bookmark.duration_s),
        fraction=round(bookmark.fraction, 4),
        completed=bookmark.completed,
        last_watched_at=bookmark.last_watched_at.isoformat(),
        resume_title=None if resume_id is None else title_reference(resume_id),
    )


def _cursor_key(bookmark: Bookmark) -> CursorKey:
    return (bookmark.last_watched_at.isoformat(), bookmark.key.title_id)


def _position(key: CursorKey) -> HistoryPosition:
    at, title_id = key
    try:
        # astimezone would read a naive instant as local time; our own cursors always carry a zone.
        instant = datetime.fromisoformat(str(at)).astimezone(UTC)
    except ValueError as error:
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT, "after is a cursor of another list; pass an endCursor of this one"
        ) from error
    return HistoryPosition(instant, TitleId(str(title_id)))
