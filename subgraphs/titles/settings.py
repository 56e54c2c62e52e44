"""The titles subgraph's settings: environment prefix MARQUEE_TITLES_."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from subgraphs.kernel.settings import SubgraphSettings
from subgraphs.kernel.sql import sqlite_url

__all__ = ["TitlesSettings"]

STORE_SCHEMES = ("mongodb://", "mongodb+srv://", "postgresql+asyncpg://", "sqlite+aiosqlite://")


class TitlesSettings(SubgraphSettings):
    """Where the catalogue lies, what is kept in memory, how artwork is drawn."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_TITLES_", frozen=True, extra="forbid")

    port: Annotated[int, Field(ge=0, le=65535)] = 4002
    """TCP port of the subgraph and of its internal routes; 0 lets the system choose."""
    store_url: SecretStr | None = None
    """mongodb://host/database, postgresql+asyncpg://… or sqlite+aiosqlite:///…; none: titles/titles.sqlite."""
    search_url: SecretStr | None = None
    """OpenSearch, as https://user:password@host:9200; none: an embedded index in titles/search, for one process."""
    search_index_name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,99}$")] = "marquee-titles"
    """What the names of OpenSearch's alias and indexes begin with."""
    seed_demo: bool = False
    """Put the demo catalogue in at start; doing it again changes nothing."""
    cache_titles: Annotated[int, Field(ge=0)] = 60_000
    """Whole titles kept in memory, about 1.5 kB each; a catalogue that fits is read in the background, all of it."""
    max_import_bytes: Annotated[int, Field(gt=0)] = 512 * 1024 * 1024
    """Of an uploaded import file, as sent."""
    font_dir: Path | None = None
    """Folder that is searched for typefaces, with its subfolders; unset: clients/node_modules, when there is one."""
    artwork_workers: Annotated[int, Field(ge=1, le=8)] = 1
    """Processes that draw artwork, at low priority."""
    artwork_prerendered_titles: Annotated[int, Field(ge=0, le=5_000)] = 250
    """The most popular titles' artwork is drawn in the background after the start; the rest when first asked for."""

    @field_validator("store_url")
    @classmethod
    def _known_store(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(STORE_SCHEMES):
            raise ValueError(f"begins with none of {', '.join(STORE_SCHEMES)}")
        return url

    @field_validator("search_url")
    @classmethod
    def _known_engine(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("begins with neither http:// nor https://")
        return url

    @property
    def resolved_store_url(self) -> str:
        """The URL to open; the folder of the embedded store is made when missing."""
        return (
            sqlite_url(self.store_dir / "titles.sqlite")
            if self.store_url is None
            else self.store_url.get_secret_value()
        )

    @property
    def resolved_search_url(self) -> str | None:
        """The engine's URL; None for the embedded one."""
        return None if self.search_url is None else self.search_url.get_secret_value()

    @property
    def has_neighbours(self) -> bool:
        """Whether other processes may write the same catalogue: always, unless it is a file."""
        return not self.resolved_store_url.startswith("sqlite")

    @property
    def store_dir(self) -> Path:
        """The catalogue and its index."""
        return self.shared.state_dir / "titles"

    @property
    def resolved_font_dir(self) -> Path | None:
        """Where typefaces are searched."""
        if self.font_dir is not None:
            return self.font_dir
        beside_the_packages = Path(__file__).resolve().parents[2] / "clients" / "node_modules"
        return beside_the_packages if beside_the_packages.is_dir() else None
