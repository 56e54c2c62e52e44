# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"

"""Title as playback extends it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

import strawberry
import strawberry.federation

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import EVERYWHERE, TitleFacts, Window
from subgraphs.playback.api.context import PlaybackInfo
from subgraphs.playback.api.types import Availability, Certificate, MediaStatus, PlayDecision
from subgraphs.playback.domain.rights import check_play
from subgraphs.playback.domain.sessions import PlayRefusal
from subgraphs.playback.services.read_progress import TitleProgress

__all__ = ["Progress", "Title", "progress_of", "title_reference"]


@strawberry.type(description="How far a profile is in a title.")
class Progress:
    """From a bookmark; positions are whole seconds."""

    position_seconds: int
    duration_seconds: int
    fraction: float = strawberry.field(description="0 to 1")
    completed: bool = strawberry.field(description="The position is at the end: from 90 %, or where the credits begin.")
    last_watched_at: str
    watch_count: int = strawberry.field(default=0, description="How often it was watched to the end.")
    episodes_seen: int | None = strawberry.field(
        default=None, description="For a series: episodes watched to the end, of those that the viewer may see."
    )
    episodes_total: int | None = strawberry.field(default=None, description="For a series: those it may see.")
    resume_title: Annotated["Title", strawberry.lazy("subgraphs.playback.api.titles")] | None = strawberry.field(
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
        """Of this one."""
        return (await self.progress_of_all(info, [self]))[0]

    @classmethod
    async def progress_of_all(cls, info: PlaybackInfo, objects: Sequence[Self]) -> list[Progress | None]:
        """All of a request in few store queries."""
        ids = [TitleId(each.id) for each in objects]
        found = await info.context.progress.progress(list(dict.fromkeys(ids)))
        return [progress_of(found[title_id]) if title_id in found else None for title_id in ids]

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


def title_reference(title_id: TitleId) -> Title:
    """A title by its id alone; other subgraphs fill it."""
    return Title(id=strawberry.ID(title_id), required={})


def progress_of(progress: TitleProgress) -> Progress:
    """The GraphQL object."""
    bookmark = progress.bookmark
    resume_id, episodes = progress.resume_title_id, progress.episodes
    return Progress(
        position_seconds=int(bookmark.position_s),
        duration_seconds=round(bookmark.duration_s),
        fraction=round(bookmark.fraction, 4),
        completed=bookmark.completed,
        last_watched_at=bookmark.last_watched_at.isoformat(),
        watch_count=bookmark.watch_count,
        episodes_seen=None if episodes is None else episodes.seen,
        episodes_total=None if episodes is None else episodes.total,
        resume_title=None if resume_id is None else title_reference(resume_id),
    )
