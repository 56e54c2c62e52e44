"""The domain's enums as GraphQL's: registered once, before any type names them."""

import strawberry

from subgraphs.titles.domain.artwork_reference import ArtworkRole, ImageFormat
from subgraphs.titles.domain.browsing import DurationBand, SortDirection, TitleSort
from subgraphs.titles.domain.completion import SuggestionKind
from subgraphs.titles.domain.finding import SearchSort
from subgraphs.titles.domain.markers import MarkerKind
from subgraphs.titles.domain.title import CreditRole, MediaStatus, TitleKind, VideoKind

__all__: list[str] = []

strawberry.enum(TitleKind, description="What a title is.")
strawberry.enum(VideoKind, description="What a video shows; TRAILER and TEASER advertise, the others are bonus.")
strawberry.enum(TitleSort, description="The orders of a list; ties are broken by id.")
strawberry.enum(
    SortDirection, description="Which end of an order comes first; without one, names ascend and all else descends."
)
strawberry.enum(DurationBand, description="How long a title runs, in whole minutes.")
strawberry.enum(SearchSort, description="The orders of a search; newest and most popular first, names from A to Z.")
strawberry.enum(SuggestionKind, description="What a completion leads to.")
strawberry.enum(MediaStatus, description="Whether there is something to play.")
strawberry.enum(CreditRole, description="What somebody did in a title.")
strawberry.enum(MarkerKind, description="What a marked stretch of a film is.")
strawberry.enum(ArtworkRole, description="What an image is for: 2:3, 16:9, 5:2 on a clear ground, 16:9 and small.")
strawberry.enum(ImageFormat, description="What a client can draw.")
