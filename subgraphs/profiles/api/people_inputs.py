"""What mutations about PINs, passwords, preferences and consent take."""

import strawberry

from subgraphs.profiles.domain.consents import ConsentSource, Purpose
from subgraphs.profiles.domain.preferences import DataSaver, SubtitleMode

__all__ = [
    "ChangePasswordInput",
    "RequestEmailChangeInput",
    "ResetPasswordInput",
    "SetConsentInput",
    "SetPinInput",
    "SetPreferencesInput",
]


@strawberry.input
class SetPinInput:
    """By the PIN there is, or by the account's password; the first PIN needs the password."""

    profile_id: strawberry.ID
    pin: str | None = strawberry.field(description="Four digits; null takes the PIN away.")
    current_pin: str | None = None
    password: str | None = None


@strawberry.input
class ChangePasswordInput:
    """The account's password, and what it shall be."""

    current_password: str
    new_password: str = strawberry.field(description="8 to 128 characters.")


@strawberry.input
class ResetPasswordInput:
    """The code of the mail, and what the password shall be."""

    code: str
    new_password: str = strawberry.field(description="8 to 128 characters.")


@strawberry.input
class RequestEmailChangeInput:
    """The new address; it gets a code for confirmEmailChange."""

    password: str
    email: str


@strawberry.input
class SetPreferencesInput:
    """Null leaves a preference as it is."""

    profile_id: strawberry.ID | None = strawberry.field(default=None, description="Null: the selected profile.")
    audio_languages: list[str] | None = strawberry.field(default=None, description="BCP 47, at most 8.")
    subtitle_languages: list[str] | None = strawberry.field(default=None, description="BCP 47, at most 8.")
    subtitle_mode: SubtitleMode | None = None
    autoplay_next: bool | None = None
    autoplay_previews: bool | None = None
    data_saver: DataSaver | None = None
    interface_language: str | None = strawberry.field(
        default=None, description="BCP 47; empty goes back to the profile's language."
    )


@strawberry.input
class SetConsentInput:
    """A decision on one purpose."""

    purpose: Purpose
    granted: bool
    text_version: int = strawberry.field(description="Of the words that were shown: Consent.textVersion.")
    source: ConsentSource = ConsentSource.SETTINGS
