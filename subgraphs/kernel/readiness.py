"""What a health check says of a thing that works, but not yet: what it is busy with, and how far it is.

Such a thing must be an optional check; a process that can't serve without it is not ready. `marquee up` and /health
show the text to the operator.
"""

from __future__ import annotations

__all__ = ["PREPARING", "StillPreparing"]

PREPARING = "preparing: "
"""How the outcome of a check begins that raised StillPreparing; its text follows."""


class StillPreparing(Exception):
    """Raised by a health check: nothing is wrong, but it takes a while. Nothing secret stands in the text."""
