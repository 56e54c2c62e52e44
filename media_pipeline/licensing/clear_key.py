"""EME Clear Key messages (W3C Encrypted Media Extensions, section 9.1): JSON Web Keys, base64url without padding."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass

from media_pipeline.media.protection import ContentKey

__all__ = ["LicenceRequest", "LicenceRequestInvalid", "read_licence_request", "write_licence"]

SESSION_TYPE = "temporary"
KEY_ID_BYTES = 16
MAX_REQUEST_BYTES = 16_384
MAX_KEY_IDS = 64


class LicenceRequestInvalid(Exception):
    """The message is no Clear Key licence request that this service answers; the text says why."""


@dataclass(frozen=True, slots=True)
class LicenceRequest:
    """The key ids that a player asks for, in its order, each once."""

    key_ids: tuple[bytes, ...]


def read_licence_request(message: bytes) -> LicenceRequest:
    """Read `{"kids": ["…"], "type": "temporary"}`; raises LicenceRequestInvalid."""
    if len(message) > MAX_REQUEST_BYTES:
        raise LicenceRequestInvalid(f"licence request of {len(message)} bytes, at most {MAX_REQUEST_BYTES} are read")
    try:
        request = json.loads(message.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise LicenceRequestInvalid("licence request is not UTF-8 JSON; send the CDM's message as it is") from error
    if not isinstance(request, dict):
        raise LicenceRequestInvalid(f"licence request is a JSON {type(request).__name__}, wanted an object with kids")
    session_type = request.get("type", SESSION_TYPE)
    if session_type != SESSION_TYPE:
        raise LicenceRequestInvalid(f"session type {session_type!r} is not offered; open a {SESSION_TYPE!r} session")
    kids = request.get("kids")
    if not isinstance(kids, list) or not 1 <= len(kids) <= MAX_KEY_IDS:
        raise LicenceRequestInvalid(f"licence request needs kids, a list of 1 to {MAX_KEY_IDS} key ids")
    return LicenceRequest(tuple(dict.fromkeys(_read_key_id(kid) for kid in kids)))


def write_licence(keys: Iterable[ContentKey]) -> bytes:
    """The licence to hand to the CDM, keys ordered by id."""
    rows = [
        {"kty": "oct", "k": _encode(key.value), "kid": _encode(key.key_id)}
        for key in sorted(keys, key=lambda key: key.key_id)
    ]
    return json.dumps({"keys": rows, "type": SESSION_TYPE}, separators=(",", ":")).encode()


def _read_key_id(kid: object) -> bytes:
    if not isinstance(kid, str):
        raise LicenceRequestInvalid(f"a key id is a JSON {type(kid).__name__}, wanted a base64url string")
    try:
        key_id = base64.b64decode(kid + "=" * (-len(kid) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise LicenceRequestInvalid(f"key id {kid[:64]!r} is not base64url without padding") from error
    if len(key_id) != KEY_ID_BYTES or _encode(key_id) != kid:
        raise LicenceRequestInvalid(f"key id {kid[:64]!r} is not {KEY_ID_BYTES} bytes of base64url without padding")
    return key_id


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
