"""Players that report as fast as they are answered, over plain connections, and remember what was acknowledged.

Each connection goes round its own viewers, one report at a time, so that answers can be checked: a heartbeat must be
accepted at the position that it sent. A viewer context is used for six reports, as a gateway's is within its minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from redis.asyncio import Redis

from common.tokens import VIEWER_HEADER, SigningKey, Viewer, ensure_key_file, sign_viewer_context
from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, TitleId
from subgraphs.playback.adapters.valkey.sessions import ValkeySessionStore
from subgraphs.playback.domain.sessions import Grant, PlaybackSession

__all__ = ["Load", "Player", "Tally", "make_players", "report_for", "sign_contexts"]

QUERY = (
    "mutation Heartbeat($input: HeartbeatInput!) { heartbeat(input: $input) { __typename ... on HeartbeatSuccess "
    "{ acceptedPositionSeconds refusal } ... on SessionNotFound { message } ... on InvalidInput { message } } }"
)
"""What the gateway asks for the clients' operation schema/operations/shared/heartbeat.graphql."""
DURATION_S = 6_000.0
REPORTS_PER_CONTEXT = 6
FORWARDED_HEADERS = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"


@dataclass(slots=True)
class Player:
    """One device of one profile; `acknowledged` is the number of the last report that was acknowledged."""

    viewer: Viewer
    profile_id: str
    session_id: str
    contexts: list[str] = field(default_factory=list)
    sequence: int = 0
    acknowledged: int = 0

    def position_s(self, sequence: int) -> float:
        """Where the player is in its report of that number: each is at another place."""
        return sequence * 0.01

    def next_body(self) -> bytes:
        """The next report's request body."""
        self.sequence += 1
        values = {
            "sessionId": self.session_id,
            "positionSeconds": self.position_s(self.sequence),
            "sequence": self.sequence,
            "state": "PLAYING",
            "bitrateBps": 5_000_000,
            "bufferSeconds": 20.5,
            "rebufferCount": 0,
        }
        return orjson.dumps({"query": QUERY, "variables": {"input": values}})

    def context(self) -> str:
        """The viewer context for the report that was just numbered."""
        return self.contexts[self.sequence // REPORTS_PER_CONTEXT % len(self.contexts)]


@dataclass(slots=True)
class Tally:
    """What the players saw. `wrong` answers are those that were neither right nor a refusal for now."""

    acknowledged: int = 0
    unavailable: int = 0
    broken: int = 0
    wrong: list[str] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Load:
    """Connections to 127.0.0.1:`port`, each with its share of the players."""

    port: int
    shares: Sequence[Sequence[Player]]
    tally: Tally = field(default_factory=Tally)

    async def run(self, seconds: float) -> None:
        """Report for so long; a broken connection is opened again."""
        deadline = time.monotonic() + seconds
        await asyncio.gather(*[self._connection(share, deadline) for share in self.shares])

    async def _connection(self, share: Sequence[Player], deadline: float) -> None:
        turn = 0
        while time.monotonic() < deadline:
            writer: asyncio.StreamWriter | None = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                while time.monotonic() < deadline:
                    await self._report(reader, writer, share[turn % len(share)])
                    turn += 1
            except (OSError, asyncio.IncompleteReadError, EOFError):
                self.tally.broken += 1
                await asyncio.sleep(0.02)
            finally:
                if writer is not None:
                    writer.close()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()

    async def _report(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, player: Player) -> None:
        body = player.next_body()
        sequence, began = player.sequence, time.monotonic()
        writer.write(
            f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\ncontent-type: application/json\r\n"
            f"{VIEWER_HEADER}: {player.context()}\r\n{FORWARDED_HEADERS}content-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        answer = await reader.readexactly(length)
        self._count(head, answer, player, sequence, time.monotonic() - began)

    def _count(self, head: bytes, answer: bytes, player: Player, sequence: int, latency_s: float) -> None:
        document: dict[str, Any] = orjson.loads(answer)
        result = (document.get("data") or {}).get("heartbeat") or {}
        if head.startswith(b"HTTP/1.1 200") and result.get("acceptedPositionSeconds") == player.position_s(sequence):
            player.acknowledged = sequence
            self.tally.acknowledged += 1
            self.tally.latencies_s.append(latency_s)
        elif any(error.get("extensions", {}).get("code") == "UNAVAILABLE" for error in document.get("errors", ())):
            self.tally.unavailable += 1
        else:
            self.tally.wrong.append(answer[:300].decode())


async def make_players(state_dir: Path, valkey_url: str, count: int) -> list[Player]:
    """Sessions in Valkey, as starting playback leaves them; the players have no viewer contexts yet."""
    ensure_key_file(state_dir / "keys" / "viewer.pem")
    now = datetime.now(UTC)
    redis = Redis.from_url(valkey_url)
    try:
        store = ValkeySessionStore(redis, timedelta(hours=1))
        players = []
        for number in range(count):
            session = _session(number, now)
            await store.put(session)
            viewer = Viewer(
                account_id=session.account_id, session_id=f"ses_{number}", country="US", plan="STANDARD",
                subscription="ACTIVE", profile_id=session.profile_id, maturity=18, language="en",
            )  # fmt: skip
            players.append(Player(viewer, session.profile_id, session.id))
    finally:
        await redis.aclose()
    return players


def sign_contexts(state_dir: Path, players: Sequence[Player], count: int) -> None:
    """Give each player so many viewer contexts that the subgraph will accept for the next minute."""
    key: SigningKey = ensure_key_file(state_dir / "keys" / "viewer.pem")
    now = datetime.now(UTC)
    for player in players:
        claims = player.viewer.to_claims()
        # A number makes the contexts different texts, as those of different minutes are.
        player.contexts = [sign_viewer_context(key, {**claims, "n": turn}, now) for turn in range(count)]


async def report_for(port: int, players: Sequence[Player], connections: int, seconds: float) -> Tally:
    """Let the players report over so many connections."""
    shares = [list(players[number::connections]) for number in range(connections)]
    load = Load(port, [share for share in shares if share])
    await load.run(seconds)
    return load.tally


def _session(number: int, now: datetime) -> PlaybackSession:
    grant = Grant(
        manifests=(), licence_url=None, playback_token="bench", steering_url=None, pathways=(), max_height_px=1080,
        audio_languages=("en",), subtitle_languages=("en", "de"), thumbnails_url=None,
    )  # fmt: skip
    return PlaybackSession(
        id=SessionId(f"pbs_{number:026}"),
        account_id=AccountId(f"acc_{number:05}"),
        profile_id=ProfileId(f"prof_{number:05}"),
        plan="STANDARD",
        device_id=f"device-{number}",
        title_id=TitleId(f"mov_{number % 500:05}"),
        series_id=None,
        next_title_id=None,
        asset_id="ast_1",
        ordinal=int(now.timestamp() * 1_000_000),
        started_at=now,
        resume_position_s=0.0,
        duration_s=DURATION_S,
        markers=(),
        grant=grant,
    )
