"""Artwork masters: the largest form of each image, drawn once and kept as an object for delivery to make sizes of."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from subgraphs.kernel.ids import TitleId
from subgraphs.titles.artwork_sizes import MAIN_VARIANT
from subgraphs.titles.domain.artwork_reference import ArtworkRole
from subgraphs.titles.domain.title import CreditRole, Title, TitleKind
from subgraphs.titles.ports import ArtworkRenderer, ArtworkStore, MasterRequest

__all__ = ["Master", "MasterService", "master_path"]

CANCEL_AGAIN_S = 0.1
"""A cancellation can get lost before Python 3.12, when it arrives together with what is waited for."""


@dataclass(frozen=True, slots=True)
class Master:
    """One master as bytes."""

    content: bytes
    media_type: str


def master_path(title_id: TitleId, role: ArtworkRole, variant: str) -> str:
    """The object that keeps a master; delivery reads it under the same name."""
    extension = "png" if role is ArtworkRole.LOGO else "jpg"
    return f"artwork/{title_id}/{role.lower()}/{variant}.{extension}"


class MasterService:
    """Gives masters, drawing those that are not there; each at most once at a time."""

    def __init__(self, store: ArtworkStore, renderer: ArtworkRenderer) -> None:
        self._store = store
        self._renderer = renderer
        self._drawing: dict[str, asyncio.Task[bytes]] = {}

    async def master(self, title: Title, role: ArtworkRole, variant: str = MAIN_VARIANT) -> Master:
        """The master, from the store or newly drawn; what the renderer raises goes through."""
        path = master_path(title.id, role, variant)
        content = await self._store.read(path)
        if content is None:
            content = await self._draw(path, title, role, variant)
        return Master(content, "image/png" if role is ArtworkRole.LOGO else "image/jpeg")

    async def ensure(self, title: Title, role: ArtworkRole) -> bool:
        """Draw the master unless it is there; True when it was drawn."""
        path = master_path(title.id, role, MAIN_VARIANT)
        if await self._store.exists(path):
            return False
        await self._draw(path, title, role, MAIN_VARIANT)
        return True

    async def _draw(self, path: str, title: Title, role: ArtworkRole, variant: str) -> bytes:
        task = self._drawing.get(path)
        if task is None:
            task = asyncio.create_task(self._draw_and_keep(path, title, role, variant))
            self._drawing[path] = task
            task.add_done_callback(lambda _: self._drawing.pop(path, None))
        # Shielded: others may wait for the same picture when this request is gone.
        return await asyncio.shield(task)

    async def _draw_and_keep(self, path: str, title: Title, role: ArtworkRole, variant: str) -> bytes:
        content = await self._renderer.render(master_request(title, role, variant))
        await self._store.write(path, content)
        return content

    async def aclose(self) -> None:
        """End what is being drawn."""
        while tasks := list(self._drawing.values()):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=CANCEL_AGAIN_S)


def master_request(title: Title, role: ArtworkRole, variant: str) -> MasterRequest:
    """What a master of this title says and depends on."""
    directors = title.credited(CreditRole.DIRECTOR)
    byline = " & ".join(directors[:2]) if directors else ", ".join(title.credited(CreditRole.CAST)[:2])
    if title.kind is TitleKind.EPISODE and title.season_number is not None:
        byline = f"Season {title.season_number} · Episode {title.episode_number}"
    elif title.video_kind is not None:
        byline = title.video_kind.replace("_", " ").capitalize()
    return MasterRequest(
        title_id=title.id,
        role=role.value,
        variant=variant,
        display_name=title.display_name,
        kind=title.kind.value,
        genres=tuple(genre.display_name for genre in title.genres),
        release_year=title.release_year,
        byline=byline,
    )
