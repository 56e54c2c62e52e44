"""Everything of an account is handed out, and everything is erased: planted values are looked for in all that is kept."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

import httpx
import pytest

from tests.support.canaries import Canary, find_in_files, find_in_valkey, key_prefixes
from tests.support.planted_household import (
    DEADLINE_S,
    EXPORT,
    PlantedHousehold,
    settled_households,
    wait_for_certificate,
)
from tests.support.running_stack import RunningStack, listener_pid
from tests.support.viewers import SELECT_PROFILE, SIGN_UP


def valkey_url(stack: RunningStack) -> str:
    password = (stack.state_dir / "keys" / "valkey.password").read_text().strip()
    return f"redis://:{password}@127.0.0.1:{stack.ports['STACK_VALKEY']}/0"


def find_everywhere(stack: RunningStack, canaries: list[Canary]) -> list[str]:
    return find_in_files(stack.state_dir, canaries) + find_in_valkey(valkey_url(stack), canaries)


@pytest.fixture(scope="module")
def households(stack: RunningStack, film: dict[str, Any]) -> tuple[PlantedHousehold, PlantedHousehold]:
    def find_taste(profile_id: Canary) -> bool:
        return any("marquee:taste" in place for place in find_in_valkey(valkey_url(stack), [profile_id]))

    return settled_households(stack, film["id"], find_taste)


def test_forty_values_are_planted_and_kept(
    households: tuple[PlantedHousehold, PlantedHousehold], stack: RunningStack
) -> None:
    """The search finds what is there: else it would find nothing afterwards, whatever was left."""
    first, second = households
    assert len(first.canaries) + len(second.canaries) >= 40
    found = {place.split(" in ")[0] for place in find_everywhere(stack, first.canaries)}
    never_kept = {"password", "refresh token", "first refresh token", "selected refresh token", "access token"}
    assert {"e-mail", "device name", "position", "search quokka", "device", "playback session"} <= found
    assert not found & never_kept


def test_an_export_has_everything_of_the_account_and_nothing_of_another(
    households: tuple[PlantedHousehold, PlantedHousehold],
) -> None:
    """Every planted value that the account may see, no secret, and not one value of the neighbours."""
    first, second = households
    text = first.export()
    document = json.loads(text)

    assert document["format"] == "marquee-account-export"
    assert [section["service"] for section in document["sections"]] == [
        "playback",
        "recommendations",
        "titles",
        "profiles",
    ]
    assert first.faults_of_export(text, second) == {"missing": [], "shown": [], "foreign": []}


def test_nobody_else_can_fetch_an_export(
    households: tuple[PlantedHousehold, PlantedHousehold], stack: RunningStack
) -> None:
    """An anonymous visitor has no account to ask, and a kids profile may not manage the account."""
    first, _ = households
    assert stack.graphql(EXPORT).data["viewer"] is None
    kids = first.planted("id of Pip")
    chosen = stack.graphql(
        SELECT_PROFILE, {"input": {"profileId": kids, "pin": "7391"}}, token=first.account_token
    ).data["selectProfile"]
    assert chosen["__typename"] == "SelectProfileSuccess", chosen
    token = chosen["session"]["accessToken"]
    assert stack.graphql(EXPORT, token=token).data["viewer"]["account"]["exports"] is None
    refused = stack.graphql("mutation { requestAccountExport { __typename } }", token=token).data
    assert refused["requestAccountExport"]["__typename"] == "NotPermitted"


def test_an_erasure_leaves_nothing_anywhere(
    households: tuple[PlantedHousehold, PlantedHousehold], stack: RunningStack
) -> None:
    """Not in a database, its log or free pages, not in a key, a stream, an index, an object, a mail or a log line."""
    first, second = households
    certificate = wait_for_certificate(stack, first.erase())

    places = {place["place"].split("/", 1)[0] for place in certificate["places"]}
    assert {"profiles", "playback", "recommendations"} <= places
    left = find_everywhere(stack, first.own_canaries)
    assert left == [], left
    # Nobody, until the gateway has heard that the session ended; then the token itself is refused.
    asked = stack.graphql("{ viewer { account { id } } }", token=first.token)
    assert asked.status == 401 or asked.data["viewer"] is None
    # The neighbours have everything as it was.
    found = {place.split(" in ")[0] for place in find_everywhere(stack, second.canaries)}
    assert {"e-mail", "device name", "position", "playback session"} <= found
    assert second.ask("{ viewer { account { email } } }")["viewer"]["account"]["email"] == second.email

    again = PlantedHousehold(stack, first.film_id)
    values = {"email": first.email, "password": "another password", "country": "US"}
    session = stack.graphql(SIGN_UP, {"input": values}).data["signUp"]["session"]
    selected = stack.graphql(
        SELECT_PROFILE,
        {"input": {"profileId": session["account"]["profiles"][0]["id"]}},
        token=session["accessToken"],
    ).data["selectProfile"]["session"]
    again.token = selected["accessToken"]
    seen = again.ask(
        """{ viewer { account { profiles { name } } profile { myList { edges { node { id } } }
             history { edges { node { __typename } } } } } }"""
    )
    assert [profile["name"] for profile in seen["viewer"]["account"]["profiles"]] == ["Me"]
    assert seen["viewer"]["profile"]["myList"]["edges"] == []
    assert seen["viewer"]["profile"]["history"]["edges"] == []


def test_an_erasure_that_is_killed_is_finished(
    households: tuple[PlantedHousehold, PlantedHousehold], stack: RunningStack
) -> None:
    """Killed again and again while it runs, profiles goes on where it was until nothing is left."""
    _, second = households
    erasure_id = second.erase()
    for pause_s in (0.05, 1.5):
        time.sleep(pause_s)
        os.kill(listener_pid(stack.state_dir, stack.ports["PROFILES"]), signal.SIGKILL)
        _wait_until_back(stack)
    wait_for_certificate(stack, erasure_id)
    left = find_everywhere(stack, second.own_canaries)
    assert left == [], left


def test_every_key_prefix_is_registered(
    stack: RunningStack, households: tuple[PlantedHousehold, PlantedHousehold]
) -> None:
    """What lies in Valkey after all this is in the registry of personal data."""
    from tests.contracts.test_personal_data import registered_prefixes

    known = registered_prefixes()
    assert {prefix for prefix in key_prefixes(valkey_url(stack)) if prefix not in known} == set()


def _wait_until_back(stack: RunningStack) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            if stack.client.get(f"http://127.0.0.1:{stack.ports['PROFILES']}/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)
