"""The account's password and e-mail address: checking, changing, resetting by mail.

Every look at a password is counted per address and per account, as at log-in. What asks for an address says the same,
after the same work, whether an account has it or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from subgraphs.kernel.ids import SessionId
from subgraphs.kernel.rate_limit import RateLimit, RateLimiter
from subgraphs.profiles.domain.accounts import Account
from subgraphs.profiles.domain.notifications import NotificationKind
from subgraphs.profiles.domain.one_time_tokens import ONE_TIME_TOKEN_LIFE, TokenPurpose
from subgraphs.profiles.domain.outcomes import (
    EmailTaken,
    Invalid,
    InvalidOneTimeToken,
    Limited,
    NotAllowed,
    NotSignedIn,
    WrongCredentials,
)
from subgraphs.profiles.domain.rules import MAX_PASSWORD_LENGTH, check_email, check_password, normalise_email
from subgraphs.profiles.domain.sessions import token_hash
from subgraphs.profiles.ports import AccountStore, CredentialStore, OneTimeTokenStore, PasswordHasher
from subgraphs.profiles.services.asker import Asker
from subgraphs.profiles.services.notices import Notices

__all__ = ["PasswordLimits", "Passwords"]

log = structlog.get_logger(__name__)

MAX_WAITING_RESETS = 10_000
"""Requests that nobody looked at yet; beyond that something is down, and further ones are told to come back."""
RETRY_RESETS_S = 60


@dataclass(frozen=True, slots=True)
class PasswordLimits:
    """Tries: with a password per client address and per account, and mails asked for per client address and e-mail."""

    checks: RateLimit
    checks_per_account: RateLimit
    mails: RateLimit
    mails_per_email: RateLimit


@dataclass(frozen=True, slots=True)
class Passwords:
    """The service; `wake_mailing` is called when a request waits."""

    accounts: AccountStore
    credentials: CredentialStore
    tokens: OneTimeTokenStore
    hasher: PasswordHasher
    rate_limiter: RateLimiter
    limits: PasswordLimits
    notices: Notices
    wake_mailing: Callable[[], None]

    async def check(self, account: Account, password: str, address: str) -> Limited | WrongCredentials | None:
        """Whether it is the account's password; None: it is."""
        limited = await self._limited((self.limits.checks, address), (self.limits.checks_per_account, account.id))
        if limited is not None:
            return limited
        found = await self.accounts.credentials(account.email)
        stored = None if found is None or found.account.id != account.id else found.password_hash
        matches = await self.hasher.verify(password[: MAX_PASSWORD_LENGTH + 1], stored)
        return None if matches else WrongCredentials()

    async def change(
        self, asker: Asker, current: str, wanted: str
    ) -> Account | NotSignedIn | NotAllowed | Invalid | Limited | WrongCredentials:
        """A new password; all other sessions end."""
        refusal = await self._may_manage(asker, current, check_password(wanted, "input.newPassword"))
        if refusal is not None:
            return refusal
        assert asker.account is not None
        kept = None if asker.viewer.session_id is None else SessionId(asker.viewer.session_id)
        await self._replace(asker.account, wanted, asker.now, keep=kept)
        return asker.account

    async def ask_reset(self, email: str, address: str, now: datetime) -> Limited | Invalid | None:
        """Have a code mailed to the address, if an account has it; nobody is told whether one has."""
        normal = normalise_email(email)
        problems = check_email(normal, "email")
        if problems:
            return Invalid(problems)
        limited = await self._limited(
            (self.limits.mails, address), (self.limits.mails_per_email, token_hash(normal)[:32])
        )
        if limited is not None:
            return limited
        if not await self.tokens.ask_reset(normal, now, max_waiting=MAX_WAITING_RESETS):
            return Limited(RETRY_RESETS_S)
        self.wake_mailing()
        return None

    async def reset(
        self, code: str, wanted: str, address: str, now: datetime
    ) -> Account | Invalid | InvalidOneTimeToken | Limited:
        """A new password by the code of a mail, which is used up; all sessions end."""
        problems = check_password(wanted, "input.newPassword")
        if problems:
            return Invalid(problems)
        limited = await self._limited((self.limits.checks, address))
        if limited is not None:
            return limited
        token = await self.tokens.take(token_hash(code.strip()), TokenPurpose.RESET_PASSWORD, now)
        account = None
        if token is not None:
            account = (await self.accounts.accounts_by_id([token.account_id])).get(token.account_id)
        # An account that changed its address since the mail was sent is not reached by the old one any more.
        if account is None or token is None or account.email != token.email:
            return InvalidOneTimeToken()
        await self._replace(account, wanted, now, keep=None)
        return account

    async def ask_email_change(
        self, asker: Asker, password: str, email: str
    ) -> NotSignedIn | NotAllowed | Invalid | Limited | WrongCredentials | None:
        """Have a code mailed to the new address. None also where another account has it: confirming will tell."""
        normal = normalise_email(email)
        refusal = await self._may_manage(asker, password, check_email(normal, "input.email"))
        if refusal is not None:
            return refusal
        assert asker.account is not None
        minutes = int(ONE_TIME_TOKEN_LIFE.total_seconds() // 60)
        await self.notices.tell(
            asker.account,
            NotificationKind.EMAIL_CHANGE,
            asker.now,
            key=f"email-change:{token_hash(normal)[:32]}:{asker.now.isoformat()}",
            details={"minutes": str(minutes)},
            recipient=normal,
        )
        return None

    async def confirm_email(
        self, asker: Asker, code: str
    ) -> Account | NotSignedIn | InvalidOneTimeToken | EmailTaken | Limited:
        """The new address, by the code that was mailed there; the old one is told."""
        account, now = asker.account, asker.now
        if account is None:
            return NotSignedIn()
        limited = await self._limited((self.limits.checks, asker.address))
        if limited is not None:
            return limited
        token = await self.tokens.take(token_hash(code.strip()), TokenPurpose.CONFIRM_EMAIL, now)
        if token is None or token.account_id != account.id:
            return InvalidOneTimeToken()
        if not await self.credentials.set_email(account.id, token.email):
            return EmailTaken()
        log.info("account.email_changed", account_id=account.id)
        key = f"email-changed:{now.isoformat()}"
        await self.notices.tell(account, NotificationKind.EMAIL_CHANGED, now, key=key, recipient=account.email)
        return (await self.accounts.accounts_by_id([account.id]))[account.id]

    async def _may_manage(
        self, asker: Asker, password: str, problems: dict[str, str]
    ) -> NotSignedIn | NotAllowed | Invalid | Limited | WrongCredentials | None:
        if asker.account is None:
            return NotSignedIn()
        if asker.viewer.is_kids:
            return NotAllowed("a kids profile can't change the account; select another profile or log in anew")
        if problems:
            return Invalid(problems)
        return await self.check(asker.account, password, asker.address)

    async def _replace(self, account: Account, wanted: str, now: datetime, *, keep: SessionId | None) -> None:
        password_hash = await self.hasher.hash(wanted)
        await self.credentials.set_password(account.id, password_hash, now, keep=keep)
        log.info("account.password_changed", account_id=account.id)
        key = f"password-changed:{now.isoformat()}"
        await self.notices.tell(account, NotificationKind.PASSWORD_CHANGED, now, key=key)

    async def _limited(self, *counted: tuple[RateLimit, str]) -> Limited | None:
        for limit, caller in counted:
            retry_after_s = await self.rate_limiter.take(limit, caller)
            if retry_after_s is not None:
                log.warning("passwords.limited", limit=limit.name)
                return Limited(retry_after_s)
        return None
