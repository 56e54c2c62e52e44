# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"
"""Recommendations' schema."""

from typing import Annotated

import strawberry

from subgraphs.kernel.entities import build_schema
from subgraphs.kernel.results import InvalidInput, NoProfileSelected, invalid_input, no_profile_selected
from subgraphs.recommendations.api.collections import CollectionMutation, CollectionQuery
from subgraphs.recommendations.api.context import RecommendationsInfo
from subgraphs.recommendations.api.cursors import check_first
from subgraphs.recommendations.api.experiments import ExperimentMutation, ExperimentQuery
from subgraphs.recommendations.api.inputs import DeviceInput, InteractionInput, device_of
from subgraphs.recommendations.api.onboarding import OnboardingMutation, OnboardingQuery
from subgraphs.recommendations.api.page_changes import PageChange, PageExpired, RefreshPageResult
from subgraphs.recommendations.api.pages import (
    ContinueWatchingCard,
    HeroSection,
    Page,
    RowSection,
    Section,
    TitleCard,
    find_section,
    page_of,
)
from subgraphs.recommendations.api.titles import Title
from subgraphs.recommendations.domain.page import PageWish
from subgraphs.recommendations.domain.sections import PageKind
from subgraphs.recommendations.services.report_interactions import MAX_INTERACTIONS, MAX_TRACKING_LENGTH, Interaction
from subgraphs.recommendations.services.serve_pages import PageExpired as NoSuchRevision

__all__ = ["schema"]


@strawberry.type
class Query(CollectionQuery, OnboardingQuery, ExperimentQuery):
    """Reads from the root."""

    @strawberry.field(description="A page for this viewer on this device.")
    async def page(
        self,
        info: RecommendationsInfo,
        kind: PageKind,
        device: DeviceInput,
        genre_id: Annotated[strawberry.ID | None, strawberry.argument(description="for GENRE pages")] = None,
        title_id: Annotated[strawberry.ID | None, strawberry.argument(description="for MORE_LIKE_THIS pages")] = None,
    ) -> Page:
        """Also for visitors without an account."""
        wish = PageWish(kind, device_of(device), genre_id, title_id)
        return page_of(await info.context.services.pages.page(info.context.viewer, wish, info.context.now))

    @strawberry.field(
        description="A section of a page by its id, to go on in its items; error PAGE_EXPIRED: load the page again."
    )
    async def section(self, info: RecommendationsInfo, id: strawberry.ID) -> Section:  # noqa: A002
        """Of the revision in which the id came."""
        return await find_section(info, id)


@strawberry.type(description="Told to those who learn from it.")
class ReportInteractionsSuccess:
    """Of the cards that were sent."""

    taken_count: int


ReportInteractionsResult = Annotated[
    ReportInteractionsSuccess | NoProfileSelected | InvalidInput, strawberry.union("ReportInteractionsResult")
]


@strawberry.type
class Mutation(CollectionMutation, OnboardingMutation, ExperimentMutation):
    """Writes."""

    @strawberry.mutation(
        description="After an event, as a title watched to its end: what changed on a page that the client holds. "
        "sections: how many from the top it holds, at most 50; without, all."
    )
    async def refresh_page(
        self, info: RecommendationsInfo, page_id: strawberry.ID, revision: str, sections: int | None = None
    ) -> RefreshPageResult:
        """Made of the page as it would be loaded now."""
        context = info.context
        held = None if sections is None else check_first(sections)
        try:
            change = await context.services.pages.refresh(context.viewer, page_id, revision, held, context.now)
        except NoSuchRevision:
            return PageExpired(message="this revision of the page is not kept any more; load the page again")
        return PageChange(change=change)

    @strawberry.mutation(
        description="Tell what was on the screen and what was opened, at most 50 cards at once. Nothing is taken from "
        "kids profiles and from accounts that refuse personalisation."
    )
    async def report_interactions(
        self, info: RecommendationsInfo, interactions: list[InteractionInput]
    ) -> ReportInteractionsResult:
        """Cards of titles that the viewer may not see are left out."""
        context = info.context
        if context.viewer.profile_id is None:
            return no_profile_selected()
        problems = _problems(interactions)
        if problems:
            return invalid_input(problems)
        told = [Interaction(each.kind, each.title_id, each.tracking) for each in interactions]
        taken_count = await context.services.interactions.report(context.viewer, told, context.now)
        return ReportInteractionsSuccess(taken_count=taken_count)


def _problems(interactions: list[InteractionInput]) -> dict[str, str]:
    if len(interactions) > MAX_INTERACTIONS:
        return {"interactions": f"{len(interactions)} cards; send at most {MAX_INTERACTIONS} at once"}
    return {
        f"interactions.{index}.tracking": f"at most {MAX_TRACKING_LENGTH} characters"
        for index, each in enumerate(interactions)
        if len(each.tracking) > MAX_TRACKING_LENGTH
    }


schema = build_schema(
    query=Query,
    mutation=Mutation,
    types=[Title, HeroSection, RowSection, TitleCard, ContinueWatchingCard],
)
