"""Settings of all-in-one itself (MARQUEE_STACK_*); every process has its own besides."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from common.settings import ProcessSettings

__all__ = ["StackSettings"]


class StackSettings(ProcessSettings):
    """What `marquee up` can be told."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_STACK_", frozen=True, extra="forbid")

    valkey_port: Annotated[int, Field(ge=1, le=65535)] = 6390
    """Port of our own Valkey or Redis; unused when MARQUEE_VALKEY_URL names a server."""
    postgres_port: Annotated[int, Field(ge=1, le=65535)] = 5442
    """Port of the PostgreSQL that `marquee up --servers` starts where an address of one is missing."""
    mongodb_port: Annotated[int, Field(ge=1, le=65535)] = 27027
    """Port of the MongoDB that `marquee up --servers` starts where an address of one is missing."""
    opensearch_port: Annotated[int, Field(ge=1, le=65535)] = 9210
    """Port of the OpenSearch that `marquee up --servers` starts where an address of one is missing."""
    demo: bool = True
    """Seed the demo's catalogue, accounts and film."""
    studio_email: str = "studio@marquee.example"
    """Whom `marquee ingest` logs in as; the default is a demo account."""
    studio_password: SecretStr = SecretStr("popcorn-time")
    """That account's password."""
