"""Keys that sign tokens, and how one takes another's place without a token being refused.

A ring is a PEM file and its successors beside it: `access.pem` signs first, `access-20261120T120000Z.pem` from the
instant in its name on, and so on. Every process that reads the folder therefore knows which key signs now, without
asking anybody. The public halves are published from the moment that a key exists until the tokens of its last second
have expired, so a new key is known everywhere before the first token of it is made. `<name>.jwks.json` beside the keys
is that set as it was when somebody last looked; readers without a private key use it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import structlog
from joserfc import jwt
from joserfc.jwk import ECKey

from common.clock import Clock, SystemClock

__all__ = ["MAX_TOKEN_LIFE", "KeyRing", "SigningKey", "ensure_key_file"]

log = structlog.get_logger(__name__)

MAX_TOKEN_LIFE = timedelta(hours=1)
"""No token of ours that is verified by a published key lives longer, unless its ring is told."""
CLOCK_LEEWAY = timedelta(minutes=1)
"""Between machines; added to every life before a key is forgotten."""
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_INSTANT = "%Y%m%dT%H%M%SZ"
_TICK_NS = 1_000_000_000


@dataclass(frozen=True)
class SigningKey:
    """A private P-256 key with its key id (the RFC 7638 thumbprint)."""

    key: ECKey
    key_id: str

    @classmethod
    def generate(cls) -> Self:
        """A new random key."""
        return cls._of(ECKey.generate_key("P-256"))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a PEM file; raises FileNotFoundError or ValueError."""
        return cls._of(ECKey.import_key(path.read_bytes()))

    @classmethod
    def _of(cls, key: ECKey) -> Self:
        return cls(key, key.thumbprint())

    def public_jwks(self) -> dict[str, Any]:
        """The key set to publish, public half only."""
        public = self.key.as_dict(private=False)
        return {"keys": [{**public, "kid": self.key_id, "use": "sig", "alg": "ES256"}]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact JWS over the claims, as they are."""
        return jwt.encode({"alg": "ES256", "kid": self.key_id}, dict(claims), self.key, algorithms=["ES256"])


@dataclass(frozen=True, slots=True)
class _RingKey:
    """One key of a ring and since when it signs."""

    key: SigningKey
    signs_from: datetime
    path: Path


class KeyRing:
    """The keys of one kind of token. `token_life` is the longest that such a token may live.

    Looks at the folder whenever it is used (one stat) and reads it again when it changed.
    """

    def __init__(self, path: Path, token_life: timedelta = MAX_TOKEN_LIFE, clock: Clock | None = None) -> None:
        self._path = path
        self._token_life = token_life
        self._clock = clock or SystemClock()
        self._read_stamp = -1
        self._keys: tuple[_RingKey, ...] = ()
        self._published_ids: tuple[str, ...] = ()
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _create_key_file(path)
        self.signing_key()

    def signing_key(self) -> SigningKey:
        """The key that signs now; raises FileNotFoundError or ValueError when the folder was destroyed."""
        keys = self._current_keys()
        self._publish(keys)
        return self._signing(keys).key

    def public_jwks(self) -> dict[str, Any]:
        """The key set to publish: the key that signs, those to come, and those whose tokens may still live."""
        keys = [public for each in self._published(self._current_keys()) for public in each.key.public_jwks()["keys"]]
        return {"keys": keys}

    def rotate(self, lead: timedelta) -> tuple[Path, datetime, tuple[Path, ...]]:
        """Make a key that signs from `lead` on; delete keys whose tokens have all expired.

        Returns the new key's file, since when it signs, and the files that were deleted. Raises FileExistsError when
        a key waits for its time already: two of them would only shorten the first one's notice.
        """
        now = self._clock.now()
        keys = self._current_keys()
        waiting = [each for each in keys if each.signs_from > now]
        if waiting:
            raise FileExistsError(f"{waiting[0].path} is there and signs from {waiting[0].signs_from.isoformat()} on")
        # Whole seconds, rounded up: a file's name holds no less.
        signs_from = now.replace(microsecond=0) + lead + timedelta(seconds=1)
        path = self._path.with_name(f"{self._path.stem}-{signs_from:{_INSTANT}}.pem")
        _create_key_file(path)
        kept = {each.path for each in self._published(keys)}
        retired = tuple(each.path for each in keys if each.path not in kept)
        for old in retired:
            if old == self._path:
                # The oldest that is left takes its name, so that the ring's own file is always there.
                oldest = next(each for each in keys if each.path in kept)
                oldest.path.replace(old)
            else:
                old.unlink(missing_ok=True)
        self._read_stamp = -1
        self.signing_key()
        return path, signs_from, retired

    def _current_keys(self) -> tuple[_RingKey, ...]:
        """By the instant from which they sign, oldest first; at least one."""
        stamp = self._path.parent.stat().st_mtime_ns
        if stamp != self._read_stamp:
            try:
                found = [_RingKey(SigningKey.load(path), _signs_from(path), path) for path in self._successors()]
                found.append(_RingKey(SigningKey.load(self._path), _BEGINNING, self._path))
            except FileNotFoundError:
                # Renamed between listing and reading, or gone: what was read once stays good meanwhile.
                if not self._keys:
                    raise
                return self._keys
            self._keys = tuple(sorted(found, key=lambda each: each.signs_from))
            # Two changes in one tick of the file system's clock look like one: a stamp is trusted when it is old.
            self._read_stamp = stamp if time.time_ns() - stamp > _TICK_NS else -1
        return self._keys

    def _successors(self) -> list[Path]:
        name = re.compile(rf"{re.escape(self._path.stem)}-\d{{8}}T\d{{6}}Z\.pem")
        return [path for path in self._path.parent.glob(f"{self._path.stem}-*.pem") if name.fullmatch(path.name)]

    def _signing(self, keys: tuple[_RingKey, ...]) -> _RingKey:
        now = self._clock.now()
        return next((each for each in reversed(keys) if each.signs_from <= now), keys[0])

    def _published(self, keys: tuple[_RingKey, ...]) -> list[_RingKey]:
        """All but those that another one took over from so long ago that none of their tokens lives."""
        forgotten_at = self._clock.now() - self._token_life - CLOCK_LEEWAY
        successors = [each.signs_from for each in keys[1:]]
        return [
            each
            for each, replaced_at in zip(keys, [*successors, None], strict=True)
            if replaced_at is None or replaced_at > forgotten_at
        ]

    def _publish(self, keys: tuple[_RingKey, ...]) -> None:
        """Write the JWKS file when the set is another than before; every writer writes the same."""
        published = self._published(keys)
        ids = tuple(each.key.key_id for each in published)
        if ids == self._published_ids:
            return
        # Once per set: where the folder is mounted to be read only, whoever fills it also publishes.
        self._published_ids = ids
        path = self._path.with_name(f"{self._path.stem}.jwks.json")
        text = json.dumps({"keys": [public for each in published for public in each.key.public_jwks()["keys"]]})
        if not path.exists() or path.read_text() != text:
            draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            try:
                draft.write_text(text)
                draft.replace(path)
            except OSError as error:
                log.warning("keys.not_published", path=str(path), error=str(error))


def ensure_key_file(path: Path) -> SigningKey:
    """The key that signs now in the ring of `path`, made first when there is none: PEM, mode 0600, JWKS beside it.

    For what signs at once and ends; what stays keeps a KeyRing.
    """
    return KeyRing(path).signing_key()


def _create_key_file(path: Path) -> None:
    """Safe when several processes start at once: the first link wins and the others read it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(SigningKey.generate().key.as_pem(private=True))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _signs_from(path: Path) -> datetime:
    return datetime.strptime(path.stem.rpartition("-")[2], _INSTANT).replace(tzinfo=UTC)
