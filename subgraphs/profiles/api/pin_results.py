"""What stands in the way of what a PIN guards."""

import strawberry

from subgraphs.profiles.domain.outcomes import PinLockedOut, PinNeeded, PinWrong
from subgraphs.profiles.services.pins import PinRefusal

__all__ = ["PinIncorrect", "PinLocked", "PinRequired", "pin_refusal"]


@strawberry.type(description="A PIN is needed: ask for it and send it.")
class PinRequired:
    """`profile_id` is whose."""

    message: str
    profile_id: strawberry.ID


@strawberry.type(description="The PIN is wrong.")
class PinIncorrect:
    """With what is left."""

    message: str
    profile_id: strawberry.ID
    tries_left: int


@strawberry.type(
    description="Too many wrong PINs; no guess is looked at for a while, and the account's holder was told."
)
class PinLocked:
    """The account's password sets a new one at once."""

    message: str
    profile_id: strawberry.ID
    retry_after_seconds: int


def pin_refusal(refusal: PinRefusal) -> PinRequired | PinIncorrect | PinLocked:
    """With the next step."""
    profile_id = strawberry.ID(refusal.profile_id)
    match refusal:
        case PinNeeded():
            return PinRequired(message="This needs the profile's PIN; send it too.", profile_id=profile_id)
        case PinWrong(tries_left=left):
            return PinIncorrect(
                message=f"This is not the PIN; {left} tries left.", profile_id=profile_id, tries_left=left
            )
        case PinLockedOut(retry_after_s=seconds):
            return PinLocked(
                message=f"Too many wrong PINs; try again in {seconds} s, or set a new one with the password.",
                profile_id=profile_id,
                retry_after_seconds=seconds,
            )
