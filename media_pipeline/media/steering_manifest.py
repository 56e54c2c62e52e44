"""Steering manifests: one JSON form that HLS (RFC 8216bis §7) and DASH (ETSI TS 103 998) players read.

What players do with it (read in their sources) sets the rules: VERSION is the number 1; TTL is always there, because
one player reloads in a tight loop without it; PATHWAY-PRIORITY is never empty.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

__all__ = ["write_steering_manifest"]


def write_steering_manifest(pathway_ids: Sequence[str], ttl_s: int, reload_url: str) -> bytes:
    """The manifest's bytes; raises ValueError without pathways."""
    if not pathway_ids:
        raise ValueError("a steering manifest needs at least one pathway")
    manifest = {"VERSION": 1, "TTL": ttl_s, "RELOAD-URI": reload_url, "PATHWAY-PRIORITY": list(pathway_ids)}
    return json.dumps(manifest, separators=(",", ":")).encode()
