"""A mail in the form that goes over the wire."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from subgraphs.profiles.ports import Mail, MailRefused

__all__ = ["build_message", "check_sender"]


def build_message(mail: Mail, sender: str) -> EmailMessage:
    """Plain text in UTF-8; raises MailRefused for an address that no header can carry."""
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = Address("Marquee", addr_spec=sender)
        message["To"] = Address(addr_spec=mail.recipient)
        message["Subject"] = mail.subject
    except (ValueError, IndexError, MessageError) as error:
        # Not the error's text: it quotes the address.
        raise MailRefused("the address or the subject can't be written into a header") from error
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
    message["Content-Language"] = mail.language
    # Machines that answer mails by themselves leave this one alone (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, cte="quoted-printable")
    return message


def check_sender(address: str) -> str:
    """The address, when it can stand in a From header; raises ValueError."""
    try:
        Address(addr_spec=address)
    except (IndexError, MessageError) as error:
        raise ValueError("is no e-mail address; give one such as noreply@example.org") from error
    return address
