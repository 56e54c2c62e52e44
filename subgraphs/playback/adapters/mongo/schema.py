"""The collections and their indexes."""

from __future__ import annotations

from pymongo import ASCENDING, DESCENDING, IndexModel

from subgraphs.kernel.mongo import MongoSchema

__all__ = ["ASSETS", "BOOKMARKS", "DOWNLOADS", "SCHEMA", "TITLES"]

TITLES = "playback_titles"
ASSETS = "playback_assets"
BOOKMARKS = "playback_bookmarks"
DOWNLOADS = "playback_downloads"

SCHEMA = MongoSchema(
    name="playback",
    version=1,
    indexes={
        TITLES: [
            IndexModel(
                [("series_id", ASCENDING), ("season_number", ASCENDING), ("episode_number", ASCENDING)],
                name="by_series",
            )
        ],
        ASSETS: [],
        BOOKMARKS: [
            IndexModel(
                [("profile_id", ASCENDING), ("last_watched_at", DESCENDING), ("title_id", DESCENDING)],
                name="by_recency",
            ),
            IndexModel([("profile_id", ASCENDING), ("series_id", ASCENDING)], name="by_series"),
            IndexModel([("profile_id", ASCENDING), ("title_id", ASCENDING)], name="by_title"),
            # Only documents with events have the field.
            IndexModel([("events_since", ASCENDING)], name="by_waiting_events", sparse=True),
        ],
        DOWNLOADS: [],
    },
)
