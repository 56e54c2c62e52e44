"""The check of a measurement's answers takes right ones and refuses wrong ones."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.search.checking import check_answers
from benchmarks.search.data import ADDED_AT
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.domain.title import Origin, Title, TitleKind


def film(key: str, name: str) -> Title:
    return Title(
        id=TitleId(f"mov_{key}"),
        kind=TitleKind.MOVIE,
        display_name=name,
        origin=Origin("test", key),
        added_at=ADDED_AT,
    )


FILMS = [film("gold", "The Gold Rush"), film("rush", "Rush Hour"), film("keaton", "The General")]


def hits(*films: Title, total: int | None = None) -> dict[str, Any]:
    edges = [{"node": {"id": each.id, "displayName": each.display_name}} for each in films]
    return {"search": {"totalCount": len(films) if total is None else total, "edges": edges}}


def suggested(*texts: str) -> dict[str, Any]:
    return {"searchSuggestions": [{"text": text} for text in texts]}


async def test_right_answers_pass() -> None:
    assert await check_answers(FILMS, {"gold rush": hits(FILMS[0]), "general": hits(FILMS[2])}) == 2
    assert await check_answers(FILMS, {"gol": suggested("The Gold Rush"), "zzzz": suggested()}) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"general": hits(FILMS[0])},
        {"general": hits()},
        {"general": hits(FILMS[2], total=2)},
        {"general": hits(film("keaton", "Another name"))},
        {"gol": suggested("The General")},
        {"gol": suggested()},
    ],
)
async def test_wrong_answers_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"gol|general"):
        await check_answers(FILMS, wrong)
