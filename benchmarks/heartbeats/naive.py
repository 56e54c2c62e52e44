"""The peer: the same mutation as one would write it first, with one transaction for each heartbeat.

strawberry's own ASGI view, a verified viewer context, a session read from Valkey and an upsert that is committed before
the answer, with SQLite as durable as ours (WAL, synchronous = FULL). It neither counts streams nor refuses late
reports nor tells others: it does less per heartbeat.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import aiosqlite
import msgspec
import strawberry
import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.types import Info

from common.tokens import VIEWER_HEADER, TokenVerifier
from subgraphs.playback.domain.sessions import PlaybackSession
from subgraphs.playback.settings import PlaybackSettings

__all__ = ["serve"]

TABLE = """CREATE TABLE IF NOT EXISTS bookmarks (profile_id TEXT, title_id TEXT, position_s REAL, updated_at TEXT,
PRIMARY KEY (profile_id, title_id))"""
UPSERT = """INSERT INTO bookmarks VALUES (?, ?, ?, datetime('now')) ON CONFLICT (profile_id, title_id)
DO UPDATE SET position_s = excluded.position_s, updated_at = excluded.updated_at"""


@strawberry.input
class HeartbeatInput:
    session_id: strawberry.ID
    position_seconds: float
    sequence: int
    state: str = "PLAYING"
    bitrate_bps: int | None = None
    buffer_seconds: float | None = None
    rebuffer_count: int | None = None


@strawberry.type
class HeartbeatSuccess:
    accepted_position_seconds: float
    refusal: str | None


@strawberry.type
class SessionNotFound:
    message: str


@strawberry.type
class InvalidInput:
    message: str


Result = Annotated[HeartbeatSuccess | SessionNotFound | InvalidInput, strawberry.union("HeartbeatResult")]


@strawberry.type
class Query:
    ok: bool = True


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def heartbeat(self, info: Info, input: HeartbeatInput) -> Result:  # noqa: A002
        request: Request = info.context["request"]
        state = request.app.state
        viewer = state.verifier.verify_viewer(request.headers[VIEWER_HEADER])
        value = await state.redis.get(f"marquee:playback-session:{input.session_id}")
        if value is None:
            return SessionNotFound(message="no such session")
        session = msgspec.json.decode(value, type=PlaybackSession)
        if session.profile_id != viewer.profile_id:
            return SessionNotFound(message="no such session")
        await state.database.execute(UPSERT, (session.profile_id, session.title_id, input.position_seconds))
        await state.database.commit()
        return HeartbeatSuccess(accepted_position_seconds=input.position_seconds, refusal=None)


def serve() -> None:
    """Run until SIGTERM, with the settings of the subgraph."""
    settings = PlaybackSettings.load()
    path = settings.shared.state_dir / "naive.sqlite"

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with aiosqlite.connect(path) as database:
            for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", TABLE):
                await database.execute(statement)
            app.state.database = database
            app.state.redis = Redis.from_url(settings.shared.valkey_url)
            app.state.verifier = TokenVerifier.for_viewer(settings.shared.viewer_jwks_path)
            yield
            await app.state.redis.aclose()

    async def health(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    schema = strawberry.Schema(query=Query, mutation=Mutation)
    app = Starlette(routes=[Route("/health", health), Route("/graphql", GraphQL(schema))], lifespan=lifespan)
    uvicorn.run(app, host="127.0.0.1", port=settings.port, loop="uvloop", http="httptools", log_level="error")
