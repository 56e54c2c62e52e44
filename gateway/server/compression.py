"""gzip of answers: the quickest way, and the small way where that saves the client a round trip.

The problem: compressing a TV's page (63 kB) by zlib at level 5 takes 0.7 ms of processor time, a quarter of what the
gateway needs for it. ISA-L takes 0.09 ms and its result is an eighth larger, which costs a client nothing while the
answer fits into what a server may send before it waits for the first acknowledgement: ten segments (RFC 6928). So
every answer is compressed by ISA-L, and again by zlib only when ISA-L's misses that by so little that zlib's fits.
"""

from __future__ import annotations

import zlib

from isal import isal_zlib

__all__ = ["FIRST_FLIGHT_BYTES", "compress"]

FIRST_FLIGHT_BYTES = 14_000
"""Ten segments of 1,460 bytes, less the headers of an answer."""
_WITHIN_REACH_BYTES = 16_500
"""zlib's results were at most 15 % smaller than ISA-L's on pages; what is larger than this would not fit anyway."""
_QUICK_LEVEL = 2
"""The largest tables that cost nothing; level 3 takes twice as long for one percent (measured on pages)."""
_SMALL_LEVEL = 5
_GZIP_BITS = 16 + zlib.MAX_WBITS


def compress(body: bytes, level: int) -> bytes:
    """The body as gzip. `level` 1 (fast) to 9 (small): zlib's; 0: the choice that is described above."""
    if level:
        return zlib.compress(body, level, _GZIP_BITS)
    quick = isal_zlib.compress(body, _QUICK_LEVEL, _GZIP_BITS)
    if not FIRST_FLIGHT_BYTES < len(quick) <= _WITHIN_REACH_BYTES:
        return quick
    return min(quick, zlib.compress(body, _SMALL_LEVEL, _GZIP_BITS), key=len)
