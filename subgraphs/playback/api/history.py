# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"

"""Taking titles out of one's own lists, and putting them back."""

from typing import Annotated

import strawberry

from subgraphs.kernel.ids import ProfileId, TitleId
from subgraphs.kernel.results import NoProfileSelected, TitleNotFound, no_profile_selected, title_not_found
from subgraphs.playback.api.context import PlaybackInfo
from subgraphs.playback.api.titles import Title, title_reference
from subgraphs.playback.domain.bookmarks import Mark

__all__ = ["HistoryMutations"]


@strawberry.type(description="The viewer's lists are changed.")
class HistoryChanged:
    """Ask for the lists again."""

    title: Title | None


HistoryChangeResult = Annotated[
    HistoryChanged | NoProfileSelected | TitleNotFound, strawberry.union("HistoryChangeResult")
]


@strawberry.type
class HistoryMutations:
    """Each does what it says, and its opposite undoes it; watching again undoes both."""

    @strawberry.mutation(description="Take a title, or a whole series, out of the history and of what follows from it.")
    async def hide_from_history(self, info: PlaybackInfo, title_id: strawberry.ID) -> HistoryChangeResult:
        """Its progress is gone from cards, too."""
        return await _change(info, title_id, Mark.HIDDEN, is_set=True)

    @strawberry.mutation(description="Undo hideFromHistory.")
    async def restore_to_history(self, info: PlaybackInfo, title_id: strawberry.ID) -> HistoryChangeResult:
        """As it was."""
        return await _change(info, title_id, Mark.HIDDEN, is_set=False)

    @strawberry.mutation(description="Take a title out of continue watching; an episode with its series.")
    async def remove_from_continue_watching(self, info: PlaybackInfo, title_id: strawberry.ID) -> HistoryChangeResult:
        """The history keeps it."""
        return await _change(info, title_id, Mark.DISMISSED, is_set=True)

    @strawberry.mutation(description="Undo removeFromContinueWatching.")
    async def restore_to_continue_watching(self, info: PlaybackInfo, title_id: strawberry.ID) -> HistoryChangeResult:
        """As it was."""
        return await _change(info, title_id, Mark.DISMISSED, is_set=False)


async def _change(info: PlaybackInfo, title_id: strawberry.ID, mark: Mark, *, is_set: bool) -> HistoryChangeResult:
    profile_id = info.context.viewer.profile_id
    if profile_id is None:
        return no_profile_selected()
    changed = await info.context.services.history.change(
        ProfileId(profile_id), TitleId(title_id), mark, info.context.now, is_set=is_set
    )
    return HistoryChanged(title=title_reference(TitleId(title_id))) if changed else title_not_found(title_id)
