"""Links in mails that end mails of their sort, without a log-in: a signed token says whose consent to what ends.

Their keys are a ring of their own: a link must be good for longer than any access token, and opens nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from common.clock import Clock
from common.signing_keys import KeyRing
from common.tokens import TokenInvalid, TokenVerifier
from subgraphs.kernel.ids import AccountId
from subgraphs.profiles.domain.consents import ConsentSource, Purpose
from subgraphs.profiles.services.preferring import Preferring

__all__ = ["LINK_LIFE", "UnsubscribeLinks", "Unsubscribing"]

LINK_LIFE = timedelta(days=90)
"""The law of the United States wants thirty days (CAN-SPAM, 15 U.S.C. 7704); mails are found later than that."""
AUDIENCE = ISSUER = "marquee-mail"


@dataclass(frozen=True, slots=True)
class UnsubscribeLinks:
    """Makes links and reads their tokens; `base_url` is where browsers and mail programs reach `/unsubscribe/…`."""

    ring: KeyRing
    base_url: str
    clock: Clock

    @classmethod
    def open(cls, key_path: Path, base_url: str, clock: Clock) -> Self:
        """The ring of `key_path`, with a first key when there is none."""
        return cls(KeyRing(key_path, LINK_LIFE, clock), base_url.rstrip("/"), clock)

    def link(self, account_id: AccountId, purpose: Purpose, now: datetime) -> str:
        """Good for LINK_LIFE."""
        issued_at = int(now.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": issued_at,
            "exp": issued_at + int(LINK_LIFE.total_seconds()),
            "sub": account_id,
            "purpose": purpose.value,
        }
        return f"{self.base_url}/unsubscribe/{self.ring.signing_key().sign(claims)}"

    def read(self, token: str) -> tuple[AccountId, Purpose]:
        """Whose consent, and to what; raises TokenInvalid."""
        verifier = TokenVerifier.from_jwks(self.ring.public_jwks(), issuer=ISSUER, audience=AUDIENCE, clock=self.clock)
        claims = verifier.verify(token)
        try:
            return AccountId(str(claims["sub"])), Purpose(claims["purpose"])
        except (KeyError, ValueError) as error:
            raise TokenInvalid("claims", f"the link names no account or purpose: {error}") from error


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    """What opening a link and confirming does."""

    links: UnsubscribeLinks
    preferring: Preferring

    async def stop(self, token: str, now: datetime) -> None:
        """Withdraw the consent, as often as it is asked; raises TokenInvalid."""
        account_id, purpose = self.links.read(token)
        await self.preferring.withdraw(account_id, purpose, ConsentSource.MAIL, now)
