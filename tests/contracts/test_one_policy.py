"""What stands outside the policy, and must say the same as it."""

from __future__ import annotations

import ast
from pathlib import Path

from media_pipeline.licensing.services import SUBSCRIPTIONS_THAT_PLAY
from stack import REPOSITORY
from subgraphs.kernel.policy import PLAYABLE_SUBSCRIPTIONS

FACTS = {"minimum_age", "is_kids", "blocked_countries"}
"""What the policy looks at. Who compares one of these decides about titles."""
MAY_COMPARE = {
    # The policy itself, and its rules in SQL, which a property holds to it. Other stores and indexes say them as data
    # of their queries; properties of theirs hold those to it as well.
    "subgraphs/kernel/policy.py",
    "subgraphs/titles/adapters/sql/browse_query.py",
}


def test_licensing_and_the_policy_let_the_same_subscriptions_play() -> None:
    """Media services import no subgraph, so that the two tables are two."""
    assert PLAYABLE_SUBSCRIPTIONS == SUBSCRIPTIONS_THAT_PLAY


def test_nobody_else_compares_what_the_policy_compares() -> None:
    """A title's age, kids flag or blocks against a viewer's: only the policy, and the stores that repeat it."""
    found = {
        str(path.relative_to(REPOSITORY)) for path in sorted((REPOSITORY / "subgraphs").rglob("*.py")) if _decides(path)
    }
    assert found == MAY_COMPARE


def _decides(path: Path) -> bool:
    """Whether a comparison names a fact of a title on one side and a viewer's limit on the other."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            names = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            names |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            if names & FACTS and names & {"maturity", "viewer", "country", "maximum_age", "maturity_limit"}:
                return True
    return False
