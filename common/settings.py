"""Settings: one typed, frozen object per process, filled from the environment and from nothing else.

Shared settings are read as MARQUEE_<NAME> (see SharedSettings), a process's own as MARQUEE_<PROCESS>_<NAME>. A variable
with a process's prefix that names no setting is refused, with the nearest known name, so that a typing error
cannot silently mean the default. Every setting may come from a file instead: <VARIABLE>_FILE names it. That is for
secrets, which must not stand in an environment that other programs on the machine can list.
"""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import BeforeValidator, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

__all__ = [
    "ProcessSettings",
    "SettingsInvalid",
    "SharedSettings",
    "check_environment",
    "check_unclaimed",
    "is_given",
    "load_settings",
    "setting_text",
]

SHARED_PREFIX = "MARQUEE_"
TEST_PREFIX = "MARQUEE_TEST_"
"""What tests are told, such as the address of a database; no process reads it."""
FILE_SUFFIX = "_FILE"
"""A variable's name with this names a file that holds the value; the line's end is no part of it."""
SettingsT = TypeVar("SettingsT", bound="ProcessSettings")


class SettingsInvalid(Exception):
    """The environment does not make a valid settings object; the message lists every variable concerned."""


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class _EnvironmentOrFiles(EnvSettingsSource):
    """Variables, and for those that are unset the files that are named instead; unreadable ones count as unset here."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        values = dict(super()._load_env_vars())
        for name in self.settings_cls.model_fields:
            variable = f"{self.env_prefix}{name}".lower()
            path = values.get(f"{variable}{FILE_SUFFIX}".lower())
            if path and variable not in values:
                with contextlib.suppress(OSError, UnicodeDecodeError):
                    values[variable] = Path(path).read_text("utf-8").rstrip("\r\n")
        return values


class _FromEnvironment(BaseSettings):
    """Base of all settings: from the environment and the files that it names, and from nothing else."""

    # A traceback shows pydantic's own words, too.
    model_config = SettingsConfigDict(hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the signature is the base's
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code first, then the environment."""
        return init_settings, _EnvironmentOrFiles(settings_cls)


class SharedSettings(_FromEnvironment):
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
        if problems := _file_problems(cls, os.environ):
            raise SettingsInvalid("\n".join(problems))
        try:
            return cls()
        except ValidationError as error:
            raise SettingsInvalid("\n".join(_problems(cls, error))) from error

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


class ProcessSettings(_FromEnvironment):
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
    known = _known_variables(settings_type)
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
    known = _known_variables(SharedSettings)
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
    problems = check_environment(settings_type, os.environ) + _file_problems(settings_type, os.environ)
    try:
        settings = settings_type(**overrides)
    except ValidationError as error:
        problems += _problems(settings_type, error)
        raise SettingsInvalid("\n".join(problems)) from error
    if problems:
        raise SettingsInvalid("\n".join(problems))
    return settings


def is_given(variable: str, environment: Mapping[str, str]) -> bool:
    """Whether this setting is set, itself or by file."""
    return bool(environment.get(variable) or environment.get(variable + FILE_SUFFIX))


def setting_text(variable: str, environment: Mapping[str, str]) -> str:
    """What a given setting says, itself or by file; empty when it is not given. Raises OSError for a missing file."""
    path = environment.get(variable + FILE_SUFFIX)
    return environment.get(variable) or (Path(path).read_text("utf-8").rstrip("\r\n") if path else "")


def _variables(settings_type: type[BaseSettings]) -> list[str]:
    prefix = settings_type.model_config.get("env_prefix") or ""
    # `shared` is a field and no variable: its own variables carry the shared prefix.
    return [f"{prefix}{name}".upper() for name in settings_type.model_fields if name != "shared"]


def _known_variables(settings_type: type[BaseSettings]) -> list[str]:
    """Each twice: itself, and as the name of a file."""
    names = _variables(settings_type)
    return names + [name + FILE_SUFFIX for name in names]


def _file_problems(settings_type: type[BaseSettings], environment: Mapping[str, str]) -> list[str]:
    """Problems with settings that are given by file, one sentence each."""
    given = {variable.upper(): value for variable, value in environment.items()}
    problems = []
    for variable in _variables(settings_type):
        path = given.get(variable + FILE_SUFFIX)
        if not path:
            continue
        if variable in given:
            problems.append(f"{variable} and {variable}{FILE_SUFFIX} are both set; keep one of them")
            continue
        try:
            Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
            problems.append(f"{variable}{FILE_SUFFIX}={path!r} can't be read: {reason}")
    return problems


def _problems(settings_type: type[BaseSettings], error: ValidationError) -> list[str]:
    """One sentence per variable: its name, the value seen (unless it is secret) and what is wanted."""
    prefix = settings_type.model_config.get("env_prefix") or ""
    fields = settings_type.model_fields
    secret = {name for name, field in fields.items() if "SecretStr" in str(field.annotation)}
    problems = []
    for item in error.errors():
        place = item["loc"]
        if not place:
            # About several settings at once: what was seen is all of them, with their secrets.
            problems.append(f"{prefix.rstrip('_')}: {item['msg']}")
            continue
        seen = "(secret)" if place[0] in secret else repr(item.get("input"))
        problems.append(f"{prefix}{'_'.join(str(part) for part in place).upper()}={seen}: {item['msg']}")
    return problems


def _suggestion(variable: str, known: Iterable[str]) -> str:
    # A file's name is meant for a file's name: the suffix alone makes strangers look alike.
    is_file = variable.upper().endswith(FILE_SUFFIX)
    known = [name for name in known if name.endswith(FILE_SUFFIX) is is_file]
    nearest = difflib.get_close_matches(variable.upper(), known, n=1)
    return f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(sorted(known))}"
