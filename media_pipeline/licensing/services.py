"""The licensing decisions: entitle a session, answer its licence requests, keep an asset's keys."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from common.tokens import SigningKey, TokenInvalid, TokenVerifier, Viewer
from media_pipeline.kernel.ids import new_id
from media_pipeline.licensing.clear_key import LicenceRequestInvalid, read_licence_request, write_licence
from media_pipeline.licensing.domain import Entitlement, KeyRecord, allowed_key_classes, granted_lines
from media_pipeline.licensing.ports import KeyWrapper, LicensingStore
from media_pipeline.media.protection import ContentKey, Encryption, KeyClass

__all__ = ["EntitlementRequest", "GrantedEntitlement", "Licence", "Licensing", "PlaybackTokens"]

PLAYBACK_ISSUER = "marquee-licensing"
PLAYBACK_AUDIENCE = "marquee-playback"
SUBSCRIPTIONS_THAT_PLAY = frozenset({"ACTIVE", "CANCELLED"})
"""A cancelled subscription plays until its paid time is over; then profiles calls it EXPIRED."""
MAX_ID_CHARACTERS = 128
MAX_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class EntitlementRequest:
    """What a session wants to play. `device_max_lines` 0: the device names no limit."""

    title_id: str
    asset_id: str
    device_id: str
    session_id: str
    device_max_lines: int
    supports_clearkey: bool


@dataclass(frozen=True, slots=True)
class GrantedEntitlement:
    """An entitlement and the token that proves it."""

    entitlement: Entitlement
    playback_token: str


@dataclass(frozen=True, slots=True)
class Licence:
    """A Clear Key licence and when its entitlement ends."""

    message: bytes
    expires_at: datetime


class PlaybackTokens:
    """Signs playback tokens and reads them back: ES256, own key, own audience."""

    def __init__(self, key: SigningKey, clock: Clock) -> None:
        self._key = key
        self._verifier = TokenVerifier.from_jwks(
            key.public_jwks(), issuer=PLAYBACK_ISSUER, audience=PLAYBACK_AUDIENCE, clock=clock
        )

    def sign(self, entitlement: Entitlement) -> str:
        """The token of an entitlement, good as long as that is."""
        claims = {
            "iss": PLAYBACK_ISSUER,
            "aud": PLAYBACK_AUDIENCE,
            "sub": entitlement.account_id,
            "jti": entitlement.id,
            "iat": int(entitlement.issued_at.timestamp()),
            "exp": int(entitlement.expires_at.timestamp()),
            "profile": entitlement.profile_id,
            "session": entitlement.session_id,
            "device": entitlement.device_id,
            "title": entitlement.title_id,
            "asset": entitlement.asset_id,
            "max_height_px": entitlement.max_lines,
            "kids": sorted(key_id.hex() for key_id in entitlement.key_ids),
        }
        return self._key.sign(claims)

    def entitlement_id(self, token: str) -> str:
        """The entitlement that a token proves; raises ServiceError UNAUTHENTICATED."""
        try:
            return str(self._verifier.verify(token)["jti"])
        except (TokenInvalid, KeyError) as error:
            raise ServiceError(ErrorKind.UNAUTHENTICATED, f"the playback token is not accepted: {error}") from error


class Licensing:
    """The service's use cases over its ports."""

    def __init__(
        self, store: LicensingStore, wrapper: KeyWrapper, tokens: PlaybackTokens, clock: Clock, life: timedelta
    ) -> None:
        self._store = store
        self._wrapper = wrapper
        self._tokens = tokens
        self._clock = clock
        self._life = life

    async def issue_entitlement(self, viewer: Viewer, request: EntitlementRequest) -> GrantedEntitlement:
        """Grant a session what the plan allows; raises ServiceError.

        Which titles the viewer may see was decided before, by the policy of the graph; here the subscription and the
        quality are decided, because they bound the keys.
        """
        _require_ids(title_id=request.title_id, asset_id=request.asset_id, session_id=request.session_id)
        _require_ids(device_id=request.device_id)
        if viewer.account_id is None or viewer.profile_id is None:
            raise ServiceError(ErrorKind.FAILED_PRECONDITION, "choose a profile first: playback belongs to a profile")
        if viewer.subscription not in SUBSCRIPTIONS_THAT_PLAY:
            raise ServiceError(
                ErrorKind.PERMISSION_DENIED, f"the subscription is {viewer.subscription or 'missing'}; renew it to play"
            )
        keys = await self._store.keys_of_asset(request.asset_id)
        if not keys or any(key.title_id != request.title_id for key in keys):
            raise ServiceError(ErrorKind.NOT_FOUND, f"title {request.title_id} has no asset {request.asset_id}")
        lines = granted_lines(viewer.plan, request.device_max_lines)
        # Whole seconds: the token's expiry and the stored one must be the same instant.
        now = datetime.fromtimestamp(int(self._clock.now().timestamp()), UTC)
        entitlement = Entitlement(
            id=new_id("ent", now),
            session_id=request.session_id,
            account_id=viewer.account_id,
            profile_id=viewer.profile_id,
            device_id=request.device_id,
            title_id=request.title_id,
            asset_id=request.asset_id,
            encryption=Encryption.CLEARKEY if request.supports_clearkey else Encryption.CLEAR,
            max_lines=lines,
            key_ids=_allowed_key_ids(keys, lines) if request.supports_clearkey else frozenset(),
            issued_at=now,
            expires_at=now + self._life,
        )
        await self._store.put_entitlement(entitlement)
        return GrantedEntitlement(entitlement, self._tokens.sign(entitlement))

    async def issue_licence(self, playback_token: str, message: bytes) -> Licence:
        """The keys asked for that the entitlement allows; raises ServiceError, PERMISSION_DENIED when none is."""
        entitlement = await self._store.entitlement(self._tokens.entitlement_id(playback_token))
        if entitlement is None or not entitlement.is_valid_at(self._clock.now()):
            raise ServiceError(ErrorKind.UNAUTHENTICATED, "the playback session has ended; start playback again")
        try:
            request = read_licence_request(message)
        except LicenceRequestInvalid as error:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, str(error)) from error
        allowed = [key_id for key_id in request.key_ids if key_id in entitlement.key_ids]
        if not allowed:
            raise ServiceError(ErrorKind.PERMISSION_DENIED, "none of the keys asked for belongs to this session")
        records = await self._store.keys_by_id(allowed)
        return Licence(write_licence(self._wrapper.unwrap(record) for record in records), entitlement.expires_at)

    async def account_entitlements(self, account_id: str, after_id: str, limit: int) -> tuple[list[Entitlement], int]:
        """A page of what an account ever got, and how many there are. Raises ServiceError for a bad limit."""
        if not 1 <= limit <= MAX_PAGE:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"limit is {limit}, must be 1 to {MAX_PAGE}")
        page = await self._store.account_entitlements(account_id, after_id, limit)
        return page, await self._store.account_entitlement_count(account_id)

    async def erase_account(self, account_id: str, *, scrub: bool) -> int:
        """Forget an account's entitlements; how many there were. Its licences can't be renewed any more."""
        return await self._store.erase_account(account_id, scrub=scrub)

    async def revoke_session(self, session_id: str, account_id: str | None) -> int:
        """End a session's entitlements; how many there were. With an account only that account's."""
        _require_ids(session_id=session_id)
        return await self._store.revoke_session(session_id, account_id, self._clock.now())

    async def keys_of_asset(self, asset_id: str) -> list[KeyRecord]:
        """The asset's keys, wrapped; raises ServiceError NOT_FOUND."""
        _require_ids(asset_id=asset_id)
        keys = await self._store.keys_of_asset(asset_id)
        if not keys:
            raise ServiceError(ErrorKind.NOT_FOUND, f"asset {asset_id} has no keys")
        return keys

    async def ensure_asset_keys(
        self, asset_id: str, title_id: str, key_classes: Collection[KeyClass]
    ) -> list[ContentKey]:
        """One key per class, made where missing; the same answer to every caller."""
        _require_ids(asset_id=asset_id, title_id=title_id)
        if not key_classes:
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT, "key_classes is empty; name the classes of the asset's tracks"
            )
        wanted = set(key_classes)
        present = {record.key_class for record in await self._store.keys_of_asset(asset_id)}
        await self._store.add_missing_keys(
            [self._new_record(asset_id, title_id, key_class) for key_class in sorted(wanted - present)]
        )
        records = await self._store.keys_of_asset(asset_id)
        if any(record.title_id != title_id for record in records):
            raise ServiceError(ErrorKind.ALREADY_EXISTS, f"asset {asset_id} belongs to another title than {title_id}")
        return [self._wrapper.unwrap(record) for record in records if record.key_class in wanted]

    def _new_record(self, asset_id: str, title_id: str, key_class: KeyClass) -> KeyRecord:
        key = ContentKey(secrets.token_bytes(16), secrets.token_bytes(16), key_class)
        return KeyRecord(key.key_id, asset_id, title_id, key_class, self._wrapper.wrap(key), self._clock.now())


def _allowed_key_ids(keys: list[KeyRecord], max_lines: int) -> frozenset[bytes]:
    classes = allowed_key_classes(max_lines, (key.key_class for key in keys))
    return frozenset(key.key_id for key in keys if key.key_class in classes)


def _require_ids(**ids: str) -> None:
    for name, value in ids.items():
        if not 1 <= len(value) <= MAX_ID_CHARACTERS:
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT, f"{name} has {len(value)} characters, wanted 1 to {MAX_ID_CHARACTERS}"
            )
