# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""My List, ratings and thumbs."""

from typing import assert_never

import strawberry

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.results import invalid_input, no_profile_selected, title_not_found
from subgraphs.profiles.api import people_results, results
from subgraphs.profiles.api.context import Info
from subgraphs.profiles.api.mutations.shaping import fresh
from subgraphs.profiles.api.types import Profile, Title
from subgraphs.profiles.domain import outcomes
from subgraphs.profiles.domain.lists import Thumb

__all__ = ["ViewerListMutations"]


@strawberry.type
class ViewerListMutations:
    """What the selected profile notes about titles."""

    @strawberry.mutation(description="Put a title on the selected profile's list; again changes nothing.")
    async def add_to_my_list(self, info: Info, title_id: strawberry.ID) -> results.MyListResult:
        """Titles that the viewer may not see are not found."""
        context = fresh(info)
        profile = await context.selected_profile()
        if profile is None:
            return no_profile_selected()
        viewer, lists = await context.current_viewer(), context.services.viewer_lists
        outcome = await lists.add(viewer, profile.id, TitleId(title_id), context.now)
        match outcome:
            case None:
                return results.MyListSuccess(title=Title(id=title_id), profile=Profile(record=profile))
            case outcomes.TitleMissing():
                return title_not_found(title_id)
            case outcomes.ListFull(limit):
                return results.MyListFull(message=f"The list has {limit} titles; remove one first.", limit=limit)
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Take a title off the selected profile's list; again changes nothing.")
    async def remove_from_my_list(self, info: Info, title_id: strawberry.ID) -> results.MyListResult:
        """Titles that the viewer may not see are not found."""
        context = fresh(info)
        profile = await context.selected_profile()
        if profile is None:
            return no_profile_selected()
        viewer, lists = await context.current_viewer(), context.services.viewer_lists
        outcome = await lists.remove(viewer, profile.id, TitleId(title_id), context.now)
        match outcome:
            case None:
                return results.MyListSuccess(title=Title(id=title_id), profile=Profile(record=profile))
            case outcomes.TitleMissing():
                return title_not_found(title_id)
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Rate a title with 1 to 5 stars; null clears.")
    async def rate_title(
        self, info: Info, title_id: strawberry.ID, stars: int | None = None
    ) -> results.RateTitleResult:
        """Titles that the viewer may not see are not found."""
        context = fresh(info)
        profile = await context.selected_profile()
        if profile is None:
            return no_profile_selected()
        viewer, lists = await context.current_viewer(), context.services.viewer_lists
        outcome = await lists.rate(viewer, profile.id, TitleId(title_id), stars, context.now)
        match outcome:
            case None:
                return results.RateTitleSuccess(title=Title(id=title_id))
            case outcomes.TitleMissing():
                return title_not_found(title_id)
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Say what the selected profile thinks of a title in one gesture; null clears.")
    async def set_thumb(
        self, info: Info, title_id: strawberry.ID, thumb: Thumb | None = None
    ) -> people_results.SetThumbResult:
        """Titles that the viewer may not see are not found."""
        context = fresh(info)
        profile = await context.selected_profile()
        if profile is None:
            return no_profile_selected()
        viewer, lists = await context.current_viewer(), context.services.viewer_lists
        outcome = await lists.thumb(viewer, profile.id, TitleId(title_id), thumb, context.now)
        match outcome:
            case None:
                return people_results.SetThumbSuccess(title=Title(id=title_id))
            case outcomes.TitleMissing():
                return title_not_found(title_id)
            case _:
                assert_never(outcome)
