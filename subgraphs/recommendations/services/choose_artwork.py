"""Who gets a choice of artwork of its own, by which policy, and with what known of it.

Profiles that may be learned from and kids' profiles apart, everybody sees the main variant, and nothing is told of it.
What is known of a profile is held still for an epoch as soon as it has watched a little: its pictures then stay until
the epoch or the policy ends, however its taste goes on. No choice is kept: the same question has the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from common.errors import ServiceError
from common.tokens import Viewer
from subgraphs.recommendations.artwork.choose import ArtworkChooser, epoch_of
from subgraphs.recommendations.artwork.policy import ArtworkPolicy, PlacedPolicy, no_policy, place_policy
from subgraphs.recommendations.domain.artwork_choice import ArtworkContext, ShownArtwork
from subgraphs.recommendations.domain.artwork_sizes import VARIANTS, ArtworkRole
from subgraphs.recommendations.domain.catalogue import Catalogue
from subgraphs.recommendations.domain.taste import Taste, read_signals
from subgraphs.recommendations.ports_artwork import ArtworkContexts

__all__ = ["ChooseArtwork", "artwork_code", "genre_affinities"]

log = structlog.get_logger(__name__)

MIN_WORKS = 3
"""A profile is known by what it likes of so many titles; before that its context stays empty and is not held."""
MAX_AFFINITIES = 8

_ROLES = {role.value[0]: role for role in ArtworkRole}
_CODE = re.compile(r"!([A-Z])(\d)([0-9a-f]{8})$")


def artwork_code(role: ArtworkRole, variant: str, tag: str) -> str:
    """What a card's tracking ends with, so that a report tells under which choice it was shown; "" for no choice."""
    return f"!{role.value[0]}{VARIANTS.index(variant)}{tag}" if tag else ""


def genre_affinities(taste: Taste, catalogue: Catalogue, now: datetime) -> Mapping[str, float]:
    """How much the profile is drawn to genres, by id, as a vector of length 1. Empty for too little history."""
    weights = read_signals(taste, catalogue, now.timestamp()).weights
    liked = {work: weight for work, weight in weights.items() if weight > 0}
    if len(liked) < MIN_WORKS:
        return {}
    sums: dict[str, float] = {}
    for work, weight in liked.items():
        genres = catalogue.records[work].genres
        for genre_id, _ in genres:
            sums[genre_id] = sums.get(genre_id, 0.0) + weight / len(genres)
    strongest = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:MAX_AFFINITIES]
    length = sum(value**2 for _, value in strongest) ** 0.5
    return {genre_id: round(value / length, 3) for genre_id, value in strongest}


class ChooseArtwork:
    """Owns the policy in use and the one before it, each placed in the catalogue that asks."""

    def __init__(self, contexts: ArtworkContexts) -> None:
        self._contexts = contexts
        self._policies: tuple[ArtworkPolicy, ...] = (no_policy(),)
        self._placed: dict[str, tuple[int, PlacedPolicy]] = {}

    @property
    def policy_id(self) -> str:
        """Of the policy in use; "" before the first."""
        return self._policies[0].id

    def use(self, policy: ArtworkPolicy) -> None:
        """Choose by this one from now on; what was shown by the one before is still known when it is reported."""
        if policy.id != self.policy_id:
            self._policies = (policy, self._policies[0])
            self._placed = {each.id: self._placed[each.id] for each in self._policies if each.id in self._placed}

    def version(self, viewer: Viewer, now: datetime) -> tuple[object, ...]:
        """Changes when choices for this viewer may."""
        return (self.policy_id, None if viewer.profile_id is None else epoch_of(viewer.profile_id, now))

    async def chooser(self, viewer: Viewer, taste: Taste, catalogue: Catalogue, now: datetime) -> ArtworkChooser | None:
        """None: the main variants. What can't be held, as its store is away, is not chosen."""
        if viewer.profile_id is None or viewer.is_kids or not taste.is_personal:
            return None
        epoch = epoch_of(viewer.profile_id, now)
        try:
            context = await self._contexts.find(viewer.profile_id, epoch)
            if context is None:
                context = ArtworkContext(epoch, genre_affinities(taste, catalogue, now))
                if context.genres:
                    context = await self._contexts.hold(viewer.profile_id, context)
        except ServiceError as error:
            log.warning("artwork.not_chosen", error=error.message)
            return None
        return ArtworkChooser(self._place(self._policies[0], catalogue), viewer.profile_id, context)

    async def shown(
        self, profile_id: str, cards: Sequence[tuple[int, str]], catalogue: Catalogue, now: datetime
    ) -> list[ShownArtwork | None]:
        """What cards showed, by their places in the catalogue and their tracking.

        Computed anew: a client can only say under which choice a card was shown, not what was chosen with which
        probability. None where no choice was made, or by a policy, in an epoch or of variants that are no more.
        """
        codes = {at: code for at, (_, tracking) in enumerate(cards) if (code := _CODE.search(tracking)) is not None}
        found: list[ShownArtwork | None] = [None] * len(cards)
        if not codes:
            return found
        epoch = epoch_of(profile_id, now)
        context = await self._contexts.find(profile_id, epoch) or ArtworkContext(epoch)
        for policy in self._policies:
            chooser = ArtworkChooser(self._place(policy, catalogue), profile_id, context)
            for initial, role in _ROLES.items():
                places = [at for at, code in codes.items() if code.group(1, 3) == (initial, chooser.tag)]
                shown = chooser.shown([cards[at][0] for at in places], role) if places else []
                for at, each in zip(places, shown, strict=True):
                    # The studio may have changed the shares since: then this is not what was seen.
                    found[at] = each if VARIANTS.index(each.variant) == int(codes[at][2]) else None
        return found

    def _place(self, policy: ArtworkPolicy, catalogue: Catalogue) -> PlacedPolicy:
        known = self._placed.get(policy.id)
        if known is None or known[0] != catalogue.version:
            known = (catalogue.version, place_policy(policy, catalogue.artwork, catalogue.index_by_id))
            self._placed[policy.id] = known
        return known[1]
