"""Output rewrites: giving a step's result the client's names where the request had to use internal aliases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from gateway.executor.places import build_finder
from gateway.planner.plan.nodes import OutputRewrite

__all__ = ["Rewriter", "build_rewriter"]

Rewriter: TypeAlias = Callable[[dict[str, Any]], None]


def build_rewriter(rewrites: Sequence[OutputRewrite]) -> Rewriter | None:
    """Compile rewrites into one function that changes a result in place; None when there is nothing to do."""
    if not rewrites:
        return None
    steps = [(build_finder(each.path), each.source_key, each.response_key) for each in rewrites]

    def rewrite(result: dict[str, Any]) -> None:
        for find, source_key, response_key in steps:
            found: list[dict[str, Any]] = []
            find(result, found)
            for each in found:
                if source_key in each:
                    each[response_key] = each.pop(source_key)

    return rewrite
