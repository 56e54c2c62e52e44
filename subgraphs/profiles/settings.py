"""The profiles subgraph's settings (MARQUEE_PROFILES_…): the only place of it that reads the environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from subgraphs.kernel.rate_limit import RateLimit
from subgraphs.kernel.settings import SubgraphSettings
from subgraphs.kernel.sql import sqlite_url
from subgraphs.profiles.domain.rules import HouseholdRules

__all__ = ["ProfilesSettings"]

PositiveInt = Annotated[int, Field(gt=0)]
HOUR_S = 3600


class ProfilesSettings(SubgraphSettings):
    """One profiles process."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_PROFILES_")

    port: Annotated[int, Field(ge=0, le=65535)] = 4001
    """TCP port of the subgraph; 0 lets the system choose."""
    database_url: SecretStr | None = None
    """`postgresql+asyncpg://…` or `sqlite+aiosqlite:///…`; without it SQLite below the state folder."""
    access_token_s: PositiveInt = 15 * 60
    """How long an access token is good."""
    refresh_token_days: PositiveInt = 30
    """How long a refresh token is good when it is not used."""
    max_sessions: PositiveInt = 100
    """Sessions of one account at once; the oldest end beyond that."""

    argon2_memory_kib: Annotated[int, Field(ge=8)] = 19 * 1024
    """Memory that hashing one password takes."""
    argon2_passes: PositiveInt = 2
    """Times that hashing goes over that memory."""
    argon2_lanes: PositiveInt = 1
    """Parallel lanes of one hash."""
    hashing_threads: PositiveInt = 2
    """Passwords hashed at once; each takes `argon2_memory_kib` and a core for about 30 ms."""
    max_waiting_hashes: PositiveInt = 100
    """Log-ins and sign-ups that may wait for a hashing thread; further ones are told to come back."""

    log_ins_per_hour: PositiveInt = 20
    """Per client address."""
    log_ins_per_account_per_hour: PositiveInt = 100
    """Per e-mail address, so that many addresses can't guess one account's password together."""
    sign_ups_per_hour: PositiveInt = 10
    """Per client address."""

    max_profiles: PositiveInt = 5
    """Of one account."""
    max_name_length: PositiveInt = 50
    """Characters of a profile's name."""
    kids_max_maturity: Annotated[int, Field(ge=0, le=18)] = 7
    """The highest age limit that a kids profile may have."""
    max_list_length: PositiveInt = 500
    """Titles on one profile's My List."""

    @property
    def store_url(self) -> str:
        """The database's URL; the default file's folder is made."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return sqlite_url(self.shared.state_dir / "profiles" / "profiles.sqlite")

    @property
    def access_key_path(self) -> Path:
        """The key that signs access tokens; older ones beside it, as access-*.pem, stay published."""
        return self.shared.keys_dir / "access.pem"

    @property
    def access_token_life(self) -> timedelta:
        """How long an access token is good."""
        return timedelta(seconds=self.access_token_s)

    @property
    def refresh_token_life(self) -> timedelta:
        """How long a refresh token is good when it is not used."""
        return timedelta(days=self.refresh_token_days)

    @property
    def rules(self) -> HouseholdRules:
        """The bounds of one account."""
        return HouseholdRules(
            max_profiles=self.max_profiles,
            max_name_length=self.max_name_length,
            kids_max_maturity=self.kids_max_maturity,
            max_list_length=self.max_list_length,
        )

    @property
    def log_in_limit(self) -> RateLimit:
        """Per client address."""
        return RateLimit("log-in", self.log_ins_per_hour, HOUR_S)

    @property
    def account_log_in_limit(self) -> RateLimit:
        """Per e-mail address."""
        return RateLimit("log-in-account", self.log_ins_per_account_per_hour, HOUR_S)

    @property
    def sign_up_limit(self) -> RateLimit:
        """Per client address."""
        return RateLimit("sign-up", self.sign_ups_per_hour, HOUR_S)
