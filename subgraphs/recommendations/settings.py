"""Recommendations' settings: environment prefix MARQUEE_RECOMMENDATIONS_."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from subgraphs.kernel.settings import SubgraphSettings
from subgraphs.kernel.sql import sqlite_url

__all__ = ["RecommendationsSettings"]


class RecommendationsSettings(SubgraphSettings):
    """Where recommendations keeps its data, and how long pages live."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_RECOMMENDATIONS_", frozen=True, extra="forbid")

    port: Annotated[int, Field(ge=0, le=65535)] = 4004
    """TCP port of the subgraph; 0 lets the system choose."""
    database_url: str = ""
    """SQLAlchemy URL (sqlite+aiosqlite or postgresql+asyncpg); empty: <state>/recommendations/recommendations.sqlite.
    """
    page_life_s: Annotated[int, Field(ge=10, le=600)] = 600
    """How long a page and its cursors are good when no event changes it."""
    kept_answers: Annotated[int, Field(ge=0)] = 1_000
    """JSON of pages that are asked for again, kept; about 20 kB each; 128 MB in all at most."""
    default_country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "US"
    """ISO 3166 alpha-2: whose catalogue a visitor without an account sees."""

    models_url: str = ""
    """Where trained models are kept: an object store's URL (s3://bucket/prefix); empty: <state>/objects/models."""
    train_every_s: Annotated[int, Field(ge=0, le=30 * 24 * 3600)] = 3600
    """From one training of the recommenders to the next, in a process of its own; 0: only by `marquee train`."""
    ease_titles: Annotated[int, Field(ge=100, le=16_000)] = 6_000
    """Most liked titles that the linear model knows: time grows with their cube, memory with their square."""

    experiment_holdout: Annotated[int, Field(ge=0, le=500)] = 10
    """Of a thousand profiles, those that are in no experiment, ever: what all changes together did is seen in them."""

    digest_weekday: Annotated[int, Field(ge=0, le=6)] = 4
    """The day on which weekly digests are composed, 0 for Monday to 6 for Sunday."""
    digest_hour: Annotated[int, Field(ge=0, le=23)] = 15
    """The hour (UTC) from which on they are composed on that day."""

    @property
    def has_neighbours(self) -> bool:
        """Whether other processes may serve the same catalogue: always, unless it is a file."""
        return not self.resolved_database_url.startswith("sqlite")

    artwork_learn_every_s: Annotated[int, Field(ge=0, le=30 * 24 * 3600)] = 24 * 3600
    """From one learning of which artwork is opened to the next; 0: only by `marquee artwork learn`. A new policy may
    change pictures that viewers know.
    """

    @property
    def models_dir(self) -> Path:
        """The local folder of trained models."""
        return self.shared.objects_dir / "models"

    @property
    def resolved_database_url(self) -> str:
        """The URL to open; the folder of the embedded store is made when missing."""
        return self.database_url or sqlite_url(self.shared.state_dir / "recommendations" / "recommendations.sqlite")
