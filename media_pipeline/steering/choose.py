"""The decision: in which order a session tries the pathways.

Problem: spread sessions over equally good pathways in proportion to their weights, leave a bad one at once, do not
bounce between good ones. Idea: sort by, in this order,

1. health (DOWN stays in the list, last: a player whose other pathways fail still has something to try);
2. whether the pathway serves the player's region;
3. stickiness: the pathway in use first when it is fast enough, last when it is too slow, so that a recovered pathway
does not    pull sessions back and forth;
4. weighted rendezvous hashing of (session, pathway): stable for a session, and a pathway that joins or leaves moves
only its own    share.

Invariants (tests/media_pipeline/steering/test_choose.py): the answer is a permutation of the pathways; it does not
depend on the order they are configured in; a healthy pathway never stands behind an unhealthy one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b

from media_pipeline.steering.pathway import Pathway, PathwayHealth
from media_pipeline.steering.signals import SteeringSignals

__all__ = ["order_pathways"]


def order_pathways(
    pathways: Sequence[Pathway], signals: SteeringSignals, min_throughput_bps: int
) -> tuple[Pathway, ...]:
    """All pathways, best first."""

    def rank(pathway: Pathway) -> tuple[int, int, int, float, str]:
        return (
            signals.health_by_id.get(pathway.id, PathwayHealth.HEALTHY),
            0 if _serves(pathway, signals.region) else 1,
            _stickiness(pathway, signals, min_throughput_bps),
            -_rendezvous_score(signals.session_id, pathway),
            pathway.id,
        )

    return tuple(sorted(pathways, key=rank))


def _serves(pathway: Pathway, region: str | None) -> bool:
    return not pathway.regions or region is None or region in pathway.regions


def _stickiness(pathway: Pathway, signals: SteeringSignals, min_throughput_bps: int) -> int:
    """0: in use and good; 1: not in use; 2: in use and too slow. A player that does not know its rate is content."""
    if pathway.id not in signals.throughput_bps_by_id:
        return 1
    throughput_bps = signals.throughput_bps_by_id[pathway.id]
    return 0 if throughput_bps is None or throughput_bps >= min_throughput_bps else 2


def _rendezvous_score(session_id: str, pathway: Pathway) -> float:
    """Highest random weight, -w / ln(u): the winner's chance is its share of the weights (Schindelhauer 2005)."""
    digest = blake2b(f"{session_id}\0{pathway.id}".encode(), digest_size=8).digest()
    uniform = (int.from_bytes(digest, "big") + 0.5) / 2**64
    return -pathway.weight / math.log(uniform)
