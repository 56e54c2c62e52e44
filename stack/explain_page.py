"""`marquee explain page`: asks the running recommendations service why a profile's page is as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec

from common.errors import ServiceError
from common.settings import SharedSettings
from common.tokens import VIEWER_HEADER, SigningKey, Viewer, ensure_key_file, sign_viewer_context
from subgraphs.kernel.ids import ProfileId
from subgraphs.kernel.sql import open_engine
from subgraphs.profiles.adapters.sqlalchemy.accounts import SqlAccountStore
from subgraphs.profiles.settings import ProfilesSettings
from subgraphs.recommendations.domain.explanation import PageExplanation
from subgraphs.recommendations.settings import RecommendationsSettings

__all__ = ["DEVICES", "ExplainFailed", "PageQuestion", "ask_for_explanation"]

TIMEOUT_S = 60.0
SCOPE = "tester"
KINDS = [
    "HERO", "CONTINUE_WATCHING", "BECAUSE_YOU_WATCHED", "TOP_PICKS", "TRENDING", "COLLECTION", "NEW_RELEASES",
    "LEAVING_SOON", "POPULAR_IN_COUNTRY", "GENRE", "MY_LIST", "WATCH_AGAIN",
]  # fmt: skip
DEVICES: Mapping[str, Mapping[str, Any]] = {
    "tv": {"formFactor": "TV", "widthPx": 1920, "heightPx": 1080, "pixelRatio": 1},
    "phone": {"formFactor": "PHONE", "widthPx": 390, "heightPx": 844, "pixelRatio": 3},
    "tablet": {"formFactor": "TABLET", "widthPx": 820, "heightPx": 1180, "pixelRatio": 2},
    "browser": {"formFactor": "BROWSER", "widthPx": 1440, "heightPx": 900, "pixelRatio": 1},
}
"""Common screens; they draw every kind of section."""
QUERY = """query ($kind: PageKind!, $device: DeviceInput!, $genreId: ID, $titleId: ID) {
  page(kind: $kind, device: $device, genreId: $genreId, titleId: $titleId) { explanation }
}"""


class ExplainFailed(Exception):
    """There is no explanation; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class PageQuestion:
    """Which page; `device` is a name in DEVICES, `kind` a PageKind."""

    profile_id: str
    device: str
    kind: str
    genre_id: str | None = None
    title_id: str | None = None


async def ask_for_explanation(question: PageQuestion) -> PageExplanation:
    """What the running service says. Raises ExplainFailed."""
    key_path = SharedSettings.load().keys_dir / "viewer.pem"
    if not key_path.exists():
        raise ExplainFailed(f"{key_path} is missing; run `make up` first, or set MARQUEE_STATE_DIR to its state folder")
    viewer = replace(await _viewer(question.profile_id), scopes=frozenset({SCOPE}))
    answer = await _ask(question, viewer, ensure_key_file(key_path))
    if answer.get("errors"):
        raise ExplainFailed(f"recommendations refused: {answer['errors'][0]['message']}")
    return msgspec.convert(answer["data"]["page"]["explanation"], PageExplanation)


async def _viewer(profile_id: str) -> Viewer:
    """As the profile's token would name it: the policy decides by what the account and the profile are now."""
    engine = open_engine(ProfilesSettings.load().store_url)
    try:
        accounts = SqlAccountStore(engine)
        profile = (await accounts.profiles_by_id([ProfileId(profile_id)])).get(ProfileId(profile_id))
        if profile is None:
            raise ExplainFailed(f"there is no profile {profile_id[:80]!r}: the graph's viewer tells the ids of its own")
        account = (await accounts.accounts_by_id([profile.account_id]))[profile.account_id]
    except ServiceError as error:
        raise ExplainFailed(
            f"the store of profiles can't be read ({error.message}); is Marquee set up there?"
        ) from error
    finally:
        await engine.dispose()
    return Viewer(
        account_id=account.id,
        country=account.country,
        plan=account.plan_id.value,
        subscription=account.subscription.status_at(datetime.now(UTC)).value,
        profile_id=profile.id,
        is_kids=profile.is_kids,
        maturity=profile.maturity_limit,
        language=profile.language,
    )


async def _ask(question: PageQuestion, viewer: Viewer, key: SigningKey) -> Mapping[str, Any]:
    url = f"http://127.0.0.1:{RecommendationsSettings.load().port}/graphql"
    variables = {
        "kind": question.kind,
        "device": {**DEVICES[question.device], "imageFormats": ["WEBP", "JPEG"], "supports": KINDS},
        "genreId": question.genre_id,
        "titleId": question.title_id,
    }
    headers = {VIEWER_HEADER: sign_viewer_context(key, viewer.to_claims(), datetime.now(UTC))}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
            session.post(url, json={"query": QUERY, "variables": variables}, headers=headers) as response,
        ):
            answer: Mapping[str, Any] = await response.json()
            return answer
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise ExplainFailed(f"no recommendations service answers at {url} ({reason}); is Marquee running?") from error
