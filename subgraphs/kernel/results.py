"""Expected failures as GraphQL types, the same in every subgraph that needs them."""

from __future__ import annotations

import strawberry
import strawberry.federation

__all__ = [
    "InvalidField",
    "InvalidInput",
    "NoProfileSelected",
    "NotPermitted",
    "NotSignedIn",
    "RateLimited",
    "TitleNotFound",
    "invalid_input",
    "no_profile_selected",
    "not_signed_in",
    "title_not_found",
]


@strawberry.federation.type(shareable=True, description="The viewer may not do this; asking again will not help.")
class NotPermitted:
    """Somebody known who may not."""

    message: str


@strawberry.federation.type(shareable=True, description="One field of an input that can't be used, and why.")
class InvalidField:
    """`path` is the field's place in the input, as `input.name`."""

    path: str
    message: str


@strawberry.federation.type(shareable=True, description="The input can't be used; fields says which parts.")
class InvalidInput:
    """Every wrong field at once, so that a form can mark them all."""

    message: str
    fields: list[InvalidField]


@strawberry.federation.type(shareable=True, description="The viewer is signed in and has not chosen a profile.")
class NoProfileSelected:
    """An account-level token, or none, where a profile is needed."""

    message: str


@strawberry.federation.type(shareable=True, description="Nobody is signed in.")
class NotSignedIn:
    """An anonymous request where an account is needed."""

    message: str


@strawberry.federation.type(shareable=True, description="Too many tries; wait and try again.")
class RateLimited:
    """A limit of this caller is reached."""

    message: str
    retry_after_seconds: int


@strawberry.federation.type(
    shareable=True, description="There is no such title for this viewer: unknown, withdrawn and forbidden look alike."
)
class TitleNotFound:
    """The one answer for unknown and forbidden titles."""

    message: str
    title_id: strawberry.ID


def not_signed_in() -> NotSignedIn:
    """With the next step."""
    return NotSignedIn(message="Nobody is signed in; call logIn and send its access token.")


def no_profile_selected() -> NoProfileSelected:
    """With the next step."""
    return NoProfileSelected(message="No profile is selected; call selectProfile and send its access token.")


def title_not_found(title_id: str) -> TitleNotFound:
    """The same words for unknown and forbidden."""
    shown = title_id if len(title_id) <= 80 else f"{title_id[:80]}…"
    return TitleNotFound(message=f"There is no title {shown!r}.", title_id=strawberry.ID(title_id))


def invalid_input(problems: dict[str, str]) -> InvalidInput:
    """From problem texts by field path, in order; must not be empty."""
    fields = [InvalidField(path=path, message=message) for path, message in problems.items()]
    return InvalidInput(message="; ".join(f"{field.path}: {field.message}" for field in fields), fields=fields)
