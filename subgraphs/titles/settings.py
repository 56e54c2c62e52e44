"""The titles subgraph's settings: environment prefix MARQUEE_TITLES_."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from subgraphs.kernel.settings import SubgraphSettings

__all__ = ["TitlesSettings"]


class TitlesSettings(SubgraphSettings):
    """Where the catalogue lies, what is kept in memory, how artwork is drawn."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_TITLES_", frozen=True, extra="forbid")

    port: Annotated[int, Field(ge=0, le=65535)] = 4002
    """TCP port of the subgraph and of its internal routes; 0 lets the system choose."""
    seed_demo: bool = False
    """Put the demo catalogue in at start; doing it again changes nothing."""
    cache_titles: Annotated[int, Field(ge=0)] = 10_000
    """Whole titles kept in memory, about 3 kB each."""
    max_import_bytes: Annotated[int, Field(gt=0)] = 512 * 1024 * 1024
    """Of an uploaded import file, as sent."""
    font_dir: Path | None = None
    """Folder that is searched for typefaces, with its subfolders; unset: clients/node_modules, when there is one."""
    artwork_workers: Annotated[int, Field(ge=1, le=8)] = 1
    """Processes that draw artwork, at low priority."""
    artwork_prerendered_titles: Annotated[int, Field(ge=0, le=5_000)] = 250
    """The most popular titles' artwork is drawn in the background after the start; the rest when first asked for."""

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
