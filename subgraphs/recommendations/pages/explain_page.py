"""Why a page is as it is: each row's worth and what moved it, each card's scores and cause, and what lost.

The page is decided once more from the same facts, and what decided it is asked: the objective for worths, the choice
for pages with other rows, the models for scores. Nothing is told that the choice did not use, but for two questions
that it never asks: what the page would lose without a row, and what it would lose with one that is not there. That
costs as much as some hundred pages; it is for people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from subgraphs.recommendations.domain.devices import budget_of
from subgraphs.recommendations.domain.explanation import (
    CardExplanation,
    CauseTrial,
    LostRow,
    PageExplanation,
    RowExplanation,
)
from subgraphs.recommendations.domain.sections import PERSONAL_KINDS
from subgraphs.recommendations.domain.titles import TitleRecord
from subgraphs.recommendations.pages.build_page import PageDraft, PageFacts, PageRequest, draft_page, write_page
from subgraphs.recommendations.pages.choose import FIRST_ROWS, MAX_OF_KIND, MIN_CARDS
from subgraphs.recommendations.pages.objective import PreparedRow
from subgraphs.recommendations.pages.reasons import Reasons
from subgraphs.recommendations.pages.rows import RowCandidate, propose_rows

__all__ = ["explain_page"]

EXPLAINED_CARDS = 6
"""Of a row: those in sight on a phone, and most of those on a TV."""
MAX_TRIALS = 200
"""Causes that are tried on one explained page: all of them."""
ROUND = 4


def explain_page(request: PageRequest, facts: PageFacts, now: datetime, life: timedelta) -> PageExplanation:
    """The page that `build_page` makes of the same arguments, explained."""
    draft = draft_page(request, facts, now)
    page = write_page(draft, now, life)
    candidates = propose_rows(draft.rows)
    profile, signals = draft.profile, draft.profile.signals
    named = {
        (section.key, card.title_id): card.reason.because_of
        for section in page.sections
        for card in section.cards
        if card.reason is not None
    }
    cards = _Cards(draft, named)
    worths = _Worths.of(draft)
    return PageExplanation(
        page_id=page.id,
        revision=page.revision,
        kind=page.kind.value,
        form_factor=request.wish.device.form_factor.value,
        country=request.country,
        knows={
            "titles with a weight": len(signals.weights),
            "finished": len(signals.seen),
            "begun": len(signals.started),
            "refused": len(signals.refused),
            "on the list": len(signals.listed),
            "picked": len(signals.picked_at_s),
        },
        weights=_rounded(profile.models.weights) if profile.has_taste else {},
        candidate_count=len(candidates),
        worth=round(sum(worths.by_place), ROUND),
        hero=None if draft.hero is None else cards.explain("hero", draft.hero, 1.0),
        rows=[_explain_row(draft, place, worths, cards) for place in range(len(draft.chosen))],
        lost=list(_lost_rows(draft, candidates, worths)),
    )


@dataclass(frozen=True)
class _Worths:
    """`order`: the chosen rows' numbers among the candidates of the choice; `by_place`: what each adds to the page."""

    order: Sequence[int]
    by_place: Sequence[float]
    alone: Mapping[int, float]

    @classmethod
    def of(cls, draft: PageDraft) -> _Worths:
        choice, objective = draft.choice, draft.choice.objective
        numbers = {id(row.candidate): number for number, row in enumerate(choice.rows)}
        first_cards = budget_of(draft.request.wish.device.form_factor).first_cards
        alone = {
            number: objective.gain(objective.look_at(row, row.places[:first_cards]), 0, objective.interest).gain
            for number, row in enumerate(choice.rows)
        }
        discount = objective.weights.row_discount
        by_place = [discount**place * row.parts.gain for place, row in enumerate(draft.chosen)]
        return cls([numbers[id(row.candidate)] for row in draft.chosen], by_place, alone)


class _Cards:
    """Explains cards; each cause is tried once for the whole page."""

    def __init__(self, draft: PageDraft, named: Mapping[tuple[str, str], str | None]) -> None:
        self._profile = draft.profile
        self._reasons = Reasons(draft.profile, draft.rows.allowed, draft.rows.fresh, max_causes=MAX_TRIALS)
        self._named = named

    def explain(self, key: str, index: int, relevance: float) -> CardExplanation:
        """A card of the section `key`."""
        profile = self._profile
        catalogue = profile.models.catalogue
        record = catalogue.records[index]
        return CardExplanation(
            title_id=record.id,
            name=record.display_name,
            relevance=round(relevance, ROUND),
            score=round(float(profile.scores[index]), ROUND),
            by_model={name: round(float(part[index]), ROUND) for name, part in profile.by_model.items()},
            popularity=round(float(catalogue.popularity[index]), ROUND),
            genres=[name for _, name in record.genres],
            cause=self._cause(key, index),
        )

    def _cause(self, key: str, index: int) -> CauseTrial | None:
        trial = self._reasons.trial(index)
        if trial is None:
            return None
        records = self._profile.models.catalogue.records
        record, cause = records[index], records[trial.cause]
        return CauseTrial(
            title_id=cause.id,
            name=cause.display_name,
            rank=trial.rank + 1,
            rank_without=trial.rank_without + 1,
            shares_with=_in_common(record, cause),
            is_named=self._named.get((key, record.id)) == cause.id,
        )


def _explain_row(draft: PageDraft, place: int, worths: _Worths, cards: _Cards) -> RowExplanation:
    row = draft.chosen[place]
    candidate, weights = row.candidate, draft.choice.objective.weights
    others = [*worths.order[:place], *worths.order[place + 1 :]]
    without = draft.choice.worth(others)
    best_first = sorted(worths.order, key=lambda number: -worths.alone[number])
    return RowExplanation(
        place=place + 1,
        key=candidate.key,
        kind=candidate.kind.value,
        heading=candidate.heading,
        place_weight=round(float(weights.row_discount**place), ROUND),
        relevance=round(row.parts.relevance, ROUND),
        coverage=round(row.parts.coverage, ROUND),
        worth=round(worths.by_place[place], ROUND),
        page_without=None if without is None else round(sum(worths.by_place) - without, ROUND),
        place_alone=best_first.index(worths.order[place]) + 1,
        adds=_added_topics(draft, place),
        rules=list(_rules(draft, place)),
        card_count=len(row.kept),
        cards=[
            cards.explain(candidate.key, int(candidate.items[item]), float(candidate.relevance[item]))
            for item in row.kept[:EXPLAINED_CARDS]
        ],
    )


def _added_topics(draft: PageDraft, place: int) -> Mapping[str, float]:
    """What the row covers of each genre and type that rows above leave open, most first."""
    objective = draft.choice.objective
    uncovered = objective.interest
    for above in draft.chosen[:place]:
        uncovered = uncovered * above.parts.left
    gained = uncovered - uncovered * draft.chosen[place].parts.left
    added = dict(zip(objective.topics, gained.tolist(), strict=True))
    names = {genre.id: genre.name for genre in draft.rows.catalogue.genres_by_id.values()}
    most_first = sorted(added.items(), key=lambda item: (-item[1], item[0]))
    return {names.get(topic, topic.lower()): round(gain, ROUND) for topic, gain in most_first if gain > 0}


def _rules(draft: PageDraft, place: int) -> Iterator[str]:
    """In words, each rule that decided something about the row."""
    row = draft.chosen[place]
    candidate = row.candidate
    if candidate.is_pinned:
        yield "pinned to the top: it was gone on with in the last two weeks, or is what the page is about"
    same_above = sum(above.candidate.kind is candidate.kind for above in draft.chosen[:place])
    if same_above:
        discount = draft.choice.objective.weights.same_kind_discount
        yield f"counts {discount**same_above:.2f} of its worth: {same_above} of its kind above"
    # Beyond the last title that it keeps, a row was cut for its length and not for what stands elsewhere.
    skipped = sorted(set(range(max(row.kept, default=-1))) - set(row.kept))
    works = draft.rows.catalogue.works[candidate.items].tolist()
    listed = [item for item in skipped if works[item] in draft.choice.listed and candidate.kind not in PERSONAL_KINDS]
    above = [item for item in skipped if item not in listed]
    for items, where in (
        (above, f"in the first {FIRST_ROWS} rows already" if place < FIRST_ROWS else "in sight above already"),
        (listed, "in sight in My List"),
    ):
        if items:
            yield f"without {_first_names(draft, candidate, items)}: {where}"


def _first_names(draft: PageDraft, candidate: RowCandidate, items: Sequence[int]) -> str:
    names = [draft.rows.catalogue.records[int(candidate.items[item])].display_name for item in items[:3]]
    return f"{', '.join(names)}{f' and {len(items) - 3} more' if len(items) > 3 else ''}"


def _lost_rows(draft: PageDraft, candidates: Sequence[RowCandidate], worths: _Worths) -> Iterator[LostRow]:
    chosen = {row.candidate.key for row in draft.chosen}
    numbers = {row.candidate.key: number for number, row in enumerate(draft.choice.rows)}
    for candidate in candidates:
        if candidate.key in chosen:
            continue
        number = numbers.get(candidate.key)
        why = "the device does not draw this kind" if number is None else _why_lost(draft, number, worths)
        yield LostRow(candidate.key, candidate.kind.value, candidate.heading, len(candidate.items), why)


def _why_lost(draft: PageDraft, number: int, worths: _Worths) -> str:
    row = draft.choice.rows[number]
    same = sum(other.candidate.kind is row.kind for other in draft.chosen)
    most = MAX_OF_KIND.get(row.kind, 1)
    if same >= most:
        return f"{same} of its kind are on the page, and no more than {most} may be"
    total = sum(worths.by_place)
    tried: list[tuple[float, int]] = []
    for place in range(len(worths.order) + 1):
        # In the place of the row that stands there, or below the last one.
        worth = draft.choice.worth([*worths.order[:place], number, *worths.order[place + 1 :]])
        if worth is not None:
            tried.append((worth - total, place))
    if not tried:
        return _why_unfit(draft, row)
    gain, place = max(tried)
    if place == len(worths.order):
        return f"below the last row it would add {gain:.3f}; the search left it out"
    instead = draft.chosen[place].candidate.heading
    if gain > 0:
        return f"in the place of “{instead}” the page would be worth {gain:.3f} more; the search did not come to try it"
    return f"in the place of “{instead}” (place {place + 1}, the best for it) the page would be worth {-gain:.3f} less"


def _why_unfit(draft: PageDraft, row: PreparedRow) -> str:
    shown = {int(each.candidate.items[item]) for each in draft.chosen for item in each.kept}
    works = draft.rows.catalogue.works[row.candidate.items].tolist()
    left = [work for work in works if work not in shown]
    needed = 1 if row.kind in PERSONAL_KINDS else MIN_CARDS
    return f"of its {len(works)} titles {len(left)} are in no other row; it needs {needed}, wherever it stands"


def _in_common(record: TitleRecord, cause: TitleRecord) -> list[str]:
    genres = [name for _, name in record.genres if name in {other for _, other in cause.genres}]
    people = [name for name in (*record.directors, *record.cast) if name in {*cause.directors, *cause.cast}]
    return [*genres, *dict.fromkeys(people)]


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(value), ROUND) for name, value in values.items() if value}
