"""Mails over SMTP, by the standard library's client in a small thread pool of its own."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from common.errors import ErrorKind, ServiceError
from subgraphs.profiles.adapters.mail.message import build_message
from subgraphs.profiles.ports import Mail, MailRefused

__all__ = ["SmtpMailSender", "SmtpServer", "read_smtp_url"]

TIMEOUT_S = 10.0
"""For connecting and for each answer of the server."""
THREADS = 2
DEFAULT_PORTS = {"smtp": 587, "smtps": 465}
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mails go out. `is_tls`: encrypted from the first byte; otherwise by STARTTLS, except on this machine."""

    host: str
    port: int
    is_tls: bool
    user: str | None
    password: str | None

    @property
    def needs_starttls(self) -> bool:
        """Whether the connection must become encrypted before anything is told."""
        return not self.is_tls and self.host not in LOCAL_HOSTS


def read_smtp_url(url: str) -> SmtpServer:
    """`smtp://user:password@host:587` or `smtps://…`; raises ValueError without repeating the password."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("is no mail server; give smtp://user:password@host:port or smtps://…")
    return SmtpServer(
        host=parts.hostname,
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        is_tls=parts.scheme == "smtps",
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


class SmtpMailSender:
    """See the MailSender port; close it when done."""

    def __init__(self, server: SmtpServer, sender: str) -> None:
        self._server = server
        self._sender = sender
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="smtp")

    async def send(self, mail: Mail) -> None:
        """See MailSender.send: 5xx for this mail is for good, everything else is worth another try."""
        message = build_message(mail, self._sender)
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._send, message, mail.recipient)
        except smtplib.SMTPRecipientsRefused as error:
            [(code, _)] = error.recipients.values()
            raise _failure(code) from error
        except smtplib.SMTPAuthenticationError as error:
            # The operator's mistake, not the mail's: it waits until the settings are right.
            raise ServiceError(ErrorKind.UNAVAILABLE, "the mail server refuses our user name or password") from error
        except smtplib.SMTPResponseException as error:
            raise _failure(error.smtp_code) from error
        except (smtplib.SMTPException, OSError) as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, "the mail server can't be reached") from error

    def close(self) -> None:
        """Wait for mails under way, at most their time-outs."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _send(self, message: EmailMessage, recipient: str) -> None:
        server = self._server
        context = ssl.create_default_context()
        connection: smtplib.SMTP
        if server.is_tls:
            connection = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        with connection:
            if server.needs_starttls:
                connection.starttls(context=context)
            if server.user is not None:
                connection.login(server.user, server.password or "")
            connection.send_message(message, self._sender, [recipient])


def _failure(code: int) -> Exception:
    if code >= 500:
        return MailRefused(f"the mail server refuses this mail with {code}")
    return ServiceError(ErrorKind.UNAVAILABLE, f"the mail server answers {code}")
