"""The titles of Top picks: by all models together, or by what an experiment puts in their place.

An experiment may order the row by one model alone, or draft it from two orders. The row's relevance is that of the
blend's best titles in every case, so that the row stands where it would stand anyway: what is compared is the order of
titles, and not the place of the row. One card is none of theirs: see discovery.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from subgraphs.recommendations.domain.catalogue import BoolArray, FloatArray, IndexArray
from subgraphs.recommendations.domain.ordering import best_places
from subgraphs.recommendations.experiments.draft import team_draft
from subgraphs.recommendations.experiments.parameters import TOP_PICKS_RANKER, Ranker
from subgraphs.recommendations.experiments.treatment import Treatment
from subgraphs.recommendations.models.blend import ProfileScores, scores_of_one
from subgraphs.recommendations.models.trained import ALS, CONTENT, EASE, NEIGHBOURS
from subgraphs.recommendations.pages.discovery import PLACE, Discovery

__all__ = ["Picks", "choose_picks"]

DRAFTING = 2
"""Teams of a draft: 0 and 1."""
MODELS: Mapping[Ranker, str] = {
    Ranker.EASE: EASE,
    Ranker.ALS: ALS,
    Ranker.NEIGHBOURS: NEIGHBOURS,
    Ranker.CONTENT: CONTENT,
}


@dataclass(frozen=True)
class Picks:
    """`rankers[teams[i]]` put `items[i]` there, and `codes[teams[i]]` stands for that in tracking.

    The row of one ranker has one team without a code; behind the end of one of two lists the team is NO_TEAM. `seed` is
    that of a draft; None: one ranker's row.
    """

    items: IndexArray
    relevance: FloatArray
    rankers: tuple[ProfileScores, ...]
    teams: tuple[int, ...]
    codes: tuple[str, ...]
    seed: int | None = None

    def settle(self, kept: Sequence[int], in_sight: int) -> list[tuple[int, int]]:
        """The kept places in the order in which they are shown, each with its team.

        The page took out what stands above, and one ranker's favourites may stand there more often than the other's. So
        two rankers draft once more from what was left to the row: first what is in sight, then the rest, so that
        nothing comes into sight that the page put out of it. Who is in neither's team keeps its place.
        """
        if self.seed is None:
            return [(place, self.teams[place]) for place in kept]
        settled: list[tuple[int, int]] = []
        for number, part in enumerate((kept[:in_sight], kept[in_sight:])):
            free = [place for place in part if self.teams[place] < DRAFTING]
            orders = [
                sorted(free, key=lambda place, scores=ranker.scores: (-scores[self.items[place]], self.items[place]))  # type: ignore[misc]
                for ranker in self.rankers[:DRAFTING]
            ]
            draft = team_draft(orders[0], orders[1], len(free), self.seed + number)
            drafted = iter(zip(draft.items, draft.teams, strict=True))
            settled += [next(drafted) if self.teams[place] < DRAFTING else (place, self.teams[place]) for place in part]
        return settled

    def ranker_of(self, team: int) -> ProfileScores:
        """Whose choice its titles are."""
        return self.rankers[max(0, team)]

    def with_discovery(self, discovery: Discovery | None, profile: ProfileScores) -> Picks:
        """With the title at PLACE, said to be there by the draw and by nobody's rank.

        As it was when there is none, the row is shorter, or the title stands before that place anyway.
        """
        items, teams = self.items.tolist(), list(self.teams)
        if discovery is None or len(items) <= PLACE or discovery.index in items[:PLACE]:
            return self
        if discovery.index in items:
            place = items.index(discovery.index)
            del items[place], teams[place]
        items.insert(PLACE, discovery.index)
        teams.insert(PLACE, len(self.codes))
        relevance = np.insert(self.relevance, PLACE, profile.scores[discovery.index])
        return Picks(
            items=np.array(items[: len(self.items)], np.int32),
            relevance=relevance[: len(self.relevance)],
            rankers=(*self.rankers, profile),
            teams=tuple(teams[: len(self.items)]),
            codes=(*self.codes, discovery.code),
            seed=self.seed,
        )

    def code_of(self, team: int) -> str:
        """In tracking; empty for none."""
        return self.codes[team] if team >= 0 else ""


def choose_picks(
    profile: ProfileScores, fresh: BoolArray, best: IndexArray, treatment: Treatment, hero: int | None
) -> Picks:
    """As many titles as `best` has, the profile's best fresh ones in order; the hero is nobody's to draft."""
    count = len(best)
    relevance = profile.scores[best]
    rankers = {Ranker(name): _ranked_by(profile, Ranker(name)) for name in treatment.alternatives(TOP_PICKS_RANKER)}
    known = {ranker: scores for ranker, scores in rankers.items() if scores is not None}
    if len(known) < len(rankers):
        # A model that is not trained yet ranks nothing: nobody, in whichever arm, counts as exposed to it.
        return _picks_of(profile, best, relevance)
    drafting = treatment.drafting(TOP_PICKS_RANKER)
    if drafting is None:
        scores = known[Ranker(treatment.value(TOP_PICKS_RANKER))]
        own = best if scores is profile else best_places(scores.scores, fresh, count)
        return _picks_of(scores, own, relevance)
    both = [known[Ranker(str(value))] for value in drafting.values]
    free = fresh.copy()
    if hero is not None:
        free[hero] = False
    orders = [best_places(scores.scores, free, count).tolist() for scores in both]
    draft = team_draft(orders[0], orders[1], count, drafting.seed)
    items = np.array(draft.items, np.int32)
    return Picks(items, relevance[: len(items)], tuple(both), draft.teams, drafting.codes, drafting.seed)


def _ranked_by(profile: ProfileScores, ranker: Ranker) -> ProfileScores | None:
    return profile if ranker is Ranker.BLEND else scores_of_one(profile, MODELS[ranker])


def _picks_of(ranker: ProfileScores, items: IndexArray, relevance: FloatArray) -> Picks:
    return Picks(items, relevance, (ranker,), (0,) * len(items), ("",))
