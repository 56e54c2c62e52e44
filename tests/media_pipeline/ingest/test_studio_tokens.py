"""Who may upload: key sets by address or file, rotated, away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from common.tokens import ACCESS_AUDIENCE, ACCESS_ISSUER, SigningKey, ensure_key_file, sign_service_token
from media_pipeline.ingest.adapters import studio_tokens
from media_pipeline.ingest.adapters.studio_tokens import KeySetSource, StudioTokens

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Publisher:
    """The profiles service's key set, and whether it answers."""

    def __init__(self) -> None:
        self.key = SigningKey.generate()
        self.is_away = False
        self.asked_count = 0

    async def answer(self, _request: web.Request) -> web.Response:
        self.asked_count += 1
        return web.Response(status=503) if self.is_away else web.json_response(self.key.public_jwks())

    def token(self, **claims: Any) -> str:
        now = int(NOW.timestamp())
        base = {"iss": ACCESS_ISSUER, "aud": ACCESS_AUDIENCE, "sub": "acc", "iat": now, "exp": now + 900}
        return self.key.sign({**base, "scopes": ["studio"], **claims})


@asynccontextmanager
async def tokens_of(publisher: Publisher, tmp_path: Path) -> AsyncIterator[StudioTokens]:
    app = web.Application()
    app.router.add_get("/jwks.json", publisher.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as http:
            source = KeySetSource(f"http://127.0.0.1:{port}/jwks.json", http)
            yield StudioTokens(source, tmp_path / "viewer.jwks.json", FakeClock(NOW))
    finally:
        await runner.cleanup()


async def refusal(tokens: StudioTokens, authorization: str | None) -> ErrorKind:
    with pytest.raises(ServiceError) as refused:
        await tokens.owner(authorization)
    return refused.value.kind


async def test_accounts_with_the_scope_and_our_services_may_upload(tmp_path: Path):
    publisher = Publisher()
    service_key = ensure_key_file(tmp_path / "viewer.pem")
    async with tokens_of(publisher, tmp_path) as tokens:
        assert await tokens.owner(f"Bearer {publisher.token()}") == "acc"
        assert await tokens.owner(f"bearer {sign_service_token(service_key, 'stack', NOW)}") == "service:stack"
        assert await refusal(tokens, f"Bearer {publisher.token(scopes=[])}") is ErrorKind.PERMISSION_DENIED
        assert await refusal(tokens, f"Bearer {publisher.token(exp=1)}") is ErrorKind.UNAUTHENTICATED
        assert await refusal(tokens, f"Bearer {publisher.token(aud='other')}") is ErrorKind.UNAUTHENTICATED
        assert await refusal(tokens, None) is ErrorKind.UNAUTHENTICATED
        assert await refusal(tokens, "Basic abc") is ErrorKind.UNAUTHENTICATED
        assert publisher.asked_count == 1


async def test_a_rotated_key_is_learned_and_an_outage_forgiven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    publisher = Publisher()
    async with tokens_of(publisher, tmp_path) as tokens:
        old = publisher.token()
        assert await tokens.owner(f"Bearer {old}") == "acc"
        publisher.is_away = True
        monkeypatch.setattr(studio_tokens, "FRESH_S", 0.0)
        assert await tokens.owner(f"Bearer {old}") == "acc"
        publisher.is_away = False
        publisher.key = SigningKey.generate()
        monkeypatch.setattr(studio_tokens, "FRESH_S", 300.0)
        monkeypatch.setattr(studio_tokens, "RETRY_S", 0.0)
        assert await tokens.owner(f"Bearer {publisher.token()}") == "acc"
        assert await refusal(tokens, f"Bearer {old}") is ErrorKind.UNAUTHENTICATED


async def test_without_any_key_set_uploads_wait(tmp_path: Path):
    publisher = Publisher()
    publisher.is_away = True
    async with tokens_of(publisher, tmp_path) as tokens:
        assert await refusal(tokens, f"Bearer {publisher.token()}") is ErrorKind.UNAVAILABLE
