"""Media types of GraphQL over HTTP: which one the client gets, and which status goes with which outcome."""

from __future__ import annotations

from enum import StrEnum

from gateway.pipeline.request import Executed, Outcome, RefusedRequest, RequestError

__all__ = ["MediaType", "negotiate", "prefers_html", "status_of"]


class MediaType(StrEnum):
    """What an answer can be written as; the charset is always told."""

    GRAPHQL = "application/graphql-response+json; charset=utf-8"
    JSON = "application/json; charset=utf-8"


_RANGES = {
    "application/graphql-response+json": MediaType.GRAPHQL,
    "application/json": MediaType.JSON,
    "application/*": MediaType.JSON,
    "*/*": MediaType.JSON,
}
"""What a media range of the Accept header selects. Wildcards mean a client that named nothing: the older type."""


def negotiate(accept: str | None) -> MediaType | None:
    """The media type to answer with; None when the client takes none that we write (406)."""
    if accept is None or not accept.strip():
        return MediaType.JSON
    chosen: MediaType | None = None
    best = 0.0
    for name, quality in _ranges(accept):
        media_type = _RANGES.get(name)
        if media_type is not None and quality > best:
            chosen, best = media_type, quality
    return chosen


def prefers_html(accept: str | None) -> bool:
    """Whether a browser's page load asks: text/html at least as gladly as any type of GraphQL."""
    html = 0.0
    other = 0.0
    for name, quality in _ranges(accept or ""):
        if name == "text/html":
            html = max(html, quality)
        elif name in {"application/graphql-response+json", "application/json"}:
            other = max(other, quality)
    return html > 0 and html >= other


def status_of(outcome: Outcome, media_type: MediaType) -> int:
    """The HTTP status.

    The older media type hides errors behind 200 so that intermediaries' error pages can't be mistaken for answers;
    the newer one tells them.
    """
    match outcome:
        case RefusedRequest():
            return outcome.status
        case RequestError():
            if outcome.status is not None:
                return outcome.status
            return 200 if media_type is MediaType.JSON else 400
        case Executed():
            # Data beside errors has its own success status in the newer media type, so that caches can tell.
            return 294 if media_type is MediaType.GRAPHQL and outcome.errors and outcome.data is not None else 200


def _ranges(accept: str) -> list[tuple[str, float]]:
    ranges: list[tuple[str, float]] = []
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        usable = True
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key == "q":
                try:
                    quality = min(1.0, max(0.0, float(value)))
                except ValueError:
                    quality = 0.0
            elif key == "charset" and value.strip('"') not in {"utf-8", "utf8"}:
                usable = False
        if usable:
            ranges.append((name, quality))
    return ranges
