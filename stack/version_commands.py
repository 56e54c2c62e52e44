"""What `marquee models` and `marquee artwork` have in common: choosing among versions of something that was learned."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from common.errors import ServiceError
from common.settings import SettingsInvalid, SharedSettings
from stack.failing import fail
from stack.valkey import running_valkey_url

if TYPE_CHECKING:
    from subgraphs.recommendations.domain.model_versions import Choice, Version, VersionT
    from subgraphs.recommendations.ports import ModelChoice
    from subgraphs.recommendations.ports_versions import VersionStore
    from subgraphs.recommendations.settings import RecommendationsSettings

    OpenVersions: TypeAlias = Callable[
        [RecommendationsSettings], AbstractAsyncContextManager[tuple[VersionStore[VersionT], ModelChoice]]
    ]

__all__ = [
    "NEWEST",
    "choose_version",
    "read_versions",
    "recommendations_settings",
    "roll_back",
    "run_or_fail",
    "state_of",
    "told_use",
]

NEWEST = "newest"
ResultT = TypeVar("ResultT")


def read_versions(open_versions: OpenVersions[VersionT]) -> tuple[Sequence[VersionT], Choice]:
    """All that are kept, the newest first, and which is in use."""

    async def read() -> tuple[Sequence[VersionT], Choice]:
        async with open_versions(recommendations_settings()) as (store, choice):
            return await store.versions(), await choice.choice()

    return run_or_fail(read)


def choose_version(open_versions: OpenVersions[VersionT], version_id: str, maker: str) -> str:
    """Use a version everywhere and pin it, or the newest that may serve; its id. `maker`: the command for new ones."""
    from subgraphs.recommendations.domain.model_versions import newest_fit

    async def choose() -> str:
        async with open_versions(recommendations_settings()) as (store, choice):
            versions = await store.versions()
            if version_id == NEWEST:
                found = newest_fit(versions)
            else:
                found = next((each for each in versions if each.id == version_id), None)
            if found is None:
                known = ", ".join(each.id for each in versions) or f"none; `{maker}` makes one"
                fail(f"there is no version {version_id} that may serve; known are {known}")
            await choice.choose(found.id, is_pinned=version_id != NEWEST)
            return found.id

    return run_or_fail(choose)


def roll_back(open_versions: OpenVersions[VersionT], lister: str) -> str:
    """Use the version that was in use before, everywhere, and pin it; its id. `lister`: the command that lists them."""

    async def go_back() -> str | None:
        async with open_versions(recommendations_settings()) as (_, choice):
            return await choice.go_back()

    version_id = run_or_fail(go_back)
    if version_id is None:
        fail(f"no other version was in use before; `{lister}` shows what there is")
    return version_id


def told_use(version: Version, *, is_used: bool, group: str) -> str:
    """What became of a new version, and the command of `group` that changes it."""
    if is_used:
        return f"In use from now on; `marquee {group} rollback` takes it back."
    if version.unfit_because is not None:
        return f"Not used: {version.unfit_because}."
    return f"Not used: another version is pinned; `marquee {group} use {version.id}` changes that."


def state_of(version: Version, choice: Choice) -> str:
    """For a table."""
    if version.id == choice.version_id:
        return "in use, pinned" if choice.is_pinned else "in use"
    return "" if version.unfit_because is None else f"unfit: {version.unfit_because}"


def recommendations_settings() -> RecommendationsSettings:
    """Those of the running system, with the Valkey that it started itself where none is named."""
    from subgraphs.recommendations.settings import RecommendationsSettings

    shared = SharedSettings.load()
    return RecommendationsSettings.load(shared=shared.model_copy(update={"valkey_url": running_valkey_url(shared)}))


def run_or_fail(work: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """What it returns; an expected failure ends the command with its message."""

    async def run() -> ResultT:
        return await work()

    try:
        return asyncio.run(run())
    except (SettingsInvalid, ValueError) as error:
        fail(str(error))
    except ServiceError as error:
        fail(f"{error.message}; is Marquee running (make up), or is MARQUEE_VALKEY_URL right?")
