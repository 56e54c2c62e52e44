# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""The account's password and e-mail address."""

from typing import assert_never

import strawberry

from subgraphs.kernel.results import NotPermitted, invalid_input, not_signed_in
from subgraphs.profiles.api import people_results as results
from subgraphs.profiles.api.context import Info
from subgraphs.profiles.api.mutations.shaping import fresh, rate_limited, wrong_password
from subgraphs.profiles.api.people_inputs import ChangePasswordInput, RequestEmailChangeInput, ResetPasswordInput
from subgraphs.profiles.api.results import EmailTaken
from subgraphs.profiles.api.types import Account
from subgraphs.profiles.domain import accounts as domain
from subgraphs.profiles.domain import outcomes

__all__ = ["PasswordMutations"]


@strawberry.type
class PasswordMutations:
    """Changed by who knows the password, reset by who reads the account's mail."""

    @strawberry.mutation(description="Change the password; all other sessions end.")
    async def change_password(
        self,
        info: Info,
        input: ChangePasswordInput,  # noqa: A002
    ) -> results.ChangePasswordResult:
        """Not from a kids profile."""
        context = fresh(info)
        outcome = await context.services.passwords.change(
            await context.asker(), input.current_password, input.new_password
        )
        match outcome:
            case domain.Account():
                return results.ChangePasswordSuccess(account=Account(record=outcome))
            case outcomes.WrongCredentials():
                return wrong_password()
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case outcomes.Limited(retry_after_s):
                return rate_limited(retry_after_s)
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Have a code mailed by which resetPassword sets a new password.")
    async def request_password_reset(self, info: Info, email: str) -> results.RequestPasswordResetResult:
        """Says the same for every address."""
        context = fresh(info)
        outcome = await context.services.passwords.ask_reset(email, context.head.client_address, context.now)
        match outcome:
            case None:
                return _mail_requested()
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.Limited(retry_after_s):
                return rate_limited(retry_after_s)
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Set a new password by a mailed code; all sessions end.")
    async def reset_password(
        self,
        info: Info,
        input: ResetPasswordInput,  # noqa: A002
    ) -> results.ResetPasswordResult:
        """Each code works once, for 30 minutes."""
        context = fresh(info)
        outcome = await context.services.passwords.reset(
            input.code, input.new_password, context.head.client_address, context.now
        )
        match outcome:
            case domain.Account():
                return results.ResetPasswordSuccess(message="The password is set; log in with it.")
            case outcomes.InvalidOneTimeToken():
                return _invalid_code()
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.Limited(retry_after_s):
                return rate_limited(retry_after_s)
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Have a code mailed to a new address, by which confirmEmailChange takes it.")
    async def request_email_change(
        self,
        info: Info,
        input: RequestEmailChangeInput,  # noqa: A002
    ) -> results.RequestEmailChangeResult:
        """Not from a kids profile."""
        context = fresh(info)
        outcome = await context.services.passwords.ask_email_change(await context.asker(), input.password, input.email)
        match outcome:
            case None:
                return _mail_requested()
            case outcomes.WrongCredentials():
                return wrong_password()
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case outcomes.Limited(retry_after_s):
                return rate_limited(retry_after_s)
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Take the new address by the code that was mailed there; the old one is told.")
    async def confirm_email_change(self, info: Info, code: str) -> results.ConfirmEmailChangeResult:
        """In a session of the account that asked."""
        context = fresh(info)
        outcome = await context.services.passwords.confirm_email(await context.asker(), code)
        match outcome:
            case domain.Account():
                return results.ConfirmEmailChangeSuccess(account=Account(record=outcome))
            case outcomes.InvalidOneTimeToken():
                return _invalid_code()
            case outcomes.EmailTaken():
                return EmailTaken(message="Another account has this e-mail address.")
            case outcomes.NotSignedIn():
                return not_signed_in()
            case outcomes.Limited(retry_after_s):
                return rate_limited(retry_after_s)
            case _:
                assert_never(outcome)


def _mail_requested() -> results.MailRequested:
    return results.MailRequested(message="If this address can get one, a mail with a code is on its way.")


def _invalid_code() -> results.InvalidCode:
    return results.InvalidCode(message="This code can't be used; ask for another mail.")
