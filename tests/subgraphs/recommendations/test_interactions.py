"""What was shown and opened is told as events: bounded, where it is allowed, and only of titles that may be seen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis

from common.events import stream_key
from common.tokens import Viewer

REPORT = """mutation ($cards: [InteractionInput!]!) { reportInteractions(interactions: $cards) { __typename
  ... on ReportInteractionsSuccess { takenCount } ... on InvalidInput { fields { path message } } } }"""


def card(title_id: str, kind: str = "SHOWN", tracking: str = "rev.row.1") -> dict[str, str]:
    return {"titleId": title_id, "kind": kind, "tracking": tracking}


async def report(subgraph: Any, viewer: Viewer, *cards: dict[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = (await subgraph.data(REPORT, {"cards": list(cards)}, viewer))["reportInteractions"]
    return result


async def told(redis: Redis) -> list[tuple[str, str]]:
    entries: Any = await redis.xrange(stream_key("interactions"))
    return [(fields[b"kind"].decode(), json.loads(fields[b"data"])["titleId"]) for _, fields in entries]


async def test_cards_are_told_in_order(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer, redis: Redis) -> None:
    """Unknown titles are left out."""
    await subgraph.tell_titles(catalogue_snapshots)
    first, second = (snapshot["id"] for snapshot in catalogue_snapshots[:2])
    answer = await report(subgraph, viewer, card(first), card("mov_none"), card(second, "OPENED"))
    taken = await told(redis)
    assert answer == {"__typename": "ReportInteractionsSuccess", "takenCount": len(taken)}
    assert set(taken) <= {("card.shown", first), ("card.clicked", second)}
    assert taken


async def test_a_report_is_bounded(subgraph: Any, viewer: Viewer) -> None:
    """By the number of cards and the length of a tracking text; without a profile nothing is taken."""
    many = await report(subgraph, viewer, *[card("mov_1")] * 51)
    assert many["fields"][0]["path"] == "interactions"
    long = await report(subgraph, viewer, card("mov_1", tracking="x" * 401))
    assert long["fields"][0]["path"] == "interactions.0.tracking"
    nobody = await report(subgraph, replace(viewer, profile_id=None), card("mov_1"))
    assert nobody["__typename"] == "NoProfileSelected"


async def test_who_refuses_is_not_told_of(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer, redis: Redis
) -> None:
    """Until they agree again; kids profiles never. Told twice or late, a consent means the same."""
    await subgraph.tell_titles(catalogue_snapshots)
    shown = catalogue_snapshots[0]["id"]
    consent = {
        "accountId": viewer.account_id,
        "profileIds": [viewer.profile_id],
        "purpose": "PERSONALISATION",
        "textVersion": 1,
    }
    for _ in range(2):
        await subgraph.tell("accounts", "consent.changed", {**consent, "granted": False})
    assert (await report(subgraph, viewer, card(shown)))["takenCount"] == 0
    await subgraph.tell("accounts", "consent.changed", {**consent, "granted": True})
    kids = replace(viewer, is_kids=True)
    assert (await report(subgraph, kids, card(shown)))["takenCount"] == 0
    assert await told(redis) == []


async def test_what_is_opened_from_a_search_is_remembered(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer
) -> None:
    """Not what is shown, nor what is opened from a page; who refuses is not remembered."""
    await subgraph.tell_titles(catalogue_snapshots)
    shown, opened = "ser_1", "ser_2"
    cards = [card(shown, tracking="search.s1.1"), card(shown, "OPENED", "rev.top-picks.search.1")]
    await report(subgraph, viewer, *cards, card(opened, "OPENED", "search.s1.2"))
    taste = await subgraph.models._tastes.taste("prof_1")
    assert taste.sought == {opened: subgraph.clock.now().timestamp()}
    refused = {"accountId": "acc_1", "profileIds": ["prof_1"], "purpose": "PERSONALISATION", "granted": False}
    subgraph.clock.advance(timedelta(seconds=1))
    await subgraph.tell("accounts", "consent.changed", {**refused, "textVersion": 1})
    await report(subgraph, viewer, card(shown, "OPENED", "search.s1.1"))
    assert set((await subgraph.models._tastes.taste("prof_1")).sought) == {opened}
