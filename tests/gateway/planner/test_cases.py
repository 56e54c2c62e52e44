"""Every operation of tests/cases/planning is planned exactly as written beside it, and every plan is proved.

`UPDATE_CASES=1` writes the expected plans anew, for review.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.planner.plan.text import write_plan_text
from tests.support.planning import CASES, checked_plan, planner_of_case

OPERATIONS = sorted(path for path in CASES.glob("*/*.graphql"))


@pytest.mark.parametrize("path", OPERATIONS, ids=[f"{p.parent.name}/{p.stem}" for p in OPERATIONS])
def test_plan(path: Path) -> None:
    """The plan as people read it is the reviewed one."""
    plan = checked_plan(planner_of_case(path.parent.name), path.read_text())
    text = write_plan_text(plan)
    expected = path.with_suffix(".plan.txt")
    if os.environ.get("UPDATE_CASES"):
        expected.write_text(text)
    assert expected.read_text() == text
