"""What mutations take."""

import strawberry

from subgraphs.profiles.domain.accounts import PlanId
from subgraphs.profiles.domain.devices import DeviceFormFactor
from subgraphs.profiles.services.devices import DeviceDraft

__all__ = [
    "CreateProfileInput",
    "LogInDeviceInput",
    "LogInInput",
    "RefreshSessionInput",
    "SelectProfileInput",
    "SignUpInput",
    "UpdateProfileInput",
]


@strawberry.input(description="The device on which somebody logs in, as its client knows it.")
class LogInDeviceInput:
    """Makes the session one of a known device."""

    id: strawberry.ID = strawberry.field(
        description="Chosen by the client once per installation, 1 to 200 characters; kept as a hash."
    )
    name: str = strawberry.field(description="What its viewers call it; at most 100 characters.")
    form_factor: DeviceFormFactor = DeviceFormFactor.OTHER

    def to_draft(self) -> DeviceDraft:
        """What the service takes."""
        return DeviceDraft(str(self.id), self.name, self.form_factor)


@strawberry.input
class SignUpInput:
    """A new account with its first profile."""

    email: str
    password: str = strawberry.field(description="8 to 128 characters.")
    country: str = strawberry.field(description="ISO 3166 alpha-2.")
    plan: PlanId = PlanId.BASIC
    profile_name: str = "Me"
    device: LogInDeviceInput | None = None


@strawberry.input
class LogInInput:
    """An existing account."""

    email: str
    password: str
    device_name: str | None = None
    device: LogInDeviceInput | None = None


@strawberry.input
class RefreshSessionInput:
    """The newest refresh token of a session."""

    refresh_token: str


@strawberry.input
class SelectProfileInput:
    """One of the account's profiles."""

    profile_id: strawberry.ID
    refresh_token: str | None = strawberry.field(
        default=None, description="The session's newest one; enough on its own when the access token has expired."
    )
    pin: str | None = strawberry.field(default=None, description="Where the profile has one.")


@strawberry.input
class CreateProfileInput:
    """A new profile; null takes the default."""

    name: str = strawberry.field(description="At most 50 characters.")
    avatar: str | None = None
    is_kids: bool = False
    maturity_limit: int | None = None
    language: str | None = None


@strawberry.input
class UpdateProfileInput:
    """A change to a profile; null leaves a field as it is."""

    id: strawberry.ID
    name: str | None = None
    avatar: str | None = None
    is_kids: bool | None = None
    maturity_limit: int | None = None
    language: str | None = None
    pin: str | None = strawberry.field(
        default=None, description="Where the profile has one and would show more than before."
    )
