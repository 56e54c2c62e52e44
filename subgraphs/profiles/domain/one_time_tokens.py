"""Tokens that a mail carries: for one purpose, once, for half an hour."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from subgraphs.kernel.ids import AccountId
from subgraphs.profiles.domain.sessions import token_hash

__all__ = ["ONE_TIME_TOKEN_LIFE", "OneTimeToken", "TokenPurpose", "new_one_time_token"]

ONE_TIME_TOKEN_LIFE = timedelta(minutes=30)


class TokenPurpose(StrEnum):
    """A token made for one does not serve for another."""

    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105  # no password
    CONFIRM_EMAIL = "CONFIRM_EMAIL"


@dataclass(frozen=True, slots=True)
class OneTimeToken:
    """What the store keeps: the hash of the token and what it is good for. `email` is the address to confirm."""

    hash: str
    account_id: AccountId
    purpose: TokenPurpose
    email: str
    expires_at: datetime


def new_one_time_token(
    account_id: AccountId, purpose: TokenPurpose, email: str, now: datetime
) -> tuple[str, OneTimeToken]:
    """256 random bits for the mail, and what to keep of them."""
    text = secrets.token_urlsafe(32)
    return text, OneTimeToken(token_hash(text), account_id, purpose, email, now + ONE_TIME_TOKEN_LIFE)
