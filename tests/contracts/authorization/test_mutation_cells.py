"""Every mutation, as every kind of viewer, by every road, against the authorization table."""

from __future__ import annotations

import pytest

from stack.authorization_table import ViewerKind
from tests.support.authorization_mutations import mutation_targets
from tests.support.authorization_probe import Probe, Road
from tests.support.authorization_targets import Target
from tests.support.households import watch
from tests.support.operation_tree import Fact, Writing, read_facts, write_operation

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROADS = [road for road in Road if road is not Road.GET]


async def learn_the_owners(probe: Probe) -> None:
    """What the owner sees of themselves, which nobody else's answer may hold, and what strangers have of their own."""
    for kind in (ViewerKind.OTHER_ACCOUNT, ViewerKind.STUDIO):
        stranger = probe.households.by_kind[kind]
        assert stranger is not None
        probe.households.sessions[kind] = await watch(probe.graph, stranger, probe.graph.catalogue.rich_film, 30)
    for name in ("viewer", "playbackSession"):
        facts: dict[ViewerKind, list[Fact]] = {}
        for kind, session_id in probe.households.sessions.items():
            tree = probe.tree(Target(name, {"id": session_id} if name == "playbackSession" else {}))
            text = write_operation(tree, Writing.DIRECT)
            answer = await probe.send(Road.DIRECT, text, {"id": session_id} if tree.variables else {}, kind)
            facts[kind] = read_facts(tree, Writing.DIRECT, answer.body["data"])
        probe.verdicts.learn(facts)


async def test_every_mutation_by_every_road(probe: Probe) -> None:
    """Who may is let in, everybody else gets the refusal that the table names, and learns nothing by it."""
    await learn_the_owners(probe)
    targets = await mutation_targets(probe.graph, probe.households)

    for target in targets:
        for road in ROADS:
            await probe.try_mutation(target, road)

    print(f"{sum(probe.verdicts.cells.values())} cells: {dict(probe.verdicts.cells)}")
    print(probe.verdicts.report())
    assert probe.verdicts.problems == []
    assert probe.api.mutation_type is not None
    assert {target.field for target in targets} | {"logOut"} == set(probe.api.mutation_type.fields)


async def test_no_mutation_by_get(probe: Probe) -> None:
    """A link never changes anything."""
    assert probe.api.mutation_type is not None
    for name in probe.api.mutation_type.fields:
        answer = await probe.graph.ask_by_get(f"mutation {{ {name} {{ __typename }} }}")
        assert (name, answer.status) == (name, 405) or "data" not in answer.body


async def test_log_out_ends_the_asking_session_alone(probe: Probe) -> None:
    """Everybody may, and only of themselves."""
    log_out, ask = "mutation { logOut { loggedOut } }", "{ viewer { account { id } } }"

    for kind in [kind for kind in ViewerKind if kind is not ViewerKind.OWNER]:
        answer = await probe.send(Road.DIRECT, log_out, {}, kind)
        if kind is ViewerKind.EXPIRED:
            assert answer.status == 401
            continue
        assert answer.data == {"logOut": {"loggedOut": kind is not ViewerKind.ANONYMOUS}}
        assert (await probe.send(Road.DIRECT, ask, {}, kind)).data == {"viewer": None}
        owners = (await probe.send(Road.DIRECT, ask, {}, ViewerKind.OWNER)).data
        assert owners["viewer"]["account"]["id"] == probe.households.owner.account_id
