"""The text of @fromContext: `$name selection`."""

from __future__ import annotations

import re

__all__ = ["read_context_field"]

# Between the parts anything that GraphQL ignores may stand: blanks, commas, comments.
_IGNORED = r"(?:[\s,]|#[^\n\r]*(?:[\n\r]|$))*"
_FIELD = re.compile(rf"{_IGNORED}\${_IGNORED}([A-Za-z_]\w*)(.*)", re.DOTALL)


def read_context_field(text: str | None) -> tuple[str | None, str | None]:
    """(context name, selection text); None for what is missing."""
    match = _FIELD.fullmatch(text or "")
    if match is None:
        return None, None
    return match[1], match[2].strip() or None
