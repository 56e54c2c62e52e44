"""`marquee explain page` against the recommendations service as it runs, over HTTP."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from typer.testing import CliRunner

from common.clock import SystemClock
from common.settings import SharedSettings
from common.tokens import ensure_key_file
from common.valkey import open_valkey
from stack.explain import app
from stack.explain_page import ExplainFailed, PageQuestion, ask_for_explanation
from subgraphs.kernel.ids import AccountId, ProfileId
from subgraphs.kernel.migrations import upgrade
from subgraphs.kernel.sql import open_engine
from subgraphs.profiles.adapters.sqlalchemy.accounts import SqlAccountStore
from subgraphs.profiles.adapters.sqlalchemy.tables import MIGRATIONS
from subgraphs.profiles.domain.accounts import Account, PlanId, Profile, Subscription, SubscriptionStatus
from subgraphs.profiles.settings import ProfilesSettings
from subgraphs.recommendations.adapters.valkey.tastes import ValkeyTasteStore
from subgraphs.recommendations.app import create_app
from subgraphs.recommendations.domain.taste import Watched
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.pages.explanation_in_words import write_explanation
from subgraphs.recommendations.settings import RecommendationsSettings
from tests.support.valkey_server import valkey_server

GENRES = ("Horror", "Comedy", "Western")
PROFILE = "prof_explained"


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest.fixture
async def service_port(tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A recommendations service with some films, and a household of which one profile watched horror."""
    shared = SharedSettings(state_dir=tmp_path, valkey_url=valkey_url)
    ensure_key_file(shared.keys_dir / "viewer.pem")
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path))
    await _move_in()
    application = create_app(RecommendationsSettings(shared=shared), SystemClock())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        monkeypatch.setenv("MARQUEE_RECOMMENDATIONS_PORT", str(port))
        server = uvicorn.Server(uvicorn.Config(application, log_level="error"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0)
        models = application.state.resources
        models.change([record_from_snapshot(_film(number)) for number in range(60)])
        await models.rebuild()
        async with open_valkey(valkey_url) as redis:
            for number in (0, 3, 6):
                at_s = datetime.now(UTC).timestamp() - 3600 * (number + 1)
                watched = Watched(5000, 5000, True, True, at_s)
                await ValkeyTasteStore(redis).watched(PROFILE, f"mov_{number:03}", watched)
        yield port
        server.should_exit = True
        await serving


async def _move_in() -> None:
    engine = open_engine(ProfilesSettings.load().store_url)
    await upgrade(engine, MIGRATIONS)
    now = datetime.now(UTC)
    paid = Subscription(SubscriptionStatus.ACTIVE, now + timedelta(days=20))
    owner = AccountId("acc_explained")
    account = Account(owner, "somebody@marquee.example", "US", PlanId.STANDARD, paid, frozenset(), now)
    profile = Profile(ProfileId(PROFILE), owner, "Somebody", "avatar-1", False, 16, "en", now)
    assert await SqlAccountStore(engine).create_account(account, "no password", profile, [])
    await engine.dispose()


def _film(number: int) -> dict[str, Any]:
    genre = GENRES[number % 3]
    return {
        "id": f"mov_{number:03}",
        "kind": "MOVIE",
        "displayName": f"{genre} {number}",
        "synopsis": f"{genre.lower()} {'night' if number % 2 else 'morning'}",
        "genres": [{"id": f"gen_{genre.lower()}", "name": genre}],
        "directors": [f"Director {number % 9}"],
        "minimumAge": 18 if number == 57 else 0,
        "isKids": False,
        "windows": [{"country": "*", "from": None, "until": None}],
        "popularity": number / 100,
        "addedAt": "2026-01-01T00:00:00+00:00",
    }


async def test_explains_the_page_of_a_profile(service_port: int) -> None:
    """Rows with their worth, cards with their scores and causes, what lost: as the service decided, for this profile."""
    assert service_port
    explained = await ask_for_explanation(PageQuestion(PROFILE, "tv", "HOME"))

    assert explained.knows["finished"] == 3
    assert explained.country == "US"
    [because, *_] = [row for row in explained.rows if row.kind == "BECAUSE_YOU_WATCHED"]
    assert because.heading.startswith("Because you watched Horror ")
    assert because.worth == pytest.approx(because.place_weight * (because.relevance + because.coverage), abs=1e-3)
    causes = {card.cause.title_id for row in explained.rows for card in row.cards if card.cause is not None}
    assert causes <= {"mov_000", "mov_003", "mov_006"}
    assert causes
    assert not any(card.title_id == "mov_057" for row in explained.rows for card in row.cards)
    words = write_explanation(explained)
    assert f"{because.place:>2}. {because.heading} (BECAUSE_YOU_WATCHED" in words
    assert re.search(r"drawn most by Horror \d, which shares Horror.*: place \d+, without it \d+", words)


async def test_says_what_is_missing(service_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that is not there, a page that can't be, no service, no key: what was asked, and the next step."""
    assert service_port
    with pytest.raises(ExplainFailed, match="there is no profile 'prof_nobody'"):
        await ask_for_explanation(PageQuestion("prof_nobody", "tv", "HOME"))
    with pytest.raises(ExplainFailed, match="needs genreId"):
        await ask_for_explanation(PageQuestion(PROFILE, "phone", "GENRE"))
    with socket.create_server(("127.0.0.1", 0)) as unused:
        monkeypatch.setenv("MARQUEE_RECOMMENDATIONS_PORT", str(unused.getsockname()[1]))
    with pytest.raises(ExplainFailed, match="is Marquee running"):
        await ask_for_explanation(PageQuestion(PROFILE, "tv", "HOME"))
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(ExplainFailed, match=r"viewer\.pem is missing; run"):
        await ask_for_explanation(PageQuestion(PROFILE, "tv", "HOME"))


def test_a_failure_is_one_line_and_a_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody needs a stack trace; a screen that there is not is refused with those that there are."""
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path))
    failed = CliRunner().invoke(app, ["page", "--profile", PROFILE])
    refused = CliRunner().invoke(app, ["page", "--profile", PROFILE, "--device", "fridge"])

    assert (failed.exit_code, refused.exit_code) == (1, 2)
    assert "viewer.pem is missing" in failed.output
    assert "Traceback" not in failed.output
