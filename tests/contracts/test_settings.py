"""Every setting is explained, and every variable that the documents name exists."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from common.settings import ProcessSettings, SharedSettings
from stack.processes import PROCESS_TABLE
from stack.settings import StackSettings
from stack.settings_reference import PROCESS_SETTINGS, field_meanings, write_settings_reference

REPOSITORY = Path(__file__).parents[2]
TEXTS = sorted(
    [
        *REPOSITORY.glob("*.md"),
        REPOSITORY / "Makefile",
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "clients").glob("*.md"),
    ]
)


def settings_types() -> list[type[ProcessSettings]]:
    named = (path.split(":") for path in PROCESS_SETTINGS.values())
    return [getattr(importlib.import_module(module), name) for module, name in named]


def variables() -> set[str]:
    types: list[type[BaseSettings]] = [SharedSettings, *settings_types()]
    return {
        f"{each.model_config.get('env_prefix') or ''}{name}".upper()
        for each in types
        for name in each.model_fields
        if name != "shared"
    }


@pytest.mark.parametrize("settings_type", [SharedSettings, *settings_types()], ids=lambda each: each.__name__)
def test_every_setting_says_what_it_means(settings_type: type[ProcessSettings]) -> None:
    """A sentence below the field: what, unit, and what happens beyond it."""
    assert [
        name for name in settings_type.model_fields if name not in field_meanings(settings_type) and name != "shared"
    ] == []


def test_every_process_is_listed() -> None:
    """What the stack starts, and what has an environment prefix, is in the reference."""
    assert {row.name for row in PROCESS_TABLE} <= set(PROCESS_SETTINGS)
    ours = {
        each
        for each in ProcessSettings.known_prefixes.values()
        if each.__module__.partition(".")[0] in {"gateway", "subgraphs", "media_pipeline", "stack"}
    }
    assert ours == set(settings_types())


def test_the_page_of_settings_is_what_the_code_says() -> None:
    """`marquee settings > docs/settings.md` writes it anew."""
    assert write_settings_reference() == (REPOSITORY / "docs" / "settings.md").read_text("utf-8")


def test_the_table_of_processes_is_right() -> None:
    """docs/operating.md names every process with its port and the variable that moves it."""
    rows = re.findall(
        r"^\| (\w+) \| (\d+) \| `(MARQUEE_\w+)`",
        (REPOSITORY / "docs" / "operating.md").read_text("utf-8"),
        re.MULTILINE,
    )
    expected = {
        (name, f"MARQUEE_{name.upper()}_PORT", str(settings_type.model_fields["port"].default))
        for name, settings_type in zip(PROCESS_SETTINGS, settings_types(), strict=True)
        if "port" in settings_type.model_fields
    }
    stack_port = str(StackSettings.model_fields["valkey_port"].default)
    expected.add(("Valkey", "MARQUEE_STACK_VALKEY_PORT", stack_port))
    assert expected == {(name, variable, port) for name, port, variable in rows}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_variables_in_documents_exist(path: Path) -> None:
    """Nobody is told to set what nothing reads."""
    named = set(re.findall(r"MARQUEE_[A-Z0-9_]+", path.read_text("utf-8")))
    known = variables()
    known |= {f"{name}_FILE" for name in known}
    # A prefix may be named alone: MARQUEE_GATEWAY_…
    assert set() == {name for name in named - known if not name.endswith("_") and not name.startswith("MARQUEE_TEST_")}
