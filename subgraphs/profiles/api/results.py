"""The mutations' results: a success or one of the expected failures."""

from typing import Annotated

import strawberry

from subgraphs.kernel.results import (
    InvalidInput,
    NoProfileSelected,
    NotPermitted,
    NotSignedIn,
    RateLimited,
    TitleNotFound,
)
from subgraphs.profiles.api.pin_results import PinIncorrect, PinLocked, PinRequired
from subgraphs.profiles.api.types import Account, Profile, Session, Title

__all__ = [
    "CreateProfileResult",
    "CreateProfileSuccess",
    "DeleteProfileResult",
    "DeleteProfileSuccess",
    "EmailTaken",
    "InvalidCredentials",
    "InvalidRefreshToken",
    "LogInResult",
    "LogInSuccess",
    "LogOutResult",
    "MyListFull",
    "MyListResult",
    "MyListSuccess",
    "ProfileNotFound",
    "RateTitleResult",
    "RateTitleSuccess",
    "RefreshSessionResult",
    "RefreshSessionSuccess",
    "SelectProfileResult",
    "SelectProfileSuccess",
    "SignUpResult",
    "SignUpSuccess",
    "TooManyProfiles",
    "UpdateProfileResult",
    "UpdateProfileSuccess",
]


@strawberry.type
class SignUpSuccess:
    """The account exists and is logged in."""

    session: Session


@strawberry.type(description="Another account has this e-mail address.")
class EmailTaken:
    """Log in instead."""

    message: str


@strawberry.type
class LogInSuccess:
    """An account-level session; go on with selectProfile."""

    session: Session


@strawberry.type(description="No account has this e-mail address and password.")
class InvalidCredentials:
    """The same for an unknown address and a wrong password."""

    message: str


@strawberry.type
class RefreshSessionSuccess:
    """The session goes on."""

    session: Session


@strawberry.type(description="The refresh token can't be used; log in again.")
class InvalidRefreshToken:
    """Unknown, expired, used before, or of a session that ended."""

    message: str


@strawberry.type
class LogOutResult:
    """False when nobody was signed in."""

    logged_out: bool


@strawberry.type
class SelectProfileSuccess:
    """Tokens that carry the profile."""

    session: Session


@strawberry.type(description="The account has no such profile.")
class ProfileNotFound:
    """The same for unknown profiles and those of other accounts."""

    message: str
    profile_id: strawberry.ID


@strawberry.type
class CreateProfileSuccess:
    """The new profile and the account with it."""

    profile: Profile
    account: Account


@strawberry.type(description="The account has as many profiles as it may have.")
class TooManyProfiles:
    """Delete one first."""

    message: str
    limit: int


@strawberry.type
class UpdateProfileSuccess:
    """The profile as it is now."""

    profile: Profile


@strawberry.type
class DeleteProfileSuccess:
    """The account without the profile."""

    account: Account


@strawberry.type
class MyListSuccess:
    """The title with its mark, and the profile with its list."""

    title: Title | None
    profile: Profile


@strawberry.type(description="The list has as many titles as it may have.")
class MyListFull:
    """Remove one first."""

    message: str
    limit: int


@strawberry.type
class RateTitleSuccess:
    """The title with its rating."""

    title: Title | None


SignUpResult = Annotated[SignUpSuccess | EmailTaken | InvalidInput | RateLimited, strawberry.union("SignUpResult")]
LogInResult = Annotated[LogInSuccess | InvalidCredentials | InvalidInput | RateLimited, strawberry.union("LogInResult")]
RefreshSessionResult = Annotated[RefreshSessionSuccess | InvalidRefreshToken, strawberry.union("RefreshSessionResult")]
SelectProfileResult = Annotated[
    SelectProfileSuccess | ProfileNotFound | NotSignedIn | PinRequired | PinIncorrect | PinLocked,
    strawberry.union("SelectProfileResult"),
]
CreateProfileResult = Annotated[
    CreateProfileSuccess | TooManyProfiles | InvalidInput | NotPermitted | NotSignedIn,
    strawberry.union("CreateProfileResult"),
]
UpdateProfileResult = Annotated[
    UpdateProfileSuccess
    | ProfileNotFound
    | InvalidInput
    | NotPermitted
    | NotSignedIn
    | PinRequired
    | PinIncorrect
    | PinLocked,
    strawberry.union("UpdateProfileResult"),
]
DeleteProfileResult = Annotated[
    DeleteProfileSuccess | ProfileNotFound | NotPermitted | NotSignedIn, strawberry.union("DeleteProfileResult")
]
MyListResult = Annotated[
    MyListSuccess | NoProfileSelected | TitleNotFound | MyListFull, strawberry.union("MyListResult")
]
RateTitleResult = Annotated[
    RateTitleSuccess | NoProfileSelected | TitleNotFound | InvalidInput, strawberry.union("RateTitleResult")
]
