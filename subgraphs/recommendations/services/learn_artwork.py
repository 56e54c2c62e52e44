"""One learning of artwork: what was shown and opened lately → a new policy, measured on profiles that it has not seen.

The figure is honest and costs a second fit: a policy is learned from four fifths of the profiles and its gain over the
given shares estimated on the rest (artwork/off_policy.py); what serves is learned from all. One whose gain is below
zero beyond chance is kept, with its figures, and not used.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import structlog

from common.clock import Clock
from subgraphs.recommendations.artwork.learn import gather, learn_policy
from subgraphs.recommendations.artwork.off_policy import folds_of
from subgraphs.recommendations.artwork.policy import ArtworkPolicy, write_policy
from subgraphs.recommendations.artwork.value import Comparison, Gain, compare_policies, gain_over_shares
from subgraphs.recommendations.domain.artwork_choice import ArtworkDecision, PolicyVersion
from subgraphs.recommendations.domain.catalogue import Catalogue, build_catalogue
from subgraphs.recommendations.ports import ModelChoice, TitleStore
from subgraphs.recommendations.ports_artwork import ArtworkLog, PolicyStore
from subgraphs.recommendations.services.log_artwork import REMEMBERED_FOR
from subgraphs.recommendations.services.publish_versions import PublishVersions, TrainingRefused, new_version_id

__all__ = ["MAX_DECISIONS", "MIN_DECISIONS", "LearnArtwork", "evaluate_policy"]

log = structlog.get_logger(__name__)

MAX_DECISIONS = 500_000
"""The latest; one is some 200 bytes, and learning from all of them takes half a minute of one core."""
MIN_DECISIONS = 500
MIN_PROFILES = 10
"""Whose halves are compared: an interval over fewer says nothing."""
FOLDS = 5


@dataclass(frozen=True, slots=True)
class _Learned:
    """`gain`: of the policy that was learned without a fifth of the profiles, on that fifth; None: nothing to see."""

    policy: ArtworkPolicy
    gain: Gain | None
    title_count: int


async def evaluate_policy(titles: TitleStore, entries: ArtworkLog, policy: ArtworkPolicy, clock: Clock) -> Comparison:
    """The policy beside the given shares and the best single variants, on the log. Raises TrainingRefused."""
    catalogue = await asyncio.to_thread(build_catalogue, await titles.load(), 1)
    decisions = await _read_decisions(entries, clock)
    seen = gather(decisions, catalogue.index_by_id, policy.contexts)
    profile_count, opened_count = len(np.unique(seen.profiles)), int(seen.opened.sum())
    if profile_count < MIN_PROFILES or not opened_count:
        raise TrainingRefused(
            f"{len(seen)} pictures were shown to {profile_count} profiles in {REMEMBERED_FOR.days} days, of which "
            f"{opened_count} were opened; evaluate when there are {MIN_PROFILES} profiles and an opening"
        )
    return await asyncio.to_thread(compare_policies, policy, seen, catalogue.artwork, catalogue.index_by_id)


class LearnArtwork:
    """Learns when told."""

    def __init__(
        self, *, titles: TitleStore, entries: ArtworkLog, store: PolicyStore, choice: ModelChoice, clock: Clock
    ) -> None:
        self._titles = titles
        self._entries = entries
        self._versions = PublishVersions(store, choice, "marquee artwork list")
        self._clock = clock

    async def learn(self, progress: Callable[[str], None] = lambda _: None) -> tuple[PolicyVersion, bool]:
        """The new version, and whether it is in use now. Raises TrainingRefused and ServiceError."""
        async with self._versions.leased():
            started = time.monotonic()
            progress("reading what was shown, and titles")
            decisions = await _read_decisions(self._entries, self._clock)
            if len(decisions) < MIN_DECISIONS:
                raise TrainingRefused(
                    f"{len(decisions)} pictures were shown and reported in {REMEMBERED_FOR.days} days; "
                    f"learn when there are {MIN_DECISIONS}"
                )
            # After the refusal: a large catalogue takes seconds, for nothing where nobody reports what was shown.
            catalogue = await asyncio.to_thread(build_catalogue, await self._titles.load(), 1)
            made_at = self._clock.now()
            progress(f"learning from {len(decisions)} pictures that were shown")
            learned = await asyncio.to_thread(_learn, new_version_id(made_at), decisions, catalogue)
            data = write_policy(learned.policy)
            version = PolicyVersion(
                id=learned.policy.id,
                made_at=made_at,
                decision_count=len(decisions),
                opened_count=sum(each.is_opened for each in decisions),
                title_count=learned.title_count,
                took_s=round(time.monotonic() - started, 3),
                byte_count=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                lift=None if learned.gain is None else learned.gain.ratio,
                unfit_because=_unfit_because(learned.gain),
            )
            is_used = await self._versions.publish(version, data)
        log.info("artwork.learned", version=version.id, is_used=is_used, unfit_because=version.unfit_because)
        return version, is_used


async def _read_decisions(entries: ArtworkLog, clock: Clock) -> list[ArtworkDecision]:
    """The latest MAX_DECISIONS of the time that is remembered."""
    return [each async for each in entries.decisions(clock.now() - REMEMBERED_FOR, MAX_DECISIONS)]


def _unfit_because(gain: Gain | None) -> str | None:
    return "the given shares are opened more" if gain is not None and gain.difference.high < 0 else None


def _learn(version_id: str, decisions: list[ArtworkDecision], catalogue: Catalogue) -> _Learned:
    seen = gather(decisions, catalogue.index_by_id)
    title_ids = [record.id for record in catalogue.records]
    held_out = folds_of(seen.profiles, FOLDS) == 0
    gain = None
    if held_out.any() and seen.opened[held_out].any() and not held_out.all():
        tried = learn_policy(version_id, seen.part(~held_out), catalogue.artwork, title_ids)
        gain = gain_over_shares(tried, seen.part(held_out), catalogue.artwork, catalogue.index_by_id)
    policy = learn_policy(version_id, seen, catalogue.artwork, title_ids)
    return _Learned(policy, gain, len(np.unique(seen.titles)))
