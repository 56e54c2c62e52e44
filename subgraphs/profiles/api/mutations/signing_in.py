# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""Sign-up, log-in, refreshing, choosing a profile and logging out."""

from typing import assert_never

import strawberry

from subgraphs.kernel.ids import ProfileId
from subgraphs.kernel.results import invalid_input, not_signed_in
from subgraphs.profiles.api import results
from subgraphs.profiles.api.context import Info
from subgraphs.profiles.api.inputs import (
    LogInDeviceInput,
    LogInInput,
    RefreshSessionInput,
    SelectProfileInput,
    SignUpInput,
)
from subgraphs.profiles.api.mutations.shaping import fresh, opened_session, profile_not_found, rate_limited
from subgraphs.profiles.api.pin_results import pin_refusal
from subgraphs.profiles.domain import outcomes
from subgraphs.profiles.services.devices import DeviceDraft
from subgraphs.profiles.services.signing_in import LogIn, OpenSession, SignUp

__all__ = ["SigningInMutations"]


@strawberry.type
class SigningInMutations:
    """Every way into a session, and out of it."""

    @strawberry.mutation(description="Make an account with its first profile, and log it in.")
    async def sign_up(self, info: Info, input: SignUpInput) -> results.SignUpResult:  # noqa: A002
        """Rate-limited per address."""
        context = fresh(info)
        wanted = SignUp(
            input.email, input.password, input.country, input.plan, input.profile_name, _draft(input.device)
        )
        outcome = await context.services.signing_in.sign_up(wanted, context.head.client_address, context.now)
        match outcome:
            case OpenSession():
                return results.SignUpSuccess(session=opened_session(outcome))
            case outcomes.EmailTaken():
                return results.EmailTaken(message="An account with this e-mail address exists; log in instead.")
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.Limited(retry_after_s):
                return rate_limited(retry_after_s)
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Open a session. Its token is account-level; go on with selectProfile.")
    async def log_in(self, info: Info, input: LogInInput) -> results.LogInResult:  # noqa: A002
        """Rate-limited per address and per account."""
        context = fresh(info)
        wanted = LogIn(input.email, input.password, input.device_name or "", _draft(input.device))
        outcome = await context.services.signing_in.log_in(wanted, context.head.client_address, context.now)
        match outcome:
            case OpenSession():
                return results.LogInSuccess(session=opened_session(outcome))
            case outcomes.WrongCredentials():
                return results.InvalidCredentials(message="No account has this e-mail address and password.")
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.Limited(retry_after_s):
                return rate_limited(retry_after_s)
            case _:
                assert_never(outcome)

    @strawberry.mutation(
        description="Exchange a refresh token for new tokens. One that was used before ends its session for everybody."
    )
    async def refresh_session(
        self,
        info: Info,
        input: RefreshSessionInput,  # noqa: A002
    ) -> results.RefreshSessionResult:
        """Needs no access token: it may have expired."""
        context = fresh(info)
        outcome = await context.services.signing_in.refresh(input.refresh_token, context.now)
        match outcome:
            case OpenSession():
                return results.RefreshSessionSuccess(session=opened_session(outcome))
            case outcomes.InvalidRefreshToken():
                return results.InvalidRefreshToken(message="This refresh token can't be used; log in again.")
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="End this session, or all of the account's.")
    async def log_out(self, info: Info, everywhere: bool = False) -> results.LogOutResult:  # noqa: FBT001, FBT002
        """Here at once; the gateway refuses the session's access tokens within seconds (revoked-sessions.json)."""
        context = fresh(info)
        logged_out = await context.services.signing_in.log_out(context.viewer, context.now, everywhere=everywhere)
        return results.LogOutResult(logged_out=logged_out)

    @strawberry.mutation(description="Choose who watches; the new tokens carry the profile.")
    async def select_profile(
        self,
        info: Info,
        input: SelectProfileInput,  # noqa: A002
    ) -> results.SelectProfileResult:
        """By access token, refresh token or both."""
        context = fresh(info)
        outcome = await context.services.signing_in.select_profile(
            context.viewer, ProfileId(input.profile_id), input.refresh_token, input.pin, context.now
        )
        match outcome:
            case OpenSession():
                return results.SelectProfileSuccess(session=opened_session(outcome))
            case outcomes.ProfileMissing(profile_id):
                return profile_not_found(profile_id)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case outcomes.PinNeeded() | outcomes.PinWrong() | outcomes.PinLockedOut():
                return pin_refusal(outcome)
            case _:
                assert_never(outcome)


def _draft(device: LogInDeviceInput | None) -> DeviceDraft | None:
    return None if device is None else device.to_draft()
