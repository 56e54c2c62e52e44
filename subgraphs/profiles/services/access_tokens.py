"""Access tokens: what a client shows to the gateway, and the key set by which it is verified."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from common.tokens import SigningKey, Viewer, ensure_key_file, sign_access_token
from subgraphs.profiles.domain.accounts import Account, Profile
from subgraphs.profiles.domain.sessions import Session

__all__ = ["AccessTokens", "viewer_of"]


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Signs with `key`; `jwks` also holds the public halves of keys that signed before, as their tokens still live."""

    key: SigningKey
    jwks: dict[str, Any]
    life: timedelta

    @classmethod
    def open(cls, key_path: Path, life: timedelta) -> AccessTokens:
        """The key in `key_path`, made when missing.

        To rotate: rename `access.pem` to `access-<anything>.pem` and start anew; delete that when its tokens expired.
        """
        key = ensure_key_file(key_path)
        earlier = [SigningKey.load(path) for path in sorted(key_path.parent.glob(f"{key_path.stem}-*.pem"))]
        keys = [public for each in (key, *earlier) for public in each.public_jwks()["keys"]]
        return cls(key=key, jwks={"keys": keys}, life=life)

    def issue(self, session: Session, account: Account, profile: Profile | None, now: datetime) -> tuple[str, datetime]:
        """A token and when it expires (whole seconds)."""
        token = sign_access_token(self.key, viewer_of(session, account, profile, now), now, self.life)
        return token, now.replace(microsecond=0) + self.life


def viewer_of(session: Session, account: Account, profile: Profile | None, now: datetime) -> Viewer:
    """The claims of a session; account-level without a profile."""
    return Viewer(
        account_id=account.id,
        session_id=session.id,
        country=account.country,
        plan=account.plan_id.value,
        subscription=account.subscription.status_at(now).value,
        scopes=account.scopes,
        profile_id=None if profile is None else profile.id,
        is_kids=profile is not None and profile.is_kids,
        maturity=None if profile is None else profile.maturity_limit,
        language=None if profile is None else profile.language,
        device_id=session.device_id,
    )
