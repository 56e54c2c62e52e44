# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""An account's profiles: made, changed and deleted."""

from typing import assert_never

import strawberry

from subgraphs.kernel.ids import ProfileId
from subgraphs.kernel.results import NotPermitted, invalid_input, not_signed_in
from subgraphs.profiles.api import results
from subgraphs.profiles.api.context import Info
from subgraphs.profiles.api.inputs import CreateProfileInput, UpdateProfileInput
from subgraphs.profiles.api.mutations.shaping import fresh, profile_not_found
from subgraphs.profiles.api.pin_results import pin_refusal
from subgraphs.profiles.api.types import Account, Profile
from subgraphs.profiles.domain import accounts as domain
from subgraphs.profiles.domain import outcomes
from subgraphs.profiles.services.households import NewProfile, ProfileChange

__all__ = ["HouseholdMutations"]


@strawberry.type
class HouseholdMutations:
    """Not for kids profiles."""

    @strawberry.mutation(description="Add a profile; an account has at most five.")
    async def create_profile(
        self,
        info: Info,
        input: CreateProfileInput,  # noqa: A002
    ) -> results.CreateProfileResult:
        """Not from a kids profile."""
        context = fresh(info)
        wanted = NewProfile(input.name, input.avatar, input.is_kids, input.maturity_limit, input.language)
        account = await context.signed_in()
        outcome = await context.services.households.create_profile(
            await context.manager(), account, wanted, context.now
        )
        match outcome:
            case domain.Profile():
                assert account is not None
                return results.CreateProfileSuccess(profile=Profile(record=outcome), account=Account(record=account))
            case outcomes.TooManyProfiles(limit):
                return results.TooManyProfiles(
                    message=f"The account has {limit} profiles, as many as it may; delete one first.", limit=limit
                )
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Change a profile. Tokens that carry it follow when they are refreshed.")
    async def update_profile(
        self,
        info: Info,
        input: UpdateProfileInput,  # noqa: A002
    ) -> results.UpdateProfileResult:
        """Not from a kids profile."""
        context = fresh(info)
        change = ProfileChange(input.name, input.avatar, input.is_kids, input.maturity_limit, input.language, input.pin)
        outcome = await context.services.households.update_profile(
            await context.manager(), await context.signed_in(), ProfileId(input.id), change, context.now
        )
        match outcome:
            case domain.Profile():
                return results.UpdateProfileSuccess(profile=Profile(record=outcome))
            case outcomes.ProfileMissing(profile_id):
                return profile_not_found(profile_id)
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case outcomes.PinNeeded() | outcomes.PinWrong() | outcomes.PinLockedOut():
                return pin_refusal(outcome)
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Delete a profile with its list and ratings; the last one stays.")
    async def delete_profile(self, info: Info, id: strawberry.ID) -> results.DeleteProfileResult:  # noqa: A002
        """Not from a kids profile."""
        context = fresh(info)
        outcome = await context.services.households.delete_profile(
            await context.manager(), await context.signed_in(), ProfileId(id), context.now
        )
        match outcome:
            case domain.Account():
                return results.DeleteProfileSuccess(account=Account(record=outcome))
            case outcomes.ProfileMissing(profile_id):
                return profile_not_found(profile_id)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case _:
                assert_never(outcome)
