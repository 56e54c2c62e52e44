"""Sends the mails that wait: at least once each, again with growing pauses when the server is away, and not for ever.

Mails that need a consent are sent only if it still holds at that moment.

Codes (password reset, new address) are made here, when the mail is, so that no store ever holds one in the clear: each
attempt makes a new code in place of the one before. Requests to reset a password are looked at here too, off the
request that asked, so that asking takes as long for an address without an account.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from common.background import background
from common.clock import Clock
from common.errors import ServiceError
from subgraphs.profiles.domain.notifications import (
    KIND_TABLE,
    MAX_ATTEMPTS,
    NEEDED_CONSENT,
    Delivery,
    Notification,
    NotificationKind,
    retry_delay,
)
from subgraphs.profiles.domain.one_time_tokens import ONE_TIME_TOKEN_LIFE, TokenPurpose, new_one_time_token
from subgraphs.profiles.ports import (
    AccountStore,
    Mail,
    MailRefused,
    MailSender,
    NotificationStore,
    OneTimeTokenStore,
    ResetRequest,
)
from subgraphs.profiles.services.digests import Digests
from subgraphs.profiles.services.mail_texts import MailTexts
from subgraphs.profiles.services.notices import Notices

__all__ = ["Mailing"]

log = structlog.get_logger(__name__)

BATCH_SIZE = 20
LEASE = timedelta(minutes=10)
"""How long a process that died keeps a mail from the others: longer than a batch may take to send."""
SEND_DEADLINE_S = 20.0
POLL_S = 5.0
"""How long a mail waits when nobody woke the mailing: only retries, and those of another process."""

_CODE_PURPOSES = {
    NotificationKind.PASSWORD_RESET: TokenPurpose.RESET_PASSWORD,
    NotificationKind.EMAIL_CHANGE: TokenPurpose.CONFIRM_EMAIL,
}


@dataclass(slots=True)
class Mailing:
    """The sender of one process; several share the work. Whoever writes a message sets `awake`."""

    notifications: NotificationStore
    tokens: OneTimeTokenStore
    accounts: AccountStore
    notices: Notices
    sender: MailSender
    texts: MailTexts
    digests: Digests
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self, clock: Clock) -> AsyncIterator[None]:
        """Send in the background until the block ends."""
        async with background(self._run(clock), "mailing"):
            yield

    async def send_due(self, now: datetime) -> int:
        """Look at the requests that wait and send what is due; how many mails were tried."""
        for request in await self.tokens.waiting_resets(BATCH_SIZE):
            try:
                await self._answer_reset(request, now)
            except ServiceError:
                raise
            except Exception:  # one request must not stop the others, nor come back for ever
                log.exception("mailing.reset_dropped", sequence=request.sequence)
                await self.tokens.finish_reset_request(request.sequence)
        due = await self.notifications.claim_due(now, LEASE, BATCH_SIZE)
        for notification in due:
            await self._send(notification, now)
        return len(due)

    async def _run(self, clock: Clock) -> None:
        while True:
            self.awake.clear()
            try:
                if await self.send_due(clock.now()) == BATCH_SIZE:
                    continue
            except ServiceError as error:
                log.warning("mailing.waiting", error=error.message)
            except Exception:  # a task's edge: no mail would leave until the process starts again
                log.exception("mailing.failed")
            try:
                async with asyncio.timeout(POLL_S):
                    await self.awake.wait()
            except TimeoutError:
                continue

    async def _answer_reset(self, request: ResetRequest, now: datetime) -> None:
        found = await self.accounts.credentials(request.email)
        if found is not None:
            # The instant too: a table that was empty in between may give its numbers again.
            key = f"reset:{request.sequence}:{request.requested_at.isoformat()}"
            await self.notices.tell(found.account, NotificationKind.PASSWORD_RESET, now, key=key, details=_life())
        await self.tokens.finish_reset_request(request.sequence)

    async def _send(self, notification: Notification, now: datetime) -> None:
        """One attempt, and what becomes of the message."""
        try:
            mail = await self._write(notification, now)
            if mail is None:
                log.info("mail.not_wanted_any_more", notification_id=notification.id, kind=notification.kind.value)
                await self.notifications.settle(notification.id, Delivery.MUTED)
                return
            async with asyncio.timeout(SEND_DEADLINE_S):
                await self.sender.send(mail)
        except MailRefused as error:
            log.warning("mail.refused", notification_id=notification.id, kind=notification.kind.value, error=str(error))
            await self.notifications.settle(notification.id, Delivery.DEAD)
        except (ServiceError, TimeoutError) as error:
            await self._postpone(notification, now, error)
        except Exception as error:  # one message must not stop the others: its account may just be erased
            log.exception("mail.failed", notification_id=notification.id, kind=notification.kind.value)
            await self._postpone(notification, now, error)
        else:
            await self.notifications.settle(notification.id, Delivery.SENT)

    async def _write(self, notification: Notification, now: datetime) -> Mail | None:
        """The mail, with a new code where its kind carries one; None when it must not be sent any more."""
        needs_consent = KIND_TABLE[notification.kind].category in NEEDED_CONSENT
        if needs_consent and not await self.notices.wants(notification.account_id, notification.kind):
            return None
        if notification.kind is NotificationKind.DIGEST:
            return await self._write_digest(notification, now)
        details = dict(notification.details)
        purpose = _CODE_PURPOSES.get(notification.kind)
        if purpose is not None:
            code, token = new_one_time_token(notification.account_id, purpose, notification.recipient, now)
            await self.tokens.put(token, now)
            details["code"] = code
        text = self.texts.write(notification.kind, notification.language, details)
        return Mail(notification.id, notification.recipient, text.subject, text.body, text.language)

    async def _write_digest(self, notification: Notification, now: datetime) -> Mail | None:
        parts = await self.digests.parts(notification, now)
        if parts is None:
            return None
        text = self.texts.write(notification.kind, notification.language, parts.text)
        html = self.texts.write_html(notification.kind, notification.language, parts.html)
        return Mail(
            notification.id,
            notification.recipient,
            text.subject,
            text.body,
            text.language,
            html=html,
            unsubscribe_url=parts.unsubscribe_url,
        )

    async def _postpone(self, notification: Notification, now: datetime, error: Exception) -> None:
        is_over = notification.attempts >= MAX_ATTEMPTS
        log.warning(
            "mail.dead" if is_over else "mail.postponed",
            notification_id=notification.id,
            kind=notification.kind.value,
            attempts=notification.attempts,
            error_type=type(error).__name__,
        )
        if is_over:
            await self.notifications.settle(notification.id, Delivery.DEAD)
        else:
            next_attempt_at = now + retry_delay(notification.attempts)
            await self.notifications.settle(notification.id, Delivery.WAITING, next_attempt_at)


def _life() -> dict[str, str]:
    return {"minutes": str(int(ONE_TIME_TOKEN_LIFE.total_seconds() // 60))}
