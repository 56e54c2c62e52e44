"""What the clients ask when a home page opens: their own operations with the variables of their own devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from benchmarks.home.audience import Audience
from benchmarks.home.deployment import REPOSITORY
from common.tokens import ensure_key_file, sign_access_token

__all__ = ["SCREENS", "Request", "Screen", "make_requests", "sign_tokens"]

TOKEN_LIFE = timedelta(minutes=45)
SUPPORTED_SECTIONS = (
    "HERO", "CONTINUE_WATCHING", "BECAUSE_YOU_WATCHED", "TOP_PICKS", "TRENDING", "NEW_RELEASES", "POPULAR_IN_COUNTRY",
    "GENRE", "MY_LIST", "WATCH_AGAIN", "COLLECTION", "LEAVING_SOON",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Screen:
    """A client: its home operation, and how it describes its device (clients/tv/device.js, clients/phone/device.js)."""

    name: str
    operation: str
    device: Mapping[str, Any]

    def body(self) -> bytes:
        """The request's body, as clients/shared/api.js writes it."""
        text = (REPOSITORY / "schema" / "operations" / f"{self.operation}.graphql").read_text()
        variables = {"kind": "HOME", "device": self.device, "genreId": None}
        declared = {name: value for name, value in variables.items() if f"${name}:" in text}
        return orjson.dumps({"query": text, "variables": declared})


@dataclass(frozen=True, slots=True)
class Request:
    """One request to be sent: whose it is, by number in the audience, and its bytes."""

    profile: int
    headers: Mapping[str, str]
    body: bytes


SCREENS = {
    "TV": Screen(
        "TV",
        "tv/home",
        {
            "formFactor": "TV", "widthPx": 960, "heightPx": 540, "pixelRatio": 2, "imageFormats": ["WEBP", "JPEG"],
            "supports": SUPPORTED_SECTIONS,
        },
    ),
    "phone": Screen(
        "phone",
        "phone/home",
        {
            "formFactor": "PHONE", "widthPx": 412, "heightPx": 915, "pixelRatio": 2.625,
            "imageFormats": ["WEBP", "JPEG"], "supports": SUPPORTED_SECTIONS,
        },
    ),
}  # fmt: skip


def sign_tokens(state_dir: Path, audience: Audience, profiles: Sequence[int]) -> dict[int, str]:
    """Access tokens as the account service gives them when a profile was selected, by the profile's number."""
    key, now = ensure_key_file(state_dir / "keys" / "access.pem"), datetime.now(UTC)
    return {number: sign_access_token(key, audience.viewer(number), now, TOKEN_LIFE) for number in profiles}


def make_requests(screen: Screen, tokens: Mapping[int, str]) -> list[Request]:
    """One for each profile, in the order of the tokens."""
    body = screen.body()
    shared = {
        "content-type": "application/json",
        "accept": "application/graphql-response+json, application/json;q=0.9",
        "accept-encoding": "gzip, deflate, br",
    }
    return [Request(number, {**shared, "authorization": f"Bearer {token}"}, body) for number, token in tokens.items()]
