"""An explained page as text for a terminal: a line for each decision, indented by what it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from subgraphs.recommendations.domain.explanation import CardExplanation, PageExplanation, RowExplanation

__all__ = ["write_explanation"]

TOPICS_SHOWN = 4


def write_explanation(explained: PageExplanation) -> str:
    """The whole page, from the top; then the candidates that are not on it."""
    return "\n".join(_lines(explained))


def _lines(explained: PageExplanation) -> Iterator[str]:
    where = f" in {explained.country}" if explained.country else ""
    yield f"{explained.kind} page on a {explained.form_factor}{where}, revision {explained.revision}"
    yield (
        f"{len(explained.rows)} rows of {explained.candidate_count} candidates, worth {explained.worth:.3f} together "
        "(worth = weight of the place * (relevance + coverage); docs/pages.md)"
    )
    yield f"Known of the profile: {_counted(explained.knows) or 'nothing'}"
    yield f"Models: {_shares(explained.weights) or 'popularity alone, as no taste is known'}"
    if explained.hero is not None:
        yield ""
        yield "On top: the best score of what plays, or of all"
        yield from _card_lines(explained.hero)
    for row in explained.rows:
        yield ""
        yield from _row_lines(row)
    if explained.lost:
        yield ""
        yield "Candidates that are not on the page"
        for lost in explained.lost:
            yield f"  - {lost.heading} ({lost.kind}, {lost.title_count} titles): {lost.why}"


def _row_lines(row: RowExplanation) -> Iterator[str]:
    yield f"{row.place:>2}. {row.heading} ({row.kind}, {row.card_count} cards)"
    moved = "" if row.place == row.place_alone else f"; by its own worth it would stand at {row.place_alone}"
    yield (
        f"    worth {row.worth:.3f} = {row.place_weight:.2f} * ({row.relevance:.3f} relevance + {row.coverage:.3f} "
        f"coverage){moved}"
    )
    if row.page_without is not None:
        yield f"    without it the page is worth {row.page_without:.3f} less"
    if row.adds:
        shown = list(row.adds.items())[:TOPICS_SHOWN]
        yield f"    adds {', '.join(f'{topic} {gain:.3f}' for topic, gain in shown)}"
    yield from (f"    {rule}" for rule in row.rules)
    for card in row.cards:
        yield from _card_lines(card)


def _card_lines(card: CardExplanation) -> Iterator[str]:
    genres = f" [{', '.join(card.genres)}]" if card.genres else ""
    parts = f" = {_shares(card.by_model)}" if card.by_model else ""
    yield f"      • {card.name}{genres}: score {card.score:.3f}{parts}; popularity {card.popularity:.2f}"
    cause = card.cause
    if cause is not None:
        shared = f", which shares {', '.join(cause.shares_with)}" if cause.shares_with else ""
        verdict = "named as its reason" if cause.is_named else "not named"
        if cause.rank_without <= cause.rank:
            verdict = "not named: without it the title stands no lower"
        yield (
            f"        drawn most by {cause.name}{shared}: place {cause.rank}, without it {cause.rank_without} "
            f"({verdict})"
        )


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _shares(values: Mapping[str, float]) -> str:
    by_size = sorted(values.items(), key=lambda item: -abs(item[1]))
    return ", ".join(f"{name} {value:+.2f}" for name, value in by_size)
