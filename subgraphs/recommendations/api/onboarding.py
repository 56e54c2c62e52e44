# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"
"""What a new profile is asked: titles to pick from, and its picks."""

from typing import Annotated

import strawberry

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.results import (
    InvalidInput,
    NoProfileSelected,
    TitleNotFound,
    invalid_input,
    no_profile_selected,
    title_not_found,
)
from subgraphs.recommendations.api.context import RecommendationsInfo
from subgraphs.recommendations.api.titles import Title, title_reference
from subgraphs.recommendations.services.onboard import MAX_INTRODUCTIONS, MAX_PICKS, NotPersonal, UnknownPick

__all__ = ["OnboardingMutation", "OnboardingQuery"]


@strawberry.type(description="What the selected profile is asked while nothing is known of its taste.")
class Onboarding:
    """Of the profile in `profile_id`."""

    profile_id: strawberry.Private[str]

    @strawberry.field(
        description="Whether to ask: nothing is known of the profile, it was not asked before, and its account allows "
        "personalisation."
    )
    async def is_wanted(self, info: RecommendationsInfo) -> bool:
        """False as soon as anything was picked, skipped, watched, rated or listed."""
        return await info.context.services.onboarding.is_wanted(self.profile_id)

    @strawberry.field(
        description="Well-known titles of many kinds that the profile may see, to pick from; first is at most 20."
    )
    async def titles(self, info: RecommendationsInfo, first: int = MAX_INTRODUCTIONS) -> list[Title | None] | None:
        """The same while popularity is."""
        if not 0 <= first <= MAX_INTRODUCTIONS:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"first is {first}; send 0 to {MAX_INTRODUCTIONS}")
        context = info.context
        found = await context.services.onboarding.introductions(context.viewer, first, context.now)
        return [title_reference(title_id) for title_id in found]

    @strawberry.field(description="What the profile picked, at most 10, without what it may not see any more.")
    async def picks(self, info: RecommendationsInfo) -> list[Title | None] | None:
        """In the order in which they were sent."""
        context = info.context
        found = await context.services.onboarding.picks(context.viewer, self.profile_id, context.now)
        return [title_reference(title_id) for title_id in found]


@strawberry.type(description="The next page knows it.")
class SaveOnboardingPicksSuccess:
    """As they are kept."""

    onboarding: Onboarding


@strawberry.type(
    description="The account does not allow personalisation, so nothing was kept: setConsent with purpose "
    "PERSONALISATION changes that."
)
class PersonalisationOff:
    """Pages stay the same for everybody in the country."""

    message: str


SaveOnboardingPicksResult = Annotated[
    SaveOnboardingPicksSuccess | NoProfileSelected | PersonalisationOff | InvalidInput | TitleNotFound,
    strawberry.union("SaveOnboardingPicksResult"),
]


@strawberry.type
class OnboardingQuery:
    """Reads of a new profile."""

    @strawberry.field(description="What the selected profile is asked when it is new; null without a profile.")
    def onboarding(self, info: RecommendationsInfo) -> Onboarding | None:
        """Nothing is read before its fields are asked for."""
        profile_id = info.context.viewer.profile_id
        return None if profile_id is None else Onboarding(profile_id=profile_id)


@strawberry.type
class OnboardingMutation:
    """Writes of a new profile."""

    @strawberry.mutation(
        description="Titles that the selected profile likes, at most 10, in place of those sent before; none: skipped, "
        "and not asked again. They shape pages until what the profile watches says more."
    )
    async def save_onboarding_picks(
        self, info: RecommendationsInfo, title_ids: list[strawberry.ID]
    ) -> SaveOnboardingPicksResult:
        """Movies and series that the viewer may see."""
        context = info.context
        profile_id = context.viewer.profile_id
        if profile_id is None:
            return no_profile_selected()
        if len(title_ids) > MAX_PICKS:
            return invalid_input({"titleIds": f"{len(title_ids)} titles; send at most {MAX_PICKS}"})
        try:
            await context.services.onboarding.save(context.viewer, profile_id, title_ids, context.now)
        except UnknownPick as error:
            return title_not_found(error.title_id)
        except NotPersonal:
            return PersonalisationOff(
                message="This account does not allow personalisation, so picks are not kept; setConsent changes that."
            )
        return SaveOnboardingPicksSuccess(onboarding=Onboarding(profile_id=profile_id))
