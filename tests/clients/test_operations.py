"""The texts of the operations that the pages send, and the names by which pages ask for them."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from graphql import FragmentDefinitionNode, parse, print_ast

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = ROOT / "schema" / "operations"


@pytest.mark.parametrize("folder", ["tv", "phone", "shared"])
def test_a_fragment_is_the_same_in_every_operation(folder: str) -> None:
    """A row's further cards and a changed section carry what the page's first answer carries."""
    texts: dict[str, set[str]] = defaultdict(set)
    for path in (OPERATIONS / folder).glob("*.graphql"):
        for node in parse(path.read_text()).definitions:
            if isinstance(node, FragmentDefinitionNode):
                texts[node.name.value].add(print_ast(node))
    assert texts
    assert {name for name, found in texts.items() if len(found) > 1} == set()


def test_pages_ask_only_for_operations_that_exist() -> None:
    """Each name that a page hands to call() has its text in schema/operations, and each text is asked for."""
    clients = ROOT / "clients"
    sources = [path for folder in ("shared", "tv", "phone") for path in (clients / folder).rglob("*.js")]
    words = "\n".join(path.read_text() for path in sources)
    names = set(re.findall(r"\"((?:tv|phone|shared)/[a-z_]+)\"", words))
    # The page that is held names its operations by the form factor.
    names |= {
        f"{form}/{name}"
        for form in ("tv", "phone")
        for name in re.findall(r"`\$\{this\.#formFactor\}/([a-z]+)`", words)
    }
    there = {path.relative_to(OPERATIONS).with_suffix("").as_posix() for path in OPERATIONS.rglob("*.graphql")}
    used_elsewhere = {name for name in there if name.startswith("graphiql/")} | {"shared/sign_up"}
    assert names - there == set()
    assert there - names - used_elsewhere == set()
