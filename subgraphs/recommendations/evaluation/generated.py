"""Likes of a made-up audience, of any size: what training costs at a size of which no public data set is at hand.

Titles have a popularity by Zipf's law and belong to clusters; a profile likes mostly titles of a few clusters, popular
ones more often; some profiles like a lot, most little (lognormal). It is good for times and memory, and for nothing
that is said about quality.
"""

from __future__ import annotations

import numpy as np

from subgraphs.recommendations.evaluation.splits import LikeLog

__all__ = ["generate_likes"]

CLUSTERS = 40
CLUSTERS_PER_PROFILE = 3
OUTSIDE_RATIO = 0.2
"""Of a profile's likes, those that are just popular."""
ZIPF_EXPONENT = 0.9
LENGTH_DEVIATION = 0.8
MIN_LENGTH, MAX_LENGTH = 5, 400
BLOCK_PROFILES = 500
SPAN_S = 365 * 24 * 3600.0


def generate_likes(*, titles: int, likes: int, likes_per_profile: int = 100, seed: int = 1) -> LikeLog:
    """At least `likes` of them, of as many profiles as that takes. The same seed gives the same log.

    A profile likes a title once: those who like the same few titles again and again have fewer than they were given.
    """
    random = np.random.default_rng(seed)
    shares = 1.0 / np.arange(1, titles + 1) ** ZIPF_EXPONENT
    random.shuffle(shares)
    cluster_of = random.integers(0, CLUSTERS, titles)
    groups = [*(np.flatnonzero(cluster_of == cluster) for cluster in range(CLUSTERS)), np.arange(titles)]
    mean = np.log(likes_per_profile) - LENGTH_DEVIATION**2 / 2
    profiles, made, blocks = 0, 0, []
    while made < likes:
        lengths = random.lognormal(mean, LENGTH_DEVIATION, BLOCK_PROFILES)
        rows = np.repeat(np.arange(BLOCK_PROFILES), np.clip(lengths, MIN_LENGTH, MAX_LENGTH).astype(np.int64))
        tastes = random.integers(0, CLUSTERS, (BLOCK_PROFILES, CLUSTERS_PER_PROFILE))
        chosen = tastes[rows, random.integers(0, CLUSTERS_PER_PROFILE, len(rows))]
        chosen[random.random(len(rows)) < OUTSIDE_RATIO] = CLUSTERS
        columns = np.zeros(len(rows), np.int64)
        for group, members in enumerate(groups):
            places = np.flatnonzero(chosen == group)
            if len(places) and len(members):
                columns[places] = random.choice(members, len(places), p=shares[members] / shares[members].sum())
        pairs = np.unique(rows * titles + columns)
        blocks.append(pairs + profiles * titles)
        profiles += BLOCK_PROFILES
        made += len(pairs)
    pairs = np.concatenate(blocks)
    return LikeLog(pairs // titles, pairs % titles, random.random(len(pairs)) * SPAN_S, profiles, titles)
