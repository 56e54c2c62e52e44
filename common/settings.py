"""Settings: one typed, frozen object per process, filled from the environment and from nothing else.

Shared settings are read as MARQUEE_<NAME> (see SharedSettings), a process's own as MARQUEE_<PROCESS>_<NAME>. A variable
with a process's prefix that names no setting is refused, with the nearest known name, so that a typing error
cannot silently mean the default.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import BeforeValidator, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = [
    "ProcessSettings",
    "SettingsInvalid",
    "SharedSettings",
    "check_environment",
    "check_unclaimed",
    "load_settings",
]

SHARED_PREFIX = "MARQUEE_"
TEST_PREFIX = "MARQUEE_TEST_"
"""What tests are told, such as the address of a database; no process reads it."""
SettingsT = TypeVar("SettingsT", bound="ProcessSettings")


class SettingsInvalid(Exception):
    """The environment does not make a valid settings object; the message lists every variable concerned."""


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class SharedSettings(BaseSettings):
    """What several processes must agree on; environment prefix MARQUEE_."""

    model_config = SettingsConfigDict(env_prefix=SHARED_PREFIX, frozen=True, extra="ignore")

    state_dir: Path = Path(".marquee")
    """Everything that is kept lies below this folder."""
    valkey_url: str = "redis://127.0.0.1:6390/0"
    """Valkey or Redis: events, jobs, leases, caches."""
    public_media_url: str = "http://127.0.0.1:4010"
    """Where players find the delivery service."""
    public_gateway_url: str = "http://127.0.0.1:4000"
    """Where clients find the gateway."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    @classmethod
    def load(cls) -> Self:
        """From the environment; raises SettingsInvalid."""
        try:
            return cls()
        except ValidationError as error:
            raise SettingsInvalid("\n".join(_problems(SHARED_PREFIX, error))) from error

    @property
    def keys_dir(self) -> Path:
        """Signing and wrapping keys, readable by the owner alone."""
        return self.state_dir / "keys"

    @property
    def objects_dir(self) -> Path:
        """The local object store: uploads, segments, artwork."""
        return self.state_dir / "objects"

    @property
    def viewer_jwks_path(self) -> Path:
        """Public half of the key that signs viewer contexts."""
        return self.keys_dir / "viewer.jwks.json"


class ProcessSettings(BaseSettings):
    """Base of every process's settings.

    A subclass sets `model_config = SettingsConfigDict(env_prefix="MARQUEE_TITLES_")` and inherits the rest; `shared`
    holds the SharedSettings that were read beside it.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid")
    known_prefixes: ClassVar[dict[str, type[ProcessSettings]]] = {}

    host: str = "127.0.0.1"
    """Address to bind."""
    shared: SharedSettings = None  # type: ignore[assignment]  # filled by the validator below, never None afterwards

    @model_validator(mode="before")
    @classmethod
    def _read_shared(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("shared") is None:
            return {**values, "shared": SharedSettings.load()}
        return values

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Remember each process's prefix for check_environment."""
        super().__pydantic_init_subclass__(**kwargs)
        prefix = cls.model_config.get("env_prefix") or ""
        if prefix:
            ProcessSettings.known_prefixes[prefix] = cls

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Settings from the environment, `overrides` first; raises SettingsInvalid."""
        return load_settings(cls, **overrides)


def check_environment(settings_type: type[ProcessSettings], environment: Mapping[str, str]) -> list[str]:
    """Problems with variables that carry this process's prefix and name no setting, one sentence each."""
    prefix = settings_type.model_config.get("env_prefix") or ""
    if not prefix:
        return []
    # `shared` is a field and no variable: its own variables carry the shared prefix.
    known = [f"{prefix}{name}".upper() for name in settings_type.model_fields if name != "shared"]
    return [
        f"{variable} names no setting; {_suggestion(variable, known)}"
        for variable in sorted(environment)
        if variable.upper().startswith(prefix.upper()) and variable.upper() not in known
    ]


def check_unclaimed(environment: Mapping[str, str]) -> list[str]:
    """Problems with MARQUEE_ variables that are neither shared nor any imported process's, one sentence each.

    For what starts the whole system and has imported every process's settings: a single process can't tell a typing
    error from a neighbour's variable.
    """
    known = [f"{SHARED_PREFIX}{name}".upper() for name in SharedSettings.model_fields]
    prefixes = tuple(prefix.upper() for prefix in ProcessSettings.known_prefixes)
    return [
        f"{variable} belongs to no process; {_suggestion(variable, [*known, *prefixes])}"
        for variable in sorted(environment)
        if variable.upper().startswith(SHARED_PREFIX)
        and variable.upper() not in known
        and not variable.upper().startswith((*prefixes, TEST_PREFIX))
    ]


def load_settings(settings_type: type[SettingsT], **overrides: Any) -> SettingsT:
    """Read one process's settings; raises SettingsInvalid naming every wrong variable, the value and what is wanted."""
    problems = check_environment(settings_type, os.environ)
    prefix = settings_type.model_config.get("env_prefix") or ""
    try:
        settings = settings_type(**overrides)
    except ValidationError as error:
        problems += _problems(prefix, error)
        raise SettingsInvalid("\n".join(problems)) from error
    if problems:
        raise SettingsInvalid("\n".join(problems))
    return settings


def _problems(prefix: str, error: ValidationError) -> list[str]:
    """One sentence per variable: its name, the value seen and what is wanted."""
    return [
        f"{prefix}{'_'.join(str(part) for part in item['loc']).upper()}={item.get('input')!r}: {item['msg']}"
        for item in error.errors()
    ]


def _suggestion(variable: str, known: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(variable.upper(), list(known), n=1)
    return f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(sorted(known))}"
