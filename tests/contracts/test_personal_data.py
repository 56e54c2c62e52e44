"""Every place in which anything is kept is in schema/personal_data.yaml, and the code does what stands there."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import MetaData

from common.event_catalogue import PERSONAL_TOPICS, TOPICS
from subgraphs.kernel.personal_keys import PersonalKeys
from subgraphs.kernel.personal_tables import Ending, PersonalTable
from subgraphs.playback.adapters.mongo.schema import SCHEMA as PLAYBACK_COLLECTIONS
from subgraphs.playback.adapters.sqlalchemy.personal_data import personal_data_of as playback_tables_of
from subgraphs.playback.adapters.valkey.personal_data import PERSONAL_KEYS as PLAYBACK_KEYS
from subgraphs.profiles.adapters.sqlalchemy.personal_data import PERSONAL_TABLES as PROFILES_TABLES
from subgraphs.recommendations.adapters.valkey.personal_data import PERSONAL_KEYS as RECOMMENDATIONS_KEYS
from subgraphs.titles.adapters.mongo.schema import SCHEMA as TITLES_COLLECTIONS
from subgraphs.titles.adapters.personal_keys import PERSONAL_KEYS as TITLES_KEYS
from subgraphs.titles.adapters.sql.personal_data import PERSONAL_TABLES as TITLES_TABLES

REPOSITORY = Path(__file__).parents[2]
TABLE_MODULES = {
    "profiles": (
        "subgraphs.profiles.adapters.sqlalchemy.tables_billing",
        "subgraphs.profiles.adapters.sqlalchemy.tables_people",
        "subgraphs.profiles.adapters.sqlalchemy.tables_privacy",
        "subgraphs.profiles.adapters.sqlalchemy.tables",
    ),
    "playback": ("subgraphs.playback.adapters.sqlalchemy.tables",),
    "titles": ("subgraphs.titles.adapters.sql.tables",),
    "recommendations": (
        "subgraphs.recommendations.adapters.sqlalchemy.titles",
        "subgraphs.recommendations.adapters.sqlalchemy.collections",
        "subgraphs.recommendations.adapters.sqlalchemy.artwork_log",
        "subgraphs.recommendations.adapters.sqlalchemy.experiments",
        "subgraphs.recommendations.adapters.sqlalchemy.digests",
    ),
    "licensing": ("media_pipeline.licensing.adapters.sql_store",),
}
ENDINGS = {Ending.DELETED: "deleted", Ending.ANONYMISED: "anonymised", Ending.UNLINKED: "unlinked"}


@cache
def registry() -> dict[str, dict[str, dict[str, Any]]]:
    loaded: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
        (REPOSITORY / "schema" / "personal_data.yaml").read_text()
    )
    return loaded


def registered_prefixes() -> set[str]:
    """Key prefixes of all services, as their first two parts."""
    return {
        ":".join(place.split(":")[1:3])
        for places in registry().values()
        for place in places
        if place.startswith("keys:")
    }


def tables_of(service: str) -> set[str]:
    """Names in the metadata of the service's table modules."""
    names: set[str] = set()
    for module_name in TABLE_MODULES[service]:
        module = importlib.import_module(module_name)
        names.update(*(value.tables for value in vars(module).values() if isinstance(value, MetaData)))
    return names


def registered(service: str, kind: str) -> set[str]:
    return {place.split(":", 1)[1] for place in registry()[service] if place.startswith(f"{kind}:")}


def test_every_entry_says_what_it_must() -> None:
    """Personal: how it is handed out and how it ends; not personal: why not."""
    for service, places in registry().items():
        for place, entry in places.items():
            # YAML reads a bare `no` as false.
            if entry["personal"] is False:
                assert set(entry) == {"personal", "why"}, (service, place)
            else:
                assert entry["personal"] in {"account", "profile", "session", "email"}, (service, place)
                assert isinstance(entry["exported"], bool), (service, place)
                endings = {"deleted", "anonymised", "unlinked", "expires", "rewritten"}
                assert entry["erased"] in endings, (service, place)
                assert entry["exported"] or "why" in entry, (service, place)
                assert set(entry) <= {"personal", "exported", "erased", "why", "hidden"}, (service, place)


@pytest.mark.parametrize("service", TABLE_MODULES)
def test_every_table_is_registered(service: str) -> None:
    """A new table needs an entry, and an entry needs its table."""
    assert registered(service, "table") == tables_of(service)


@pytest.mark.parametrize(
    ("service", "collections"),
    [("playback", PLAYBACK_COLLECTIONS.indexes), ("titles", TITLES_COLLECTIONS.indexes)],
)
def test_every_collection_is_registered(service: str, collections: Iterable[str]) -> None:
    """As tables."""
    assert registered(service, "collection") == set(collections)


def playback_tables() -> tuple[PersonalTable, ...]:
    return playback_tables_of(None)._tables  # type: ignore[arg-type]  # no statement is run


@pytest.mark.parametrize(
    ("service", "declared"),
    [("profiles", PROFILES_TABLES), ("titles", TITLES_TABLES), ("playback", playback_tables())],
)
def test_tables_are_treated_as_registered(service: str, declared: tuple[PersonalTable, ...]) -> None:
    """What the registry calls personal is declared in the code, with the same way out and the same end."""
    by_place = {each.place: each for each in declared}
    personal = {
        place: entry
        for place, entry in registry()[service].items()
        # Requests are handled by the erasure itself: the one that runs must outlive it.
        if place.startswith("table:") and entry["personal"] is not False and place != "table:privacy_requests"
    }
    assert set(by_place) == set(personal)
    for place, entry in personal.items():
        assert by_place[place].is_exported is entry["exported"], place
        assert ENDINGS[by_place[place].ending] == entry["erased"], place
        hidden = by_place[place].hidden
        assert all(name in hidden for name in str(entry.get("hidden", "")).replace(" and ", " ").split()), place


@pytest.mark.parametrize(
    ("service", "declared"),
    [("playback", PLAYBACK_KEYS), ("recommendations", RECOMMENDATIONS_KEYS), ("titles", TITLES_KEYS)],
)
def test_keys_are_treated_as_registered(service: str, declared: tuple[PersonalKeys, ...]) -> None:
    """As tables; reports of players have a class of their own."""
    by_place = {each.place.rstrip(":"): each for each in declared}
    personal = {
        place: entry
        for place, entry in registry()[service].items()
        if place.startswith("keys:") and entry["personal"] is not False and place != "keys:marquee:cmcd"
    }
    assert set(by_place) == set(personal)
    for place, entry in personal.items():
        assert by_place[place].is_exported is entry["exported"], place


def test_every_topic_is_registered() -> None:
    """Personal are those whose events name an account or a profile."""
    streams = {place.split(":", 1)[1]: entry for place, entry in registry()["shared"].items() if "stream:" in place}
    assert set(streams) == set(TOPICS)
    assert {topic for topic, entry in streams.items() if entry["personal"] is not False} == set(PERSONAL_TOPICS)


def test_secrets_are_hidden() -> None:
    """No column that is called a hash or a token is ever exported."""
    for table in (*PROFILES_TABLES, *TITLES_TABLES, *playback_tables()):
        if not table.is_exported:
            continue
        shown = {column.name for column in table.table.columns} - table.hidden
        secret = {name for name in shown if "hash" in name or name.endswith("token") or name == "pin"}
        assert not secret, (table.place, secret)
