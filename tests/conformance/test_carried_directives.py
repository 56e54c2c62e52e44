"""What composition carries on for others to use stands in the supergraph that the gateway serves."""

from __future__ import annotations

import pytest

from gateway.supergraph.read import read_supergraph
from tests.conformance.conftest import Suite


@pytest.mark.parametrize(
    "text",
    [
        '@tag(name: "tv")',
        "mark: String @join__field(graph: TAKINGS) @authenticated",
        '@policy(policies: [["owner"]])',
        '@shown(where: "everywhere")',
        "@cost(weight: 3)",
        '@listSize(slicingArguments: ["first"]',
        '@deprecated(reason: "Use `title`.")',
        "Everything starts here.",
    ],
)
def test_the_supergraph_says_so(suites: dict[str, Suite], text: str) -> None:
    sdl = " ".join(suites["carried_directives"].sdl.split())
    read_supergraph(suites["carried_directives"].sdl)
    assert text in sdl


def test_who_may_see_a_field_of_two_subgraphs_fulfils_both(suites: dict[str, Suite]) -> None:
    """Scopes of both subgraphs are demanded together, whichever of them answers."""
    sdl = suites["carried_directives"].sdl
    line = next(line for line in sdl.splitlines() if "takings: Int" in line)
    assert '"audit"' in line
    assert '"money"' in line
    assert '"admin"' in line
