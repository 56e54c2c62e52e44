"""What an account and a profile may look like: the checks return problem texts by field, normalising comes first."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from common.tokens import Viewer
from subgraphs.kernel.policy import MAX_MATURITY
from subgraphs.profiles.domain.accounts import Profile
from subgraphs.profiles.domain.countries import COUNTRIES
from subgraphs.profiles.domain.languages import normalise_language

__all__ = [
    "HouseholdRules",
    "ProfileDraft",
    "check_email",
    "check_management",
    "check_password",
    "check_profile",
    "check_sign_up",
    "normalise_email",
    "normalise_name",
]

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 128
MAX_EMAIL_LENGTH = 254
"""RFC 5321: the longest address that fits into a path."""

_EMAIL = re.compile(r"[^@\s<>()\[\],;:\\\"]+@[^@\s.<>()\[\],;:\\\"]+(\.[^@\s.<>()\[\],;:\\\"]+)+")
_AVATAR = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class HouseholdRules:
    """The bounds of one account's profiles and lists."""

    max_profiles: int = 5
    max_name_length: int = 50
    kids_max_maturity: int = 7
    """The highest certificate age that a kids profile may be given."""
    max_list_length: int = 500


@dataclass(frozen=True, slots=True)
class ProfileDraft:
    """A profile as somebody wants it, normalised."""

    name: str
    avatar: str
    is_kids: bool
    maturity_limit: int
    language: str


def normalise_email(text: str) -> str:
    """One form per mailbox as far as that is safe to say: no outer blanks, compatible characters merged, lower case."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def normalise_name(text: str) -> str:
    """Composed characters, blanks merged."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def check_email(email: str, path: str = "input.email") -> dict[str, str]:
    """The problem with a normalised address by its field path, if there is one."""
    if len(email) > MAX_EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        return {path: f"is no e-mail address of at most {MAX_EMAIL_LENGTH} characters"}
    return {}


def check_password(password: str, path: str = "input.password") -> dict[str, str]:
    """The problem with a new password by its field path, if there is one."""
    if len(password) < MIN_PASSWORD_LENGTH:
        return {path: f"has {len(password)} characters; choose {MIN_PASSWORD_LENGTH} or more"}
    if len(password) > MAX_PASSWORD_LENGTH:
        return {path: f"has {len(password)} characters; choose at most {MAX_PASSWORD_LENGTH}"}
    return {}


def check_sign_up(email: str, password: str, country: str) -> dict[str, str]:
    """Problems by field path of a sign-up; `email` and `country` are normalised."""
    problems = check_email(email) | check_password(password)
    if country not in COUNTRIES:
        problems["input.country"] = f"is {country[:10]!r}; give a two-letter ISO 3166 code such as US"
    return problems


def check_profile(draft: ProfileDraft, rules: HouseholdRules, name_path: str = "input.name") -> dict[str, str]:
    """Problems by field path of a new or changed profile."""
    problems: dict[str, str] = {}
    if not draft.name:
        problems[name_path] = "is empty; give the profile a name"
    elif len(draft.name) > rules.max_name_length:
        problems[name_path] = f"has {len(draft.name)} characters; at most {rules.max_name_length} fit"
    elif any(_is_invisible(character) for character in draft.name):
        problems[name_path] = "has invisible characters; use letters, digits, signs and blanks"
    if not _AVATAR.fullmatch(draft.avatar):
        problems["input.avatar"] = "is no avatar name; use up to 40 lower-case letters, digits and hyphens"
    limit = rules.kids_max_maturity if draft.is_kids else MAX_MATURITY
    if not 0 <= draft.maturity_limit <= limit:
        whose = "a kids profile" if draft.is_kids else "a profile"
        problems["input.maturityLimit"] = f"is {draft.maturity_limit}; {whose} takes 0 to {limit}"
    if normalise_language(draft.language) is None:
        problems["input.language"] = f"is {draft.language[:20]!r}; give a BCP 47 tag such as en or pt-BR"
    return problems


def _is_invisible(character: str) -> bool:
    # The two joiners are parts of emoji and of Indic and Persian words; other format characters turn texts around.
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"} and character not in "\u200c\u200d"


def check_management(viewer: Viewer, before: Profile | None, after: ProfileDraft | None) -> str | None:
    """Why this viewer may not create (`before` None), change or delete (`after` None) a profile; None: they may.

    Kids profiles manage nothing. Who watches with a maturity limit can't give anybody, themselves included, more than
    they have; without a selected profile the account's holder may do all.
    """
    if viewer.is_kids:
        return "a kids profile can't manage profiles; select another profile or log in anew"
    if viewer.profile_id is None:
        return None
    own_limit = viewer.maturity or 0
    if after is None:
        # Who could delete the profile that limits them would be left with a session that nothing limits.
        limited = f"the selected profile is limited to age {own_limit} and can't delete profiles; log in anew"
        return None if own_limit >= MAX_MATURITY else limited
    is_raised = before is None or after.maturity_limit > before.maturity_limit
    if is_raised and after.maturity_limit > own_limit:
        return f"the selected profile is limited to age {own_limit} and can't give {after.maturity_limit}; log in anew"
    return None
