# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""A copy of everything, and the end of everything."""

from typing import assert_never

import strawberry

from subgraphs.kernel.results import NotPermitted, not_signed_in
from subgraphs.profiles.api import privacy_results as results
from subgraphs.profiles.api.context import Info
from subgraphs.profiles.api.mutations.shaping import fresh, rate_limited, wrong_password
from subgraphs.profiles.api.privacy_types import AccountErasure, AccountExport
from subgraphs.profiles.api.types import Account
from subgraphs.profiles.domain import accounts as domain
from subgraphs.profiles.domain import outcomes
from subgraphs.profiles.domain.privacy import PrivacyRequest

__all__ = ["PrivacyMutations"]


@strawberry.type
class PrivacyMutations:
    """For the account's own viewers, and never from a kids profile."""

    @strawberry.mutation(description="Have a copy of all data of the account made; see Account.exports.")
    async def request_account_export(self, info: Info) -> results.RequestAccountExportResult:
        """While one is under way, that one."""
        context = fresh(info)
        outcome = await context.services.privacy.ask_export(await context.asker())
        match outcome:
            case PrivacyRequest():
                return results.RequestAccountExportSuccess(export=AccountExport(record=outcome))
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case outcomes.Limited(retry_after_s):
                return rate_limited(retry_after_s)
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Erase the account and everything that belongs to it, for good, after the grace.")
    async def erase_account(self, info: Info, password: str) -> results.EraseAccountResult:
        """Asked for again it is the same erasure."""
        context = fresh(info)
        outcome = await context.services.privacy.ask_erasure(await context.asker(), password)
        match outcome:
            case PrivacyRequest():
                return results.EraseAccountSuccess(erasure=AccountErasure(record=outcome))
            case outcomes.WrongCredentials():
                return wrong_password()
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case outcomes.Limited(retry_after_s):
                return rate_limited(retry_after_s)
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Keep the account after all, while the grace lasts.")
    async def cancel_erasure(self, info: Info) -> results.CancelErasureResult:
        """What has begun goes on."""
        context = fresh(info)
        outcome = await context.services.privacy.cancel_erasure(await context.asker())
        match outcome:
            case domain.Account():
                return results.CancelErasureSuccess(account=Account(record=outcome))
            case None:
                return results.NothingToCancel(message="No erasure waits that could be cancelled.")
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case _:
                assert_never(outcome)
