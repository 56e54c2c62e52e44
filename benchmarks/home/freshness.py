"""How long after a heartbeat the profile's other screens show it: what to go on with, and what is recommended.

One device reports through the gateway, in a playback session that lies where the subgraph keeps its sessions; another
device of the same profile asks for its home page over and over. Both times count from the report's acknowledgement.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import orjson

from benchmarks.home.audience import Audience
from benchmarks.home.deployment import REPOSITORY, Deployment
from benchmarks.home.fill import Filled
from benchmarks.home.screens import SCREENS
from common.valkey import open_valkey
from stack.valkey import valkey_url
from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, TitleId
from subgraphs.playback.adapters.valkey.sessions import ValkeySessionStore
from subgraphs.playback.domain.sessions import Grant, PlaybackSession

__all__ = ["Freshness", "measure_freshness"]

DEADLINE_S = 10.0
PAUSE_S = 0.004
SESSION_LIFE = timedelta(hours=1)
SEEN = """query($device: DeviceInput!) { page(kind: HOME, device: $device) {
  sections(first: 50) { edges { node { kind items(first: 40) { edges { node {
    title { id } ... on ContinueWatchingCard { series { id } } } } } } } } } }"""
"""What a second device looks at: every card, by its title."""


@dataclass(slots=True)
class Freshness:
    """Seconds until it showed, one for each profile; `wrong` says what never did."""

    continued_s: list[float] = field(default_factory=list)
    recommended_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


async def measure_freshness(filled: Filled, system: Deployment, tokens: Mapping[int, str]) -> Freshness:
    """Each profile begins a film of its home page, then finishes it."""
    found = Freshness()
    url = valkey_url(filled.state_dir, system.ports["STACK_VALKEY"])
    async with open_valkey(url) as redis, aiohttp.ClientSession() as client:
        sessions = ValkeySessionStore(redis, SESSION_LIFE)
        for number, token in tokens.items():
            device = _Devices(client, f"{system.url('GATEWAY')}/graphql", {"authorization": f"Bearer {token}"})
            film = await _film_to_watch(device)
            if film is None:
                continue
            session = _session(filled.audience, number, film)
            await sessions.put(session)
            await _watch(device, session, 0.4, partial(_is_continued, film), found.continued_s)
            if not await _watch(device, session, 0.97, partial(_is_not_recommended, film), found.recommended_s):
                found.wrong.append(f"profile {number}: {film} is still recommended {DEADLINE_S:g} s after its end")
    if len(found.continued_s) < len(found.recommended_s):
        found.wrong.append(
            f"{len(found.recommended_s) - len(found.continued_s)} films did not come to continue watching"
        )
    return found


@dataclass(slots=True)
class _Devices:
    """The devices of one profile: one plays, the other looks."""

    client: aiohttp.ClientSession
    url: str
    headers: Mapping[str, str]
    sequence: int = 0

    async def call(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The data of an answer; raises SystemExit for errors."""
        headers = {"content-type": "application/json", **self.headers}
        async with self.client.post(
            self.url, data=orjson.dumps({"query": query, "variables": variables}), headers=headers
        ) as response:
            answer = orjson.loads(await response.read())
        if answer.get("errors"):
            raise SystemExit(f"the gateway answers {answer['errors']}")
        data: dict[str, Any] = answer["data"]
        return data

    async def rows(self) -> dict[str, list[str]]:
        """Ids of titles (and series of episodes) by kind of section."""
        page = (await self.call(SEEN, {"device": SCREENS["phone"].device}))["page"]
        rows: dict[str, list[str]] = {"CONTINUE_WATCHING": []}
        for section in page["sections"]["edges"]:
            ids = [edge["node"]["title"]["id"] for edge in section["node"]["items"]["edges"]]
            rows.setdefault(section["node"]["kind"], []).extend(ids)
        return rows


async def _film_to_watch(device: _Devices) -> str | None:
    rows = await device.rows()
    films = [title_id for kind in ("TOP_PICKS", "GENRE") for title_id in rows.get(kind, ()) if title_id[:3] == "mov"]
    return next(iter(films), None)


def _is_continued(film: str, rows: Mapping[str, list[str]]) -> bool:
    return film in rows["CONTINUE_WATCHING"]


def _is_not_recommended(film: str, rows: Mapping[str, list[str]]) -> bool:
    return not any(film in ids for kind, ids in rows.items() if kind not in {"WATCH_AGAIN", "MY_LIST"})


async def _watch(
    device: _Devices,
    session: PlaybackSession,
    share: float,
    is_there: Callable[[Mapping[str, list[str]]], bool],
    times_s: list[float],
) -> bool:
    """Report, then look until it shows; False when it does not in time."""
    device.sequence += 1
    text = (REPOSITORY / "schema" / "operations" / "shared" / "heartbeat.graphql").read_text()
    report = {
        "sessionId": session.id,
        "positionSeconds": session.duration_s * share,
        "sequence": device.sequence,
        "state": "PAUSED",
    }
    answer = await device.call(text, {"input": report})
    acknowledged = time.perf_counter()
    if answer["heartbeat"]["__typename"] != "HeartbeatSuccess":
        raise SystemExit(f"the heartbeat was refused: {answer['heartbeat']}")
    while time.perf_counter() < acknowledged + DEADLINE_S:
        if is_there(await device.rows()):
            times_s.append(time.perf_counter() - acknowledged)
            return True
        await asyncio.sleep(PAUSE_S)
    return False


def _session(audience: Audience, number: int, film: str) -> PlaybackSession:
    viewer, now = audience.viewer(number), datetime.now(UTC)
    grant = Grant(
        manifests=(), licence_url=None, playback_token="benchmark", steering_url=None, pathways=(), max_height_px=1080,
        audio_languages=("en",), subtitle_languages=("en",), thumbnails_url=None,
    )  # fmt: skip
    return PlaybackSession(
        id=SessionId(f"pbs_home-{number:06d}"),
        account_id=AccountId(viewer.account_id or ""),
        profile_id=ProfileId(viewer.profile_id or ""),
        plan="PREMIUM",
        device_id="kitchen",
        title_id=TitleId(film),
        series_id=None,
        next_title_id=None,
        asset_id="ast_home",
        ordinal=int(now.timestamp() * 1_000_000),
        started_at=now,
        resume_position_s=0.0,
        duration_s=6_000.0,
        markers=(),
        grant=grant,
    )
