"""The collections and their indexes.

A title is one document with everything inside, and what it is found and ordered by beside it. Seasons, genres, edits of
people, audit entries and positions are as in the port. What LOG, JOURNAL and FOLLOWERS are for: see `journal`.

Every order that a list can have has an index that goes all the way to the id, in both directions, for the catalogue
and for a genre: unlike SQLite, MongoDB sorts everything again when only the last part of an order is missing.
"""

from __future__ import annotations

from pymongo import ASCENDING, DESCENDING, IndexModel

from subgraphs.kernel.mongo import MongoSchema
from subgraphs.titles.domain.browsing import TitleSort

__all__ = [
    "AUDIT",
    "FOLLOWERS",
    "GENRES",
    "JOURNAL",
    "LOG",
    "PERSON_EDITS",
    "POSITIONS",
    "SCHEMA",
    "SEASONS",
    "SORT_FIELD",
    "TITLES",
]

# With one beginning, so that several subgraphs may share a database.
TITLES = "titles"
SEASONS = "titles_seasons"
GENRES = "titles_genres"
PERSON_EDITS = "titles_person_edits"
AUDIT = "titles_audit"
POSITIONS = "titles_positions"
LOG = "titles_log"
JOURNAL = "titles_journal"
FOLLOWERS = "titles_followers"

SORT_FIELD = {
    TitleSort.POPULARITY: "popularity",
    TitleSort.NEWEST: "added_at",
    TitleSort.RELEASE_YEAR: "release_year",
    TitleSort.NAME: "sort_name",
}


def _orders() -> list[IndexModel]:
    indexes: list[IndexModel] = []
    for field in SORT_FIELD.values():
        for direction, word in ((ASCENDING, "up"), (DESCENDING, "down")):
            order = [(field, direction), ("_id", ASCENDING)]
            indexes.append(IndexModel(order, name=f"by_{field}_{word}"))
            indexes.append(IndexModel([("genres.id", ASCENDING), *order], name=f"by_genre_and_{field}_{word}"))
    return indexes


SCHEMA = MongoSchema(
    name="titles",
    version=1,
    indexes={
        TITLES: [
            *_orders(),
            IndexModel([("sequence", ASCENDING)], name="by_sequence"),
            IndexModel([("match_key", ASCENDING), ("_id", ASCENDING)], name="by_match"),
            IndexModel([("source", ASCENDING), ("_id", ASCENDING)], name="by_source"),
            IndexModel([("credits.person_id", ASCENDING), ("_id", ASCENDING)], name="by_person"),
            IndexModel([("initial", ASCENDING), ("sort_name", ASCENDING), ("_id", ASCENDING)], name="by_initial"),
            # Few titles have these: those that lack them stay out of the index.
            IndexModel([("series_id", ASCENDING)], name="by_series", sparse=True),
            IndexModel([("video_of", ASCENDING)], name="by_video_of", sparse=True),
            IndexModel([("is_timed", ASCENDING)], name="timed", sparse=True),
        ],
        SEASONS: [IndexModel([("series_id", ASCENDING), ("number", ASCENDING)], name="by_series")],
        AUDIT: [
            IndexModel([("at", DESCENDING), ("_id", DESCENDING)], name="newest"),
            IndexModel([("subject_id", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)], name="by_subject"),
        ],
        JOURNAL: [IndexModel([("token", ASCENDING), ("number", ASCENDING)], name="by_token")],
        FOLLOWERS: [],
        LOG: [],
        GENRES: [],
        PERSON_EDITS: [],
        POSITIONS: [],
    },
)
