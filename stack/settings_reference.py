"""Every setting of every process as one page of text: variable, default, meaning.

Made from the settings classes themselves, whose field docstrings are the meanings: `marquee settings` prints it,
docs/settings.md is a copy that a test compares.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import textwrap
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr, TypeAdapter
from pydantic_settings import BaseSettings

from common.settings import SharedSettings

__all__ = ["PROCESS_SETTINGS", "field_meanings", "write_settings_reference"]

PROCESS_SETTINGS = {
    "gateway": "gateway.settings:GatewaySettings",
    "profiles": "subgraphs.profiles.settings:ProfilesSettings",
    "titles": "subgraphs.titles.settings:TitlesSettings",
    "playback": "subgraphs.playback.settings:PlaybackSettings",
    "recommendations": "subgraphs.recommendations.settings:RecommendationsSettings",
    "delivery": "media_pipeline.delivery.settings:DeliverySettings",
    "transcoding": "media_pipeline.transcoding.settings:TranscodingSettings",
    "worker": "media_pipeline.transcoding.settings:WorkerSettings",
    "licensing": "media_pipeline.licensing.settings:LicensingSettings",
    "steering": "media_pipeline.steering.settings:SteeringSettings",
    "stack": "stack.settings:StackSettings",
}
"""Process name → "module:Class". `stack` is `marquee up` itself and the commands beside it."""

_INTRODUCTION = """\
# Settings

Environment variables, read when a process starts. A misspelt one is refused by name. With `_FILE` at its end,
each names a file that holds the value instead: for secrets. This page is what `marquee settings` prints.
"""


def write_settings_reference(process: str | None = None) -> str:
    """Markdown for one process, or for all with what they share; raises KeyError for an unknown name."""
    if process is not None:
        return _section(process, _settings_type(process))
    sections = [_section("all processes", SharedSettings)]
    sections += [_section(name, _settings_type(name)) for name in PROCESS_SETTINGS]
    return "\n".join([_INTRODUCTION, *sections])


def field_meanings(settings_type: type[BaseSettings]) -> dict[str, str]:
    """The docstring under each field of a class and its bases, in one line each; fields without one are left out."""
    meanings: dict[str, str] = {}
    for base in reversed(settings_type.__mro__):
        if not issubclass(base, BaseSettings) or base is BaseSettings:
            continue
        [definition] = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(definition, ast.ClassDef)
        for field, following in zip(definition.body, definition.body[1:], strict=False):
            match field, following:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str() as text)),
                ):
                    meanings[name] = " ".join(text.split())
    return meanings


def _settings_type(process: str) -> type[BaseSettings]:
    module, _, name = PROCESS_SETTINGS[process].partition(":")
    settings_type: type[BaseSettings] = getattr(importlib.import_module(module), name)
    return settings_type


def _section(title: str, settings_type: type[BaseSettings]) -> str:
    prefix = settings_type.model_config.get("env_prefix") or ""
    meanings = field_meanings(settings_type)
    rows = [
        f"| `{prefix}{name.upper()}` | {_shown(field.get_default(call_default_factory=True))} | {meanings[name]} |"
        for name, field in settings_type.model_fields.items()
        # `shared` is what all processes read, and no variable.
        if name != "shared"
    ]
    return "\n".join([f"## {title}", "", "| variable | default | meaning |", "|---|---|---|", *rows, ""])


def _shown(value: Any) -> str:
    """A default as one would write it into the environment."""
    match value:
        case None | "":
            return "(empty)"
        case SecretStr():
            return "(secret)"
        case str() | Path():
            return f"`{value}`"
        case frozenset():
            return f"`{json.dumps(sorted(value))}`"
        case timedelta():
            return f"`{json.loads(TypeAdapter(timedelta).dump_json(value))}`"
        case _:
            return f"`{json.dumps(value)}`"
