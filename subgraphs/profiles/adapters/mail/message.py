"""A mail in the form that goes over the wire."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from subgraphs.profiles.ports import Mail, MailRefused

__all__ = ["build_message", "check_sender"]

_LONG_LINES = SMTP.clone(max_line_length=998)
"""As long as a line may be (RFC 5322): an address that does not fit into a shorter one would be coded, and be none."""


def build_message(mail: Mail, sender: str) -> EmailMessage:
    """Plain text in UTF-8, with HTML beside it where there is some.

    Raises MailRefused for an address that no header can carry.
    """
    is_plain = mail.html is None and mail.unsubscribe_url is None
    message = EmailMessage(policy=SMTP if is_plain else _LONG_LINES)
    try:
        message["From"] = Address("Marquee", addr_spec=sender)
        message["To"] = Address(addr_spec=mail.recipient)
        message["Subject"] = mail.subject
    except (ValueError, IndexError, MessageError) as error:
        # Not the error's text: it quotes the address.
        raise MailRefused("the address or the subject can't be written into a header") from error
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
    # Machines that answer mails by themselves leave this one alone (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    if mail.unsubscribe_url is not None:
        # Mail programs show a button that ends such mails, by a POST of these words (RFC 2369, RFC 8058).
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if is_plain:
        message.set_content(mail.body, cte="quoted-printable")
    else:
        # Parts are coded in lines of 76, whatever a header may have.
        message["MIME-Version"] = "1.0"
        message.make_alternative()
        for text, subtype in ((mail.body, "plain"), (mail.html, "html")):
            if text is not None:
                part = EmailMessage(policy=SMTP)
                part.set_content(text, subtype=subtype, cte="quoted-printable")
                # The whole says it.
                del part["MIME-Version"]
                message.attach(part)
    message["Content-Language"] = mail.language
    return message


def check_sender(address: str) -> str:
    """The address, when it can stand in a From header; raises ValueError."""
    try:
        Address(addr_spec=address)
    except (IndexError, MessageError) as error:
        raise ValueError("is no e-mail address; give one such as noreply@example.org") from error
    return address
