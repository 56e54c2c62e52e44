"""The formats by name, and a file opened in one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from subgraphs.titles.imports.feed import FeedReader
from subgraphs.titles.imports.files import ImportFile, read_elements, read_lines
from subgraphs.titles.imports.netflix import read_netflix
from subgraphs.titles.imports.rows import ImportRefused, Row
from subgraphs.titles.imports.seen import Seen
from subgraphs.titles.imports.tvmaze import read_tvmaze_episodes, read_tvmaze_shows
from subgraphs.titles.imports.wikipedia import read_wikipedia

__all__ = ["CatalogueFormat", "Opened", "open_format"]


class CatalogueFormat(StrEnum):
    """What can be imported: our own feed, and lists as others publish them."""

    FEED = "feed"
    WIKIPEDIA = "wikipedia"
    NETFLIX = "netflix"
    TVMAZE = "tvmaze"
    TVMAZE_EPISODES = "tvmaze-episodes"


@dataclass(frozen=True, slots=True)
class Opened:
    """A file's rows; `feed` where the format can tell what is no longer offered."""

    rows: Iterator[Row]
    feed: FeedReader | None = None


def open_format(catalogue_format: CatalogueFormat, file: ImportFile, seen: Seen, show: str | None) -> Opened:
    """Begin to read; raises ImportRefused for a file of another kind. `show` is the show of TVmaze's episodes."""
    if (show is not None) is not (catalogue_format is CatalogueFormat.TVMAZE_EPISODES):
        raise ImportRefused("a show goes with format tvmaze-episodes, which needs one, and with no other")
    if catalogue_format is CatalogueFormat.FEED:
        reader = FeedReader(read_lines(file), seen)
        return Opened(reader.rows(), reader)
    return Opened(_READERS[catalogue_format](file, seen, show or ""))


_READERS: Mapping[CatalogueFormat, Callable[[ImportFile, Seen, str], Iterator[Row]]] = {
    CatalogueFormat.WIKIPEDIA: lambda file, seen, _: read_wikipedia(read_lines(file), seen),
    CatalogueFormat.NETFLIX: lambda file, seen, _: read_netflix(read_lines(file), seen),
    CatalogueFormat.TVMAZE: lambda file, seen, _: read_tvmaze_shows(read_elements(file), seen),
    CatalogueFormat.TVMAZE_EPISODES: lambda file, seen, show: read_tvmaze_episodes(read_elements(file), seen, show),
}
