"""Expected failures of the services, one type each, so that a caller must look at all of them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "EmailTaken",
    "Invalid",
    "InvalidOneTimeToken",
    "InvalidRefreshToken",
    "Limited",
    "ListFull",
    "NotAllowed",
    "NotSignedIn",
    "PinLockedOut",
    "PinNeeded",
    "PinWrong",
    "ProfileMissing",
    "TitleMissing",
    "TooManyProfiles",
    "WrongCredentials",
]


@dataclass(frozen=True, slots=True)
class Invalid:
    """`problems`: what is wrong by field path; never empty."""

    problems: dict[str, str]


@dataclass(frozen=True, slots=True)
class Limited:
    """Too many tries."""

    retry_after_s: int


@dataclass(frozen=True, slots=True)
class EmailTaken:
    """Another account has the address."""


@dataclass(frozen=True, slots=True)
class WrongCredentials:
    """Unknown address or wrong password; nobody is told which."""


@dataclass(frozen=True, slots=True)
class InvalidRefreshToken:
    """Unknown, expired, used before, or of a session that ended."""


@dataclass(frozen=True, slots=True)
class NotSignedIn:
    """Anonymous, or the session has ended since the access token was issued."""


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """`message` says why and what to do instead."""

    message: str


@dataclass(frozen=True, slots=True)
class ProfileMissing:
    """No such profile in this account; another account's looks the same."""

    profile_id: str


@dataclass(frozen=True, slots=True)
class TooManyProfiles:
    """The account has `limit` profiles."""

    limit: int


@dataclass(frozen=True, slots=True)
class TitleMissing:
    """No such title for this viewer."""

    title_id: str


@dataclass(frozen=True, slots=True)
class ListFull:
    """The list has `limit` titles."""

    limit: int


@dataclass(frozen=True, slots=True)
class PinNeeded:
    """The profile has a PIN and none was given."""

    profile_id: str


@dataclass(frozen=True, slots=True)
class PinWrong:
    """`tries_left` before the profile is locked; 0: it is now."""

    profile_id: str
    tries_left: int


@dataclass(frozen=True, slots=True)
class PinLockedOut:
    """Too many wrong PINs; no guess is looked at meanwhile."""

    profile_id: str
    retry_after_s: int


@dataclass(frozen=True, slots=True)
class InvalidOneTimeToken:
    """Unknown, expired, used, or made for something else."""
