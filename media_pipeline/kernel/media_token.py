"""Media tokens: one path element that opens one asset's objects to one session for some hours.

    /media/<token>/assets/<asset id>/clear/master.m3u8

The token is a path element so that relative segment addresses keep it. It is `<payload>.<HMAC-SHA256>`, both base64url
without padding; the payload is JSON with the key id, expiry, asset, session, the largest rendition allowed and the
pathways in order. Several secrets live at once: the newest signs, all verify, so that rotation drops nobody.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

__all__ = ["MEDIA_TOKEN_LIFE", "MediaGrant", "MediaTokenInvalid", "MediaTokenKeys"]

MEDIA_TOKEN_LIFE = timedelta(hours=4)
MAX_TOKEN_CHARACTERS = 2048
_VERSION = 1


class MediaTokenInvalid(Exception):
    """The token opens nothing. `reason` is "malformed", "signature" or "expired"."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class MediaGrant:
    """What a token allows. `max_lines` is the largest rung (480, 1080 …), 0 for all; `pathways` are ids, best first."""

    asset_id: str
    session_id: str
    expires_at: datetime
    max_lines: int = 0
    pathways: tuple[str, ...] = ()


class MediaTokenKeys:
    """Signs and reads media tokens. `secrets_by_id` keeps its order: the first signs."""

    def __init__(self, secrets_by_id: dict[str, bytes]) -> None:
        if not secrets_by_id:
            raise ValueError("media tokens need at least one secret")
        self._secrets_by_id = dict(secrets_by_id)

    @classmethod
    def load_or_create(cls, path: Path) -> MediaTokenKeys:
        """The secrets in the file (JSON, mode 0600), made first when there is none; safe when processes race."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump({"keys": [{"id": secrets.token_hex(4), "secret": secrets.token_hex(32)}]}, file)
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        stored: dict[str, Any] = json.loads(path.read_text())
        return cls({str(key["id"]): bytes.fromhex(key["secret"]) for key in stored["keys"]})

    def sign(self, grant: MediaGrant) -> str:
        """The token for a grant."""
        key_id, secret = next(iter(self._secrets_by_id.items()))
        payload = {
            "v": _VERSION,
            "k": key_id,
            "e": int(grant.expires_at.timestamp()),
            "a": grant.asset_id,
            "s": grant.session_id,
            "l": grant.max_lines,
            "p": list(grant.pathways),
        }
        body = _encode(json.dumps(payload, separators=(",", ":")).encode())
        return f"{body}.{_encode(_mac(secret, body))}"

    def read(self, token: str, now: datetime) -> MediaGrant:
        """The grant in a token; raises MediaTokenInvalid with the first reason that holds."""
        grant = self.read_unexpiring(token)
        if now >= grant.expires_at:
            raise MediaTokenInvalid("expired", "the media link has expired; start playback again for a new one")
        return grant

    def read_unexpiring(self, token: str) -> MediaGrant:
        """As `read`, but an expired token is still read: for steering, which must go on answering."""
        if len(token) > MAX_TOKEN_CHARACTERS or token.count(".") != 1:
            raise MediaTokenInvalid("malformed", "this is no media link of ours")
        body, signature = token.split(".")
        try:
            payload: dict[str, Any] = json.loads(_decode(body))
            secret = self._secrets_by_id.get(str(payload["k"]))
            if secret is None or not hmac.compare_digest(_decode(signature), _mac(secret, body)):
                raise MediaTokenInvalid("signature", "the media link was changed or its key was retired")
            if payload["v"] != _VERSION:
                raise MediaTokenInvalid("malformed", f"media link of version {payload['v']!r}, wanted {_VERSION}")
            return MediaGrant(
                asset_id=str(payload["a"]),
                session_id=str(payload["s"]),
                expires_at=datetime.fromtimestamp(int(payload["e"]), UTC),
                max_lines=int(payload["l"]),
                pathways=tuple(str(pathway) for pathway in payload["p"]),
            )
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise MediaTokenInvalid("malformed", "this is no media link of ours") from error


def _mac(secret: bytes, body: str) -> bytes:
    return hmac.new(secret, body.encode(), sha256).digest()


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Strict: one spelling per value, so that no bit of a token can change without notice."""
    value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encode(value) != text:
        raise ValueError("not canonical base64url")
    return value
