"""What docs/federation.md and docs/plans.md show is what the code has: codes, hints, suites, plans.

Between `<!-- begin NAME -->` and `<!-- end -->` stands generated text; `UPDATE_CASES=1` writes it anew, for review.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest

from gateway.composition.diagnostics import CODES, HINTS
from gateway.planner.plan.text import write_plan_text
from tests.conformance.conftest import CASES, HERE
from tests.support.planning import CASES as PLANNING
from tests.support.planning import checked_plan, planner_of_case

REPOSITORY = Path(__file__).resolve().parents[2]
SECTION = re.compile(r"(<!-- begin (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
COMPOSITION = REPOSITORY / "tests" / "cases" / "composition"
ELSEWHERE = {"MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED": "tests/gateway/satisfiability/test_satisfiability.py"}


def generated(name: str) -> str:
    """The text of a section."""
    match name.partition(":"):
        case ("codes", _, _):
            lines = [f"| `{code}` | {CODES[code]} | {_case_of(code)} |" for code in sorted(CODES)]
            return "\n".join(["| code | situation | shown by |", "|---|---|---|", *lines]) + "\n"
        case ("hints", _, _):
            lines = [f"| `{code}` | {HINTS[code]} |" for code in sorted(HINTS)]
            return "\n".join(["| code | situation |", "|---|---|", *lines]) + "\n"
        case ("suites", _, _):
            lines = [_suite_line(path.parent) for path in sorted(HERE.glob("*/suite.py"))]
            total = f"\n{len(lines)} suites, {len(CASES)} operations.\n"
            return "\n".join(["| suite | what it holds | operations |", "|---|---|---|", *lines]) + "\n" + total
        case ("plan", _, case):
            path = PLANNING / f"{case}.graphql"
            text = path.read_text()
            plan = write_plan_text(checked_plan(planner_of_case(path.parent.name), text))
            return f"```graphql\n{text.strip()}\n```\n```\n{plan.strip()}\n```\n"
        case _:
            raise AssertionError(f"nothing is generated for '{name}'")


def _case_of(code: str) -> str:
    if (COMPOSITION / code).is_dir():
        return f"`tests/cases/composition/{code}`"
    return f"`{ELSEWHERE[code]}`"


def _suite_line(folder: Path) -> str:
    docstring = ast.get_docstring(ast.parse((folder / "suite.py").read_text())) or ""
    what = docstring.split("\n\n", maxsplit=1)[0].replace("\n", " ").replace("|", "\\|")
    count = sum(case.path.parent.parent == folder for case in CASES)
    return f"| `{folder.name}` | {what} | {count} |"


@pytest.mark.parametrize("document", ["federation.md", "plans.md"])
def test_generated_sections_are_up_to_date(document: str) -> None:
    path = REPOSITORY / "docs" / document
    text = path.read_text()
    assert SECTION.search(text)
    expected = SECTION.sub(lambda found: found[1] + generated(found[2]) + found[4], text)
    if os.environ.get("UPDATE_CASES"):
        path.write_text(expected)
    assert path.read_text() == expected
