"""Every field that can be read, as every kind of viewer, by every road, against the authorization table."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stack.authorization_table import ViewerKind
from tests.support.authorization_probe import Probe, Road
from tests.support.authorization_targets import Target, entity_targets, query_targets

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOME = """{ page(kind: HOME, device: {formFactor: TV, widthPx: 1280, heightPx: 720, supports: [HERO, CONTINUE_WATCHING,
  TOP_PICKS, TRENDING, NEW_RELEASES, POPULAR_IN_COUNTRY, GENRE, MY_LIST]}) { sections(first: 10) { edges { node {
  id kind } } } } }"""


async def section_of_owner(probe: Probe) -> str:
    answer = await probe.graph.ask(HOME, token=probe.households.token(ViewerKind.OWNER))
    return str(answer.data["page"]["sections"]["edges"][1]["node"]["id"])


def roads_of(target: Target, targets: Sequence[Target]) -> Sequence[Road]:
    """All roads for the last that a root field is pointed at, which is the least public; one for the others."""
    is_last = target == [each for each in targets if each.field == target.field][-1]
    return list(Road) if is_last else [Road.DIRECT]


async def test_every_cell_by_every_road(probe: Probe) -> None:
    """Who may see something sees it, and nobody else anything of it, whatever way they ask."""
    targets = query_targets(probe.graph, probe.households, await section_of_owner(probe))

    for target in targets:
        for road in roads_of(target, targets):
            await probe.look_at(target, road)

    print(f"{sum(probe.verdicts.cells.values())} cells: {dict(probe.verdicts.cells)}")
    print(probe.verdicts.report())
    assert probe.verdicts.problems == []
    assert {target.field for target in targets} == set(probe.api.query_type.fields)  # type: ignore[union-attr]


async def test_every_entity_past_the_gateway(probe: Probe) -> None:
    """A subgraph that is asked for an entity directly gives a viewer no more than the gateway would."""
    for target in entity_targets(probe.graph, probe.households, probe.doors):
        await probe.look_at_entity(target)

    print(probe.verdicts.report())
    assert probe.verdicts.problems == []
