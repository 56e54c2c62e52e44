# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""The entities that titles owns: Title with its four kinds, Season, Genre, Person, and the lists of them.

One module, because each of these types names the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import strawberry
import strawberry.federation

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.execution import shared
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import CursorKey, Page, PageInfo, page_info, read_page_request
from subgraphs.kernel.policy import EVERYWHERE
from subgraphs.kernel.shared_objects import SharedObjects
from subgraphs.titles.api.artwork import Artwork, ArtworkVariant, artwork_variants, nearest_artwork
from subgraphs.titles.api.context import Info, viewer_country
from subgraphs.titles.api.values import Availability, Certificate
from subgraphs.titles.artwork_sizes import MAIN_VARIANT
from subgraphs.titles.domain import title as domain
from subgraphs.titles.domain.artwork_reference import ArtworkRole, ImageFormat
from subgraphs.titles.domain.browsing import BrowseRequest, SortDirection, TitleFilter, TitleSort
from subgraphs.titles.domain.certificates import certificate_for
from subgraphs.titles.domain.text import shorten
from subgraphs.titles.domain.title import CreditRole, GenreId, MediaStatus, PersonId, SeasonId, TitleKind, VideoKind

__all__ = [
    "Episode",
    "Genre",
    "Movie",
    "Order",
    "Person",
    "Season",
    "Series",
    "Title",
    "TitleConnection",
    "Video",
    "genre_of",
    "person_of",
    "title_connection",
    "title_of",
]

MAX_FIRST = 50
"""Of titles, seasons, episodes and hits in one page."""
MAX_CREDITS = 50
SORT_KEY_LENGTH = 3
EPISODE_KEY_LENGTH = 2
VIDEO_KEY_LENGTH = 2
MAX_TITLES_KEPT = 20_000
"""GraphQL objects, about half a kilobyte each without the record, which memory has as well."""


@strawberry.federation.interface(keys=["id"], description="A film, a series, an episode or a video.")
class Title:
    """What all four have; `record` is the domain's title. Availability changes with the time, and is not shared."""

    objects_are_shared: ClassVar[bool] = True

    record: strawberry.Private[domain.Title]
    id: strawberry.ID
    kind: TitleKind
    display_name: str
    release_year: int | None
    duration_seconds: int | None
    media_status: MediaStatus
    is_kids: bool

    @classmethod
    async def resolve_references(cls, info: Info, ids: Sequence[str]) -> "list[Title | None]":
        """The concrete types, or null for what this viewer may not see; asked for as another kind, it is null too."""
        records = await info.context.visible_titles([TitleId(id_) for id_ in ids])
        entities = [None if (record := records[TitleId(id_)]) is None else title_of(record) for id_ in ids]
        return [entity if isinstance(entity, cls) else None for entity in entities]

    @strawberry.field(
        description="What it is about, cut between words to maxLength characters when that is given.",
        metadata=shared(),
    )
    def synopsis(self, max_length: int | None = None) -> str:
        """The whole text without a length."""
        if max_length is None:
            return self.record.synopsis
        if max_length < 1:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"maxLength is {max_length}; ask for 1 character or more")
        return shorten(self.record.synopsis, max_length)

    @strawberry.field(metadata=shared())
    def genres(self) -> list[Annotated["Genre", strawberry.lazy("subgraphs.titles.api.types")]]:
        """In the source's order."""
        return [genre_of(genre) for genre in self.record.genres]

    @strawberry.field(description="The certificate in the viewer's country.", metadata=shared(viewer_country))
    def certificate(self, info: Info) -> Certificate:
        """The age is the same everywhere, the code is not."""
        shown = certificate_for(
            info.context.viewer.country,
            self.record.minimum_age,
            dict(self.record.certificates),
            is_age_certified=self.record.is_age_certified,
        )
        return Certificate(code=shown.code, minimum_age=shown.minimum_age)

    @strawberry.field(description="Availability in the viewer's country, now.")
    def availability(self, info: Info) -> Availability:
        """The open window that lasts longest."""
        countries = {EVERYWHERE, info.context.viewer.country}
        now = info.context.now
        open_now = [window for window in self.record.windows if window.country in countries and window.is_open(now)]
        if not open_now:
            return Availability(is_available=False, from_=None, until=None)
        longest = max(open_now, key=lambda window: (window.closes_at is None, window.closes_at or now))
        return Availability(
            is_available=True,
            from_=None if longest.opens_at is None else longest.opens_at.isoformat(),
            until=None if longest.closes_at is None else longest.closes_at.isoformat(),
        )

    @strawberry.field(
        description="The smallest offered size that is not smaller than widthPx, or the largest there is.",
        metadata=shared(),
    )
    def artwork(
        self,
        info: Info,
        role: ArtworkRole,
        width_px: int,
        format: ImageFormat = ImageFormat.JPEG,  # noqa: A002
        variant: str = MAIN_VARIANT,
    ) -> Artwork | None:
        """Every title has every role in every variant: what nobody supplied is drawn."""
        return nearest_artwork(info, self.record, role, width_px, image_format=format, variant=variant)

    @strawberry.field(description="The ways in which this title's artwork is drawn.", metadata=shared())
    def artwork_variants(self) -> list[ArtworkVariant]:
        """As many as `artwork_sizes.VARIANTS`."""
        return artwork_variants(self.record)

    @strawberry.field(description="At most 50, in order of billing.", metadata=shared())
    def credits(
        self, role: CreditRole | None = None, first: int = 10
    ) -> list[Annotated["Credit", strawberry.lazy("subgraphs.titles.api.types")]]:
        """All roles, or one."""
        if not 0 <= first <= MAX_CREDITS:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"first is {first}; ask for 0 to {MAX_CREDITS} credits")
        chosen = [credit for credit in self.record.credits if role is None or credit.role is role]
        return [credit_of(credit) for credit in chosen[:first]]

    @strawberry.field(description="Trailers and teasers, newest first; at most 50.")
    async def trailers(
        self, info: Info, first: int = 5
    ) -> list[Annotated["Video", strawberry.lazy("subgraphs.titles.api.types")]]:
        """Of a series: those of all its seasons, too. An episode has none."""
        if not 0 <= first <= MAX_FIRST:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"first is {first}; ask for 0 to {MAX_FIRST} trailers")
        videos = await info.context.videos(self.record.id)
        return [video_of(video) for video in videos if _is_trailer(video)][:first]

    @strawberry.field(description="Bonus: behind the scenes, deleted scenes, interviews; newest first.")
    async def bonus(
        self, info: Info, first: int = 10, after: str | None = None
    ) -> Annotated["VideoConnection", strawberry.lazy("subgraphs.titles.api.types")]:
        """A page of it."""
        request = read_page_request(first, after, max_first=MAX_FIRST, key_length=VIDEO_KEY_LENGTH)
        videos = [video for video in await info.context.videos(self.record.id) if not _is_trailer(video)]
        if request.after is not None:
            videos = [video for video in videos if _is_behind_video(video, request.after)]
        page = Page.cut(videos, request, _video_key)
        edges = [
            VideoEdge(cursor=cursor, node=video_of(video))
            for video, cursor in zip(page.items, page.cursors, strict=True)
        ]
        return VideoConnection(edges=edges, page_info=page_info(page))


@strawberry.federation.type(keys=["id"], description="A film.")
class Movie(Title):
    """Nothing but a title."""


@strawberry.federation.type(keys=["id"], description="A series of episodes in seasons.")
class Series(Title):
    """Its duration is null."""

    @strawberry.field
    async def season_count(self, info: Info) -> int:
        """Seasons known, with or without their episodes."""
        return (await self.season_count_of_all(info, [self]))[0]

    @classmethod
    async def season_count_of_all(cls, info: Info, objects: "Sequence[Series]") -> list[int]:
        """All of a request at once."""
        return [len(seasons) for seasons in await info.context.all_seasons([each.record.id for each in objects])]

    @strawberry.field
    async def seasons(
        self, info: Info, first: int = 10, after: str | None = None
    ) -> Annotated["SeasonConnection", strawberry.lazy("subgraphs.titles.api.types")]:
        """In order of number."""
        request = read_page_request(first, after, max_first=MAX_FIRST, key_length=1)
        seasons = await info.context.seasons(self.record.id)
        start = request.after[0] if request.after else None
        later = [season for season in seasons if not isinstance(start, int) or season.number > start]
        page = Page.cut(later, request, lambda season: (season.number,))
        edges = [
            SeasonEdge(cursor=cursor, node=season_of(season))
            for season, cursor in zip(page.items, page.cursors, strict=True)
        ]
        return SeasonConnection(edges=edges, page_info=page_info(page))


@strawberry.federation.type(keys=["id"], description="One season of a series.")
class Season:
    """Visible where its series is."""

    record: strawberry.Private[domain.Season]
    id: strawberry.ID
    number: int
    display_name: str

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Season | None":  # noqa: A002
        """Null where the viewer may not see the series."""
        record = await info.context.season(SeasonId(id))
        return None if record is None else season_of(record)

    @strawberry.field(description="Episodes that this viewer may see.")
    async def episode_count(self, info: Info) -> int:
        """Zero for a season whose episodes nobody has told us."""
        return len(await self._episodes(info))

    @strawberry.field
    async def series(self, info: Info) -> Series:
        """The series that the viewer came by, or may see."""
        record = await info.context.title(self.record.series_id)
        entity = None if record is None else title_of(record)
        if not isinstance(entity, Series):
            raise ServiceError(ErrorKind.NOT_FOUND, f"the series of season {self.id} is not there")
        return entity

    @strawberry.field
    async def episodes(
        self, info: Info, first: int = 20, after: str | None = None
    ) -> Annotated["EpisodeConnection", strawberry.lazy("subgraphs.titles.api.types")]:
        """In order of number."""
        request = read_page_request(first, after, max_first=MAX_FIRST, key_length=EPISODE_KEY_LENGTH)
        episodes = await self._episodes(info)
        if request.after is not None:
            episodes = [title for title in episodes if _is_behind(title, request.after)]
        page = Page.cut(episodes, request, lambda title: (title.episode_number, title.id))
        edges = [
            EpisodeEdge(cursor=cursor, node=episode_of(title))
            for title, cursor in zip(page.items, page.cursors, strict=True)
        ]
        return EpisodeConnection(edges=edges, page_info=page_info(page))

    @strawberry.field(description="Trailers and teasers of this season, newest first; at most 50.")
    async def trailers(
        self, info: Info, first: int = 5
    ) -> list[Annotated["Video", strawberry.lazy("subgraphs.titles.api.types")]]:
        """Those of the whole series are the series' own."""
        if not 0 <= first <= MAX_FIRST:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"first is {first}; ask for 0 to {MAX_FIRST} trailers")
        videos = await info.context.videos(self.record.series_id)
        return [video_of(video) for video in videos if _is_trailer(video) and video.season_id == self.record.id][:first]

    async def _episodes(self, info: Info) -> list[domain.Title]:
        episodes = await info.context.episodes(self.record.series_id)
        return [title for slot, title in episodes if slot.season_id == self.record.id]


@strawberry.federation.type(keys=["id"], description="One episode of a series.")
class Episode(Title):
    """Its number counts within its season."""

    number: int

    @strawberry.field
    async def season(self, info: Info) -> Season:
        """The season that it belongs to."""
        season_id = self.record.season_id
        record = None if season_id is None else await info.context.season(season_id)
        if record is None:
            raise ServiceError(ErrorKind.NOT_FOUND, f"the season of episode {self.id} is not there")
        return season_of(record)

    @strawberry.field
    async def series(self, info: Info) -> Series:
        """The series that it belongs to."""
        series_id = self.record.series_id
        record = None if series_id is None else await info.context.title(series_id)
        entity = None if record is None else title_of(record)
        if not isinstance(entity, Series):
            raise ServiceError(ErrorKind.NOT_FOUND, f"the series of episode {self.id} is not there")
        return entity

    @strawberry.field(description="The one after it that this viewer may see, in the next season if need be.")
    async def next_episode(
        self, info: Info
    ) -> Annotated["Episode", strawberry.lazy("subgraphs.titles.api.types")] | None:
        """Null after the last."""
        if self.record.series_id is None:
            return None
        episodes = [title for _, title in await info.context.episodes(self.record.series_id)]
        ids = [title.id for title in episodes]
        position = ids.index(self.record.id) + 1 if self.record.id in ids else len(ids)
        return episode_of(episodes[position]) if position < len(episodes) else None


@strawberry.federation.type(keys=["id"], description="A trailer or bonus of a film or a series.")
class Video(Title):
    """Visible where what it is of is visible."""

    video_kind: VideoKind

    @strawberry.field(description="The film or series that it is of.")
    async def of(self, info: Info) -> Title:
        """Visible whenever the video is."""
        parent_id = self.record.video_of
        record = None if parent_id is None else await info.context.title(parent_id)
        if record is None:
            raise ServiceError(ErrorKind.NOT_FOUND, f"the title of video {self.id} is not there")
        return title_of(record)

    @strawberry.field(description="The season that it is about; null when it is about all of a series, or a film.")
    async def season(self, info: Info) -> Season | None:
        """One of the series' seasons."""
        season_id = self.record.season_id
        record = None if season_id is None else await info.context.season(season_id)
        return None if record is None else season_of(record)


@strawberry.federation.type(keys=["id"], description="One genre.")
class Genre:
    """The same for every source."""

    id: strawberry.ID
    display_name: str

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Genre | None":  # noqa: A002
        """Null for an unknown id."""
        genre = await info.context.genre(GenreId(id))
        return None if genre is None else genre_of(genre)

    @strawberry.field(description="At most 50 at a time.")
    async def titles(
        self,
        info: Info,
        sort: TitleSort = TitleSort.POPULARITY,
        direction: SortDirection | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Annotated["TitleConnection", strawberry.lazy("subgraphs.titles.api.types")]:
        """Films and series in this genre."""
        order = Order(sort, direction)
        return await title_connection(info, TitleFilter(genre_id=GenreId(self.id)), order, first, after)


@strawberry.federation.type(keys=["id"], description="Somebody on the credits.")
class Person:
    """Known by name alone, as the sources have no ids: two people of one name are one here."""

    id: strawberry.ID
    display_name: str

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Person | None":  # noqa: A002
        """Null where this viewer may see nothing that they had a part in."""
        person = await info.context.person(PersonId(id))
        return None if person is None else person_of(person)

    @strawberry.field(description="What they had a part in, in one role or in any. At most 50 at a time.")
    async def titles(
        self,
        info: Info,
        *,
        role: CreditRole | None = None,
        sort: TitleSort = TitleSort.RELEASE_YEAR,
        direction: SortDirection | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Annotated["TitleConnection", strawberry.lazy("subgraphs.titles.api.types")]:
        """Films and series that this viewer may see."""
        chosen = TitleFilter(person_id=PersonId(self.id), person_role=role)
        return await title_connection(info, chosen, Order(sort, direction), first, after)


@strawberry.type(description="One line of the credits, in order of billing.")
class Credit:
    """`character` is null for other roles than the cast, and where the source does not name it."""

    person: Person
    role: CreditRole
    character: str | None


@strawberry.federation.type(shareable=True, description="One title in a list.")
class TitleEdge:
    """Relay's edge."""

    cursor: str
    node: Title | None


@strawberry.federation.type(shareable=True, description="A page of titles.")
class TitleConnection:
    """Relay's connection."""

    edges: list[TitleEdge]
    page_info: PageInfo


@strawberry.type
class SeasonEdge:
    """Relay's edge."""

    cursor: str
    node: Season


@strawberry.type
class SeasonConnection:
    """Relay's connection."""

    edges: list[SeasonEdge]
    page_info: PageInfo


@strawberry.type
class VideoEdge:
    """Relay's edge."""

    cursor: str
    node: Video


@strawberry.type
class VideoConnection:
    """Relay's connection."""

    edges: list[VideoEdge]
    page_info: PageInfo


@strawberry.type
class EpisodeEdge:
    """Relay's edge."""

    cursor: str
    node: Episode


@strawberry.type
class EpisodeConnection:
    """Relay's connection."""

    edges: list[EpisodeEdge]
    page_info: PageInfo


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is to be ordered; direction None is the usual one of the sort."""

    sort: TitleSort
    direction: SortDirection | None = None


async def title_connection(
    info: Info, chosen: TitleFilter, order: Order, first: int, after: str | None
) -> TitleConnection:
    """One page of browsing."""
    request = read_page_request(first, after, max_first=MAX_FIRST, key_length=SORT_KEY_LENGTH)
    page = await info.context.browse(BrowseRequest(chosen, order.sort, request, order.direction))
    edges = [
        TitleEdge(cursor=cursor, node=title_of(title)) for title, cursor in zip(page.items, page.cursors, strict=True)
    ]
    return TitleConnection(edges=edges, page_info=page_info(page))


_titles = SharedObjects["Movie | Series | Episode | Video"](most=MAX_TITLES_KEPT)
"""By the identity of the record, which no other one can have while its object is held here."""


def title_of(record: domain.Title) -> Movie | Series | Episode | Video:
    """The GraphQL object of a title that was found visible: the same one for the same record."""
    return _titles.get(id(record)) or _titles.put(id(record), _new_title(record))


def _new_title(record: domain.Title) -> Movie | Series | Episode | Video:
    match record.kind:
        case TitleKind.MOVIE:
            return Movie(**_common(record))
        case TitleKind.SERIES:
            return Series(**_common(record))
        case TitleKind.EPISODE:
            return Episode(**_common(record), number=record.episode_number or 0)
        case TitleKind.VIDEO:
            assert record.video_kind is not None, "a title of kind VIDEO has a video kind"
            return Video(**_common(record), video_kind=record.video_kind)


def video_of(record: domain.Title) -> Video:
    """The GraphQL object of a video."""
    video = title_of(record)
    assert isinstance(video, Video), "only videos are asked for"
    return video


def episode_of(record: domain.Title) -> Episode:
    """The GraphQL object of an episode."""
    episode = title_of(record)
    assert isinstance(episode, Episode), "only episodes are asked for"
    return episode


def season_of(record: domain.Season) -> Season:
    """The GraphQL object of a season."""
    return Season(record=record, id=strawberry.ID(record.id), number=record.number, display_name=record.display_name)


def person_of(person: domain.Person) -> Person:
    """The GraphQL object of a person."""
    return Person(id=strawberry.ID(person.id), display_name=person.display_name)


def credit_of(credit: domain.Credit) -> Credit:
    """The GraphQL object of a line of the credits."""
    return Credit(person=person_of(credit.person), role=credit.role, character=credit.character)


def genre_of(genre: domain.Genre) -> Genre:
    """The GraphQL object of a genre."""
    return Genre(id=strawberry.ID(genre.id), display_name=genre.display_name)


def _common(record: domain.Title) -> dict[str, Any]:
    return {
        "record": record,
        "id": strawberry.ID(record.id),
        "kind": record.kind,
        "display_name": record.display_name,
        "release_year": record.release_year,
        "duration_seconds": record.duration_seconds,
        "media_status": record.media.status,
        "is_kids": record.is_kids,
    }


def _is_behind(title: domain.Title, key: tuple[str | int | float | None, ...]) -> bool:
    number, title_id = key
    if not isinstance(number, int) or not isinstance(title_id, str):
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT, "after is a cursor of another list; pass an endCursor of this season"
        )
    return (title.episode_number or 0, title.id) > (number, title_id)


def _is_trailer(video: domain.Title) -> bool:
    return video.video_kind is not None and video.video_kind.is_trailer


def _video_key(video: domain.Title) -> CursorKey:
    return (int(video.added_at.timestamp() * 1_000_000), video.id)


def _is_behind_video(video: domain.Title, key: CursorKey) -> bool:
    added, video_id = key
    if not isinstance(added, int) or not isinstance(video_id, str):
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT, "after is a cursor of another list; pass an endCursor of this bonus"
        )
    video_added, _ = _video_key(video)
    return isinstance(video_added, int) and (-video_added, video.id) > (-added, video_id)
