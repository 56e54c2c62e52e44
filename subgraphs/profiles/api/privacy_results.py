"""The results of mutations about exports and erasures."""

from typing import Annotated

import strawberry

from subgraphs.kernel.results import NotPermitted, NotSignedIn, RateLimited
from subgraphs.profiles.api.privacy_types import AccountErasure, AccountExport
from subgraphs.profiles.api.results import InvalidCredentials
from subgraphs.profiles.api.types import Account

__all__ = [
    "CancelErasureResult",
    "CancelErasureSuccess",
    "EraseAccountResult",
    "EraseAccountSuccess",
    "NothingToCancel",
    "RequestAccountExportResult",
    "RequestAccountExportSuccess",
]


@strawberry.type
class RequestAccountExportSuccess:
    """A new export, or the one that is under way already."""

    export: AccountExport


@strawberry.type
class EraseAccountSuccess:
    """It begins when the grace is over."""

    erasure: AccountErasure


@strawberry.type
class CancelErasureSuccess:
    """The account lives on."""

    account: Account


@strawberry.type(description="No erasure waits, or it has begun.")
class NothingToCancel:
    """What has begun can't be called back."""

    message: str


RequestAccountExportResult = Annotated[
    RequestAccountExportSuccess | NotPermitted | NotSignedIn | RateLimited,
    strawberry.union("RequestAccountExportResult"),
]
EraseAccountResult = Annotated[
    EraseAccountSuccess | InvalidCredentials | NotPermitted | NotSignedIn | RateLimited,
    strawberry.union("EraseAccountResult"),
]
CancelErasureResult = Annotated[
    CancelErasureSuccess | NothingToCancel | NotPermitted | NotSignedIn, strawberry.union("CancelErasureResult")
]
