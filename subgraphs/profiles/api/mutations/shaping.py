"""What the mutations of several subjects share: a context without old reads, and the shapes of common outcomes."""

import strawberry

from subgraphs.kernel.results import RateLimited
from subgraphs.profiles.api import results
from subgraphs.profiles.api.context import Info, ProfilesContext
from subgraphs.profiles.api.types import Account, Profile, Session
from subgraphs.profiles.services.signing_in import OpenSession

__all__ = ["fresh", "opened_session", "profile_not_found", "rate_limited", "wrong_password"]


def fresh(info: Info) -> ProfilesContext:
    """The context without what an earlier mutation of the same operation loaded: mutations run one after the other."""
    info.context.forget()
    return info.context


def opened_session(opened: OpenSession) -> Session:
    """The tokens, the account and the profile."""
    return Session(
        access_token=opened.access_token,
        access_token_expires_at=opened.access_token_expires_at.isoformat(),
        refresh_token=opened.refresh_token,
        account=Account(record=opened.account),
        profile=None if opened.profile is None else Profile(record=opened.profile),
    )


def rate_limited(retry_after_s: int) -> RateLimited:
    """With when to come back."""
    return RateLimited(message=f"Too many tries; try again in {retry_after_s} s.", retry_after_seconds=retry_after_s)


def profile_not_found(profile_id: str) -> results.ProfileNotFound:
    """The same words for unknown profiles and those of other accounts."""
    return results.ProfileNotFound(
        message=f"The account has no profile {profile_id[:80]!r}.", profile_id=strawberry.ID(profile_id)
    )


def wrong_password() -> results.InvalidCredentials:
    """Where an account is signed in and gives its password once more."""
    return results.InvalidCredentials(message="This is not the account's password.")
