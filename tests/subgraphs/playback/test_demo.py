"""The demo's history: whole or not at all, once, about titles that the demo catalogue has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common.tokens import Viewer
from subgraphs.playback.demo import DEMO_HISTORY, DemoProfile, seed_demo_history

CATALOGUE = Path(__file__).parents[3] / "subgraphs" / "titles" / "demo"


def demo_title_ids() -> set[str]:
    ids = set()
    for file in CATALOGUE.glob("films_*.json"):
        ids |= {f"mov_{record['slug']}" for record in json.loads(file.read_text("utf-8"))}
    for record in json.loads((CATALOGUE / "series.json").read_text("utf-8")):
        for season in record["seasons"]:
            ids |= {f"epi_{record['slug']}-s{season['number']}e{row['number']}" for row in season["episodes"]}
    return ids


def test_every_title_is_in_the_demo_catalogue() -> None:
    """Histories speak of real titles only."""
    spoken_of = {watch.title_id for history in DEMO_HISTORY.values() for watch in history}

    assert spoken_of - demo_title_ids() == set()


async def test_history_is_written_once_and_whole(subgraph: Any, make_snapshot: Any, viewer: Viewer) -> None:
    """Nothing while titles are missing; then all of it; then nothing more."""
    profiles = [DemoProfile("prof_1", "acc_1", "Milo"), DemoProfile("prof_2", "acc_1", "Nobody")]
    titles = [make_snapshot(watch.title_id, isKids=True, minimumAge=0) for watch in DEMO_HISTORY["Milo"]]

    early = await seed_demo_history(subgraph.settings, profiles, subgraph.clock.now())
    await subgraph.tell_titles(*titles)
    first = await seed_demo_history(subgraph.settings, profiles, subgraph.clock.now())
    second = await seed_demo_history(subgraph.settings, profiles, subgraph.clock.now())

    assert (early.written, set(early.missing)) == (0, {title["id"] for title in titles})
    assert (first.written, second.written) == (len(titles), 0)
    query = """query ($r: [_Any!]!) { _entities(representations: $r) { ... on Profile { continueWatching { title { id } } } } }"""
    answer = await subgraph.data(query, {"r": [{"__typename": "Profile", "id": "prof_1"}]}, viewer)
    assert [entry["title"]["id"] for entry in answer["_entities"][0]["continueWatching"]] == [
        "mov_the-kid-1921",
        "mov_the-general-1926",
    ]
