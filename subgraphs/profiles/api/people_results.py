"""The results of mutations about PINs, passwords, preferences, consent and messages."""

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
from subgraphs.profiles.api.people_types import Consent
from subgraphs.profiles.api.pin_results import PinIncorrect, PinLocked, PinRequired
from subgraphs.profiles.api.results import EmailTaken, InvalidCredentials, ProfileNotFound
from subgraphs.profiles.api.types import Account, Profile, Title

__all__ = [
    "ChangePasswordResult",
    "ChangePasswordSuccess",
    "ConfirmEmailChangeResult",
    "ConfirmEmailChangeSuccess",
    "InvalidCode",
    "MailRequested",
    "MarkNotificationsReadResult",
    "MarkNotificationsReadSuccess",
    "RequestEmailChangeResult",
    "RequestPasswordResetResult",
    "ResetPasswordResult",
    "ResetPasswordSuccess",
    "SetConsentResult",
    "SetConsentSuccess",
    "SetMutedMailsResult",
    "SetMutedMailsSuccess",
    "SetPinResult",
    "SetPinSuccess",
    "SetPreferencesResult",
    "SetPreferencesSuccess",
    "SetThumbResult",
    "SetThumbSuccess",
]


@strawberry.type
class SetPinSuccess:
    """The profile with or without its PIN."""

    profile: Profile


@strawberry.type
class ChangePasswordSuccess:
    """This session goes on, all others have ended."""

    account: Account


@strawberry.type(description="If the address can get one, a mail with a code is on its way; the answer is always this.")
class MailRequested:
    """Says nothing about whether an account has the address."""

    message: str


@strawberry.type(description="The code can't be used: unknown, expired, or used before.")
class InvalidCode:
    """Ask for another mail."""

    message: str


@strawberry.type
class ResetPasswordSuccess:
    """All sessions have ended; log in with the new password."""

    message: str


@strawberry.type
class ConfirmEmailChangeSuccess:
    """The account with its new address."""

    account: Account


@strawberry.type
class SetPreferencesSuccess:
    """The profile with its preferences."""

    profile: Profile


@strawberry.type
class SetConsentSuccess:
    """Where the account stands now."""

    consent: Consent
    account: Account


@strawberry.type
class SetMutedMailsSuccess:
    """The account with what it does not want."""

    account: Account


@strawberry.type
class MarkNotificationsReadSuccess:
    """How many were unread."""

    marked_count: int
    account: Account


@strawberry.type
class SetThumbSuccess:
    """The title with its thumb."""

    title: Title | None


SetPinResult = Annotated[
    SetPinSuccess
    | ProfileNotFound
    | InvalidInput
    | NotPermitted
    | NotSignedIn
    | RateLimited
    | InvalidCredentials
    | PinRequired
    | PinIncorrect
    | PinLocked,
    strawberry.union("SetPinResult"),
]
ChangePasswordResult = Annotated[
    ChangePasswordSuccess | InvalidCredentials | InvalidInput | NotPermitted | NotSignedIn | RateLimited,
    strawberry.union("ChangePasswordResult"),
]
RequestPasswordResetResult = Annotated[
    MailRequested | InvalidInput | RateLimited, strawberry.union("RequestPasswordResetResult")
]
ResetPasswordResult = Annotated[
    ResetPasswordSuccess | InvalidCode | InvalidInput | RateLimited, strawberry.union("ResetPasswordResult")
]
RequestEmailChangeResult = Annotated[
    MailRequested | InvalidCredentials | InvalidInput | NotPermitted | NotSignedIn | RateLimited,
    strawberry.union("RequestEmailChangeResult"),
]
ConfirmEmailChangeResult = Annotated[
    ConfirmEmailChangeSuccess | InvalidCode | EmailTaken | NotSignedIn | RateLimited,
    strawberry.union("ConfirmEmailChangeResult"),
]
SetPreferencesResult = Annotated[
    SetPreferencesSuccess | ProfileNotFound | NoProfileSelected | InvalidInput | NotPermitted | NotSignedIn,
    strawberry.union("SetPreferencesResult"),
]
SetConsentResult = Annotated[
    SetConsentSuccess | InvalidInput | NotPermitted | NotSignedIn, strawberry.union("SetConsentResult")
]
SetMutedMailsResult = Annotated[
    SetMutedMailsSuccess | InvalidInput | NotPermitted | NotSignedIn, strawberry.union("SetMutedMailsResult")
]
MarkNotificationsReadResult = Annotated[
    MarkNotificationsReadSuccess | InvalidInput | NotPermitted | NotSignedIn,
    strawberry.union("MarkNotificationsReadResult"),
]
SetThumbResult = Annotated[SetThumbSuccess | NoProfileSelected | TitleNotFound, strawberry.union("SetThumbResult")]
