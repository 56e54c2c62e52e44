# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""PINs of profiles."""

from typing import assert_never

import strawberry

from subgraphs.kernel.ids import ProfileId
from subgraphs.kernel.results import NotPermitted, invalid_input, not_signed_in
from subgraphs.profiles.api import people_results as results
from subgraphs.profiles.api.context import Info
from subgraphs.profiles.api.mutations.shaping import fresh, profile_not_found, rate_limited, wrong_password
from subgraphs.profiles.api.people_inputs import SetPinInput
from subgraphs.profiles.api.pin_results import pin_refusal
from subgraphs.profiles.api.types import Profile
from subgraphs.profiles.domain import accounts as domain
from subgraphs.profiles.domain import outcomes

__all__ = ["PinMutations"]


@strawberry.type
class PinMutations:
    """Set and take away."""

    @strawberry.mutation(
        description="Set, change or (null) take away a profile's PIN, by the PIN there is or the account's password."
    )
    async def set_pin(self, info: Info, input: SetPinInput) -> results.SetPinResult:  # noqa: A002
        """Tries with a PIN count as guesses, tries with the password as log-ins."""
        context = fresh(info)
        outcome = await context.services.pins.set_pin(
            await context.asker(),
            ProfileId(input.profile_id),
            input.pin,
            current_pin=input.current_pin,
            password=input.password,
        )
        match outcome:
            case domain.Profile():
                return results.SetPinSuccess(profile=Profile(record=outcome))
            case outcomes.ProfileMissing(profile_id):
                return profile_not_found(profile_id)
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case outcomes.Limited(retry_after_s):
                return rate_limited(retry_after_s)
            case outcomes.WrongCredentials():
                return wrong_password()
            case outcomes.PinNeeded() | outcomes.PinWrong() | outcomes.PinLockedOut():
                return pin_refusal(outcome)
            case _:
                assert_never(outcome)
