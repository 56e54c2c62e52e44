# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""The mutations of profiles: each asks one service and shapes its outcome."""

from typing import assert_never

import strawberry

from subgraphs.kernel.ids import ProfileId, TitleId
from subgraphs.kernel.results import (
    NotPermitted,
    RateLimited,
    invalid_input,
    no_profile_selected,
    not_signed_in,
    title_not_found,
)
from subgraphs.profiles.api import results
from subgraphs.profiles.api.context import Info, ProfilesContext
from subgraphs.profiles.api.inputs import (
    CreateProfileInput,
    LogInInput,
    RefreshSessionInput,
    SelectProfileInput,
    SignUpInput,
    UpdateProfileInput,
)
from subgraphs.profiles.api.types import Account, Profile, Session, Title
from subgraphs.profiles.domain import accounts as domain
from subgraphs.profiles.domain import outcomes
from subgraphs.profiles.services.households import NewProfile, ProfileChange
from subgraphs.profiles.services.signing_in import LogIn, OpenSession, SignUp

__all__ = ["Mutation"]


@strawberry.type
class Mutation:
    """Signing in, profiles, My List and ratings."""

    @strawberry.mutation(description="Make an account with its first profile, and log it in.")
    async def sign_up(self, info: Info, input: SignUpInput) -> results.SignUpResult:  # noqa: A002
        """Rate-limited per address."""
        context = _fresh(info)
        wanted = SignUp(input.email, input.password, input.country, input.plan, input.profile_name)
        outcome = await context.services.signing_in.sign_up(wanted, context.head.client_address, context.now)
        match outcome:
            case OpenSession():
                return results.SignUpSuccess(session=_session(outcome))
            case outcomes.EmailTaken():
                return results.EmailTaken(message="An account with this e-mail address exists; log in instead.")
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.Limited(retry_after_s):
                return _rate_limited(retry_after_s)
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Open a session. Its token is account-level; go on with selectProfile.")
    async def log_in(self, info: Info, input: LogInInput) -> results.LogInResult:  # noqa: A002
        """Rate-limited per address and per account."""
        context = _fresh(info)
        wanted = LogIn(input.email, input.password, input.device_name or "")
        outcome = await context.services.signing_in.log_in(wanted, context.head.client_address, context.now)
        match outcome:
            case OpenSession():
                return results.LogInSuccess(session=_session(outcome))
            case outcomes.WrongCredentials():
                return results.InvalidCredentials(message="No account has this e-mail address and password.")
            case outcomes.Limited(retry_after_s):
                return _rate_limited(retry_after_s)
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
        context = _fresh(info)
        outcome = await context.services.signing_in.refresh(input.refresh_token, context.now)
        match outcome:
            case OpenSession():
                return results.RefreshSessionSuccess(session=_session(outcome))
            case outcomes.InvalidRefreshToken():
                return results.InvalidRefreshToken(message="This refresh token can't be used; log in again.")
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="End this session, or all of the account's.")
    async def log_out(self, info: Info, everywhere: bool = False) -> results.LogOutResult:  # noqa: FBT001, FBT002
        """Access tokens that are out expire by themselves within 15 minutes."""
        context = _fresh(info)
        logged_out = await context.services.signing_in.log_out(context.viewer, context.now, everywhere=everywhere)
        return results.LogOutResult(logged_out=logged_out)

    @strawberry.mutation(description="Choose who watches; the new tokens carry the profile.")
    async def select_profile(
        self,
        info: Info,
        input: SelectProfileInput,  # noqa: A002
    ) -> results.SelectProfileResult:
        """By access token, refresh token or both."""
        context = _fresh(info)
        outcome = await context.services.signing_in.select_profile(
            context.viewer, ProfileId(input.profile_id), input.refresh_token, context.now
        )
        match outcome:
            case OpenSession():
                return results.SelectProfileSuccess(session=_session(outcome))
            case outcomes.ProfileMissing(profile_id):
                return _profile_not_found(profile_id)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Add a profile; an account has at most five.")
    async def create_profile(
        self,
        info: Info,
        input: CreateProfileInput,  # noqa: A002
    ) -> results.CreateProfileResult:
        """Not from a kids profile."""
        context = _fresh(info)
        wanted = NewProfile(input.name, input.avatar, input.is_kids, input.maturity_limit, input.language)
        account = await context.signed_in()
        outcome = await context.services.households.create_profile(context.viewer, account, wanted, context.now)
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
        context = _fresh(info)
        change = ProfileChange(input.name, input.avatar, input.maturity_limit, input.language)
        outcome = await context.services.households.update_profile(
            context.viewer, await context.signed_in(), ProfileId(input.id), change, context.now
        )
        match outcome:
            case domain.Profile():
                return results.UpdateProfileSuccess(profile=Profile(record=outcome))
            case outcomes.ProfileMissing(profile_id):
                return _profile_not_found(profile_id)
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Delete a profile with its list and ratings; the last one stays.")
    async def delete_profile(self, info: Info, id: strawberry.ID) -> results.DeleteProfileResult:  # noqa: A002
        """Not from a kids profile."""
        context = _fresh(info)
        outcome = await context.services.households.delete_profile(
            context.viewer, await context.signed_in(), ProfileId(id), context.now
        )
        match outcome:
            case domain.Account():
                return results.DeleteProfileSuccess(account=Account(record=outcome))
            case outcomes.ProfileMissing(profile_id):
                return _profile_not_found(profile_id)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Put a title on the selected profile's list; again changes nothing.")
    async def add_to_my_list(self, info: Info, title_id: strawberry.ID) -> results.MyListResult:
        """Titles that the viewer may not see are not found."""
        context = _fresh(info)
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
        context = _fresh(info)
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
        context = _fresh(info)
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


def _fresh(info: Info) -> ProfilesContext:
    """The context without what an earlier mutation of the same operation loaded: mutations run one after the other."""
    info.context.forget()
    return info.context


def _session(opened: OpenSession) -> Session:
    return Session(
        access_token=opened.access_token,
        access_token_expires_at=opened.access_token_expires_at.isoformat(),
        refresh_token=opened.refresh_token,
        account=Account(record=opened.account),
        profile=None if opened.profile is None else Profile(record=opened.profile),
    )


def _rate_limited(retry_after_s: int) -> RateLimited:
    return RateLimited(message=f"Too many tries; try again in {retry_after_s} s.", retry_after_seconds=retry_after_s)


def _profile_not_found(profile_id: str) -> results.ProfileNotFound:
    return results.ProfileNotFound(
        message=f"The account has no profile {profile_id[:80]!r}.", profile_id=strawberry.ID(profile_id)
    )
