# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"

"""Profile as playback extends it: what it watched, what it can go on with, what it keeps on devices."""

from datetime import UTC, datetime
from typing import Self

import strawberry
import strawberry.federation

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import ProfileId, TitleId
from subgraphs.kernel.pagination import CursorKey, Page, PageInfo, page_info, read_page_request
from subgraphs.playback.api.context import PlaybackInfo
from subgraphs.playback.api.downloads import DownloadConnection, downloads_of_profile
from subgraphs.playback.api.titles import Progress, Title, progress_of, title_reference
from subgraphs.playback.domain.bookmarks import Bookmark
from subgraphs.playback.ports import HistoryPosition
from subgraphs.playback.services.read_progress import TitleProgress

__all__ = ["ContinueWatchingEntry", "Profile"]

MAX_HISTORY_PAGE = 50
MAX_CONTINUE_WATCHING = 20


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

    @strawberry.field(description="What the profile keeps on devices, newest first; first is at most 50.")
    async def downloads(
        self, info: PlaybackInfo, first: int = 20, after: str | None = None
    ) -> DownloadConnection | None:
        """One page; null for any profile but the viewer's own."""
        if info.context.viewer.profile_id != self.id:
            return None
        return await downloads_of_profile(info, self.id, first, after)


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
