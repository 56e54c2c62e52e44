"""One description from many: the one that most subgraphs give, the first of these."""

from __future__ import annotations

from collections import Counter

from gateway.composition.merge.state import ElementT, MergeState, Sources, places

__all__ = ["merge_descriptions"]


def merge_descriptions(state: MergeState, sources: Sources[ElementT], what: str) -> str | None:
    """The supergraph's description of `what`; an empty one counts only where there is no other."""
    counts = Counter(s.description for s in sources.values() if s is not None and s.description is not None)
    if not counts:
        return None
    texts = [text for text in counts if text]
    if len(counts) == 1:
        return next(iter(counts))
    if len(texts) == 1:
        return texts[0]
    chosen = max(texts, key=lambda text: counts[text])
    message = f"{what} has different descriptions; the supergraph takes: {chosen}"
    state.report.hint("INCONSISTENT_DESCRIPTION", message, places(sources))
    return chosen
