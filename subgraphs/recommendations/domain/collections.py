"""Editorial collections: titles that a person put together, for some countries and some time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["MAX_COLLECTIONS", "MAX_COLLECTION_TITLES", "MAX_COUNTRIES", "MAX_HEADING", "Collection", "check_collection"]

MAX_COLLECTIONS = 200
"""Kept at once, open or not; each page reads all that are open in its country."""
MAX_COLLECTION_TITLES = 60
MAX_COUNTRIES = 60
MAX_ID = 64
MAX_HEADING = 60
"""Characters: what fits above a row on a phone in two lines."""


@dataclass(frozen=True, slots=True)
class Collection:
    """`title_ids` in the editor's order. No `countries`: everywhere. Open from `opens_at` to before `closes_at`."""

    id: str
    heading: str
    title_ids: tuple[str, ...]
    countries: frozenset[str] = frozenset()
    opens_at: datetime | None = None
    closes_at: datetime | None = None

    def is_open(self, country: str | None, now: datetime) -> bool:
        """Whether it is shown there now."""
        if self.countries and country not in self.countries:
            return False
        return (self.opens_at is None or self.opens_at <= now) and (self.closes_at is None or now < self.closes_at)


def check_collection(collection: Collection) -> str | None:
    """What is wrong with one, naming the field, the value and what is wanted; None when nothing is."""
    if not 1 <= len(collection.id) <= MAX_ID:
        return f"id has {len(collection.id)} characters; send at most {MAX_ID}, or none for a new collection"
    if not 1 <= len(collection.heading.strip()) <= MAX_HEADING:
        return f"heading has {len(collection.heading.strip())} characters; send 1 to {MAX_HEADING}"
    if not 1 <= len(collection.title_ids) <= MAX_COLLECTION_TITLES:
        return f"titleIds has {len(collection.title_ids)} titles; send 1 to {MAX_COLLECTION_TITLES}"
    if len(set(collection.title_ids)) != len(collection.title_ids):
        twice = next(each for each in collection.title_ids if collection.title_ids.count(each) > 1)
        return f"titleIds names {twice[:80]!r} twice; name each title once"
    if len(collection.countries) > MAX_COUNTRIES:
        return (
            f"countries has {len(collection.countries)} entries; send at most {MAX_COUNTRIES}, or none for everywhere"
        )
    naive = next((each for each in (collection.opens_at, collection.closes_at) if each and each.tzinfo is None), None)
    if naive is not None:
        return f"{naive.isoformat()} names no time zone; send an instant such as {naive.isoformat()}Z"
    bad = next((each for each in sorted(collection.countries) if not _is_country(each)), None)
    if bad is not None:
        return f"countries names {bad[:20]!r}; send ISO 3166 alpha-2 codes such as US"
    if collection.opens_at and collection.closes_at and collection.closes_at <= collection.opens_at:
        return f"closesAt is {collection.closes_at.isoformat()}; send an instant after opensAt"
    return None


def _is_country(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()
