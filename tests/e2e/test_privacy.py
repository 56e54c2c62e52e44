"""Everything of an account is handed out, and everything is erased: planted values are looked for in all that is kept."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.support.canaries import Canary, find_in_files, find_in_valkey, key_prefixes
from tests.support.devices import TV
from tests.support.running_stack import RunningStack, listener_pid
from tests.support.viewers import LOG_IN, SELECT_PROFILE, SIGN_UP

PASSWORD = "four quiet otters"
DEADLINE_S = 60.0

EXPORT = """{ viewer { account { exports { id state partCount sha256 sizeBytes problem expiresAt } } } }"""
PART = """query($number: Int!) { viewer { account { exports { id part(number: $number) } } } }"""
CERTIFICATE = """query($id: ID!) { erasureCertificate(id: $id) { id state finishedAt places { place recordCount } } }"""
ERASE = """mutation($password: String!) { eraseAccount(password: $password) { __typename
  ... on EraseAccountSuccess { erasure { id state beginsAt } } ... on InvalidCredentials { message } } }"""


@dataclass
class Household:
    """An account with something of everything that can be kept of one."""

    stack: RunningStack
    film_id: str
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    canaries: list[Canary] = field(default_factory=list)
    account_token: str = ""
    token: str = ""
    email: str = ""

    def ask(self, operation: str, token: str | None = None, **variables: Any) -> Any:
        return self.stack.graphql(operation, variables, token=token or self.token).data

    def plant(self, name: str, text: str, *, is_exported: bool = True, number: float | None = None) -> str:
        self.canaries.append(Canary(name, text, is_exported=is_exported, number=number))
        return text

    def change(self, mutation: str, **variables: Any) -> Any:
        """A mutation with one field, which must succeed."""
        [result] = self.ask(mutation, **variables).values()
        assert "Success" in result["__typename"] or result["__typename"] == "HistoryChanged", result
        return result

    def settle_in(self) -> None:
        """Sign up, name things, and use every feature once."""
        self._sign_up()
        self._name_profiles()
        self._have_opinions()
        self._look_around()
        self._watch()

    def _sign_up(self) -> None:
        self.email = self.plant("e-mail", f"{self.mark}.first@canary.example")
        device = {
            "id": self.plant("device's own id", f"{self.mark}-device-id", is_exported=False),
            "name": self.plant("device name", f"{self.mark} parlour telly"),
            "formFactor": "TV",
        }
        values = {
            "email": self.email,
            "password": self.plant("password", f"{self.mark} {PASSWORD}", is_exported=False),
            "country": "US",
            "plan": "PREMIUM",
            "profileName": self.plant("first profile", f"{self.mark} Hazel"),
        }
        session = self.stack.graphql(SIGN_UP, {"input": values}).data["signUp"]["session"]
        self.plant("first refresh token", session["refreshToken"], is_exported=False)
        log_in = {"email": self.email, "password": values["password"], "deviceName": device["name"]}
        session = self.stack.graphql(LOG_IN, {"input": {**log_in, "device": device}}).data["logIn"]["session"]
        self.plant("refresh token", session["refreshToken"], is_exported=False)
        self.account_token = session["accessToken"]
        account = session["account"]
        self.plant("account id", account["id"])
        self.plant("first profile's id", account["profiles"][0]["id"])
        selected = self.stack.graphql(
            SELECT_PROFILE, {"input": {"profileId": account["profiles"][0]["id"]}}, token=self.account_token
        ).data["selectProfile"]["session"]
        self.plant("selected refresh token", selected["refreshToken"], is_exported=False)
        self.plant("access token", selected["accessToken"], is_exported=False)
        self.token = selected["accessToken"]

    def _name_profiles(self) -> None:
        create = """mutation($input: CreateProfileInput!) { createProfile(input: $input) { __typename
          ... on CreateProfileSuccess { profile { id } } } }"""
        for name, is_kids in (("Juniper", False), ("Pip", True)):
            given = {"name": self.plant(f"profile {name}", f"{self.mark} {name}"), "isKids": is_kids}
            profile = self.change(create, input=given)["profile"]
            self.plant(f"id of {name}", profile["id"])
        pin = """mutation($input: SetPinInput!) { setPin(input: $input) { __typename } }"""
        self.change(pin, input={"profileId": profile["id"], "pin": "7391", "password": f"{self.mark} {PASSWORD}"})
        preferences = """mutation($input: SetPreferencesInput!) { setPreferences(input: $input) { __typename } }"""
        self.change(preferences, input={"audioLanguages": ["fi", "is", "mt"]})
        self.plant("audio languages", '"fi","is","mt"')
        consents = self.ask("{ viewer { account { consents { purpose textVersion } } } }")["viewer"]["account"]
        consent = """mutation($input: SetConsentInput!) { setConsent(input: $input) { __typename } }"""
        for each in consents["consents"]:
            agreed = {"purpose": each["purpose"], "granted": True, "textVersion": each["textVersion"]}
            self.change(consent, input=agreed)
        self.change("mutation($card: String!) { addPaymentMethod(token: $card) { __typename } }", card="sim_amex_8431")
        change_mail = (
            """mutation($input: RequestEmailChangeInput!) { requestEmailChange(input: $input) { __typename } }"""
        )
        wanted = self.plant("wanted e-mail", f"{self.mark}.second@canary.example")
        self.ask(change_mail, input={"email": wanted, "password": f"{self.mark} {PASSWORD}"})

    def _have_opinions(self) -> None:
        titles = self.ask("{ titles(first: 12, filter: {kind: MOVIE}) { edges { node { id } } } }")["titles"]["edges"]
        ids = [edge["node"]["id"] for edge in titles]
        for each in ids[:3]:
            self.change("mutation($id: ID!) { addToMyList(titleId: $id) { __typename } }", id=each)
        for each in ids[3:5]:
            self.change("mutation($id: ID!) { rateTitle(titleId: $id, stars: 4) { __typename } }", id=each)
        self.change("mutation($id: ID!) { setThumb(titleId: $id, thumb: UP) { __typename } }", id=ids[5])
        feedback = """mutation($input: FeedbackInput!) { sendFeedback(input: $input) { __typename } }"""
        self.change(feedback, input={"titleId": ids[6], "kind": "NOT_INTERESTED"})

    def _look_around(self) -> None:
        for word in ("zanzibar", "quokka", "marmalade"):
            text = self.plant(f"search {word}", f"{word} {self.mark}", is_exported=False)
            self.ask("query($text: String!) { search(query: $text) { totalCount } }", text=text)
        self.stack.operation("tv/home", {"device": TV}, token=self.token)

    def _watch(self) -> None:
        device = {"id": f"{self.mark}-player", "formFactor": "TV", "supportsClearKey": True}
        self.plant("player's id", device["id"])
        variables = {"input": {"titleId": self.film_id, "device": device}}
        started = self.stack.operation("shared/start_playback", variables, token=self.token).data["startPlayback"]
        assert started["__typename"] == "StartPlaybackSuccess", started
        session = started["session"]
        self.plant("playback session", session["id"])
        self.plant("playback token", session["playbackToken"], is_exported=False)
        position = 11.0 + int(self.mark[:6], 16) / 2**26
        self.plant("position", repr(position), number=position)
        beat = """mutation($input: HeartbeatInput!) { heartbeat(input: $input) { __typename } }"""
        self.change(beat, input={"sessionId": session["id"], "positionSeconds": position, "sequence": 1})
        report = f'CMCD=sid="{session["id"]}",cid="{self.plant("player report", self.mark + "-content")}",v=1'
        manifest = session["manifests"][0]["url"]
        self.stack.client.get(manifest, params=None, headers={"CMCD-Session": report.removeprefix("CMCD=")})
        download = """mutation($input: AuthoriseDownloadInput!) { authoriseDownload(input: $input) { __typename } }"""
        self.ask(
            download, input={"titleId": self.film_id, "deviceId": self.plant("download device", f"{self.mark}-dl")}
        )

    def export(self) -> str:
        """The whole text, put together from its parts, with its digest checked."""
        self.change("mutation { requestAccountExport { __typename } }")
        deadline = time.monotonic() + DEADLINE_S
        while True:
            [export] = self.ask(EXPORT)["viewer"]["account"]["exports"]
            if export["state"] == "DONE":
                break
            assert export["state"] == "WAITING", export
            assert time.monotonic() < deadline, export
            time.sleep(0.2)
        parts = [
            self.ask(PART, number=number)["viewer"]["account"]["exports"][0]["part"]
            for number in range(export["partCount"])
        ]
        text = "".join(parts)
        assert hashlib.sha256(text.encode()).hexdigest() == export["sha256"]
        assert len(text.encode()) == export["sizeBytes"]
        return text

    def erase(self) -> str:
        """Ask for it; the certificate's id."""
        wrong = self.ask(ERASE, password="something else")["eraseAccount"]
        assert wrong["__typename"] == "InvalidCredentials"
        asked = self.ask(ERASE, password=f"{self.mark} {PASSWORD}")["eraseAccount"]
        assert asked["__typename"] == "EraseAccountSuccess", asked
        erasure_id: str = asked["erasure"]["id"]
        return erasure_id


def wait_for_certificate(stack: RunningStack, erasure_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        certificate: dict[str, Any] = stack.graphql(CERTIFICATE, {"id": erasure_id}).data["erasureCertificate"]
        if certificate["state"] == "DONE":
            return certificate
        assert time.monotonic() < deadline, f"{certificate}\n{stack.logs()}"
        time.sleep(0.2)


def valkey_url(stack: RunningStack) -> str:
    password = (stack.state_dir / "keys" / "valkey.password").read_text().strip()
    return f"redis://:{password}@127.0.0.1:{stack.ports['STACK_VALKEY']}/0"


def find_everywhere(stack: RunningStack, canaries: list[Canary]) -> list[str]:
    return find_in_files(stack.state_dir, canaries) + find_in_valkey(valkey_url(stack), canaries)


@pytest.fixture(scope="module")
def households(stack: RunningStack, film: dict[str, Any]) -> tuple[Household, Household]:
    first, second = Household(stack, film["id"]), Household(stack, film["id"])
    first.settle_in()
    second.settle_in()
    # What happened is told by events: time for them to arrive everywhere.
    deadline = time.monotonic() + DEADLINE_S
    profile_id = next(canary for canary in first.canaries if canary.name == "first profile's id")
    while not any("marquee:taste" in place for place in find_in_valkey(valkey_url(stack), [profile_id])):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return first, second


def test_forty_values_are_planted_and_kept(households: tuple[Household, Household], stack: RunningStack) -> None:
    """The search finds what is there: else it would find nothing afterwards, whatever was left."""
    first, second = households
    assert len(first.canaries) + len(second.canaries) >= 40
    found = {place.split(" in ")[0] for place in find_everywhere(stack, first.canaries)}
    never_kept = {"password", "refresh token", "first refresh token", "selected refresh token", "access token"}
    assert {"e-mail", "device name", "position", "search quokka", "player's id", "playback session"} <= found
    assert not found & never_kept


def test_an_export_has_everything_of_the_account_and_nothing_of_another(
    households: tuple[Household, Household],
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
    missing = [canary.name for canary in first.canaries if canary.is_exported and canary.text not in text]
    shown = [canary.name for canary in first.canaries if not canary.is_exported and canary.text in text]
    foreign = [canary.name for canary in second.canaries if canary.text in text and "fi" not in canary.text]
    assert {"missing": missing, "shown": shown, "foreign": foreign} == {"missing": [], "shown": [], "foreign": []}, (
        missing,
        shown,
        foreign,
    )


def test_nobody_else_can_fetch_an_export(households: tuple[Household, Household], stack: RunningStack) -> None:
    """An anonymous visitor has no account to ask, and a kids profile may not manage the account."""
    first, _ = households
    assert stack.graphql(EXPORT).data["viewer"] is None
    kids = next(canary.text for canary in first.canaries if canary.name == "id of Pip")
    chosen = stack.graphql(
        SELECT_PROFILE, {"input": {"profileId": kids, "pin": "7391"}}, token=first.account_token
    ).data["selectProfile"]
    assert chosen["__typename"] == "SelectProfileSuccess", chosen
    token = chosen["session"]["accessToken"]
    assert stack.graphql(EXPORT, token=token).data["viewer"]["account"]["exports"] is None
    refused = stack.graphql("mutation { requestAccountExport { __typename } }", token=token).data
    assert refused["requestAccountExport"]["__typename"] == "NotPermitted"


def test_an_erasure_leaves_nothing_anywhere(households: tuple[Household, Household], stack: RunningStack) -> None:
    """Not in a database, its log or free pages, not in a key, a stream, an index, an object, a mail or a log line."""
    first, second = households
    certificate = wait_for_certificate(stack, first.erase())

    places = {place["place"].split("/", 1)[0] for place in certificate["places"]}
    assert {"profiles", "playback", "recommendations"} <= places
    left = [place for place in find_everywhere(stack, first.canaries) if "audio languages" not in place]
    assert left == [], left
    assert stack.graphql("{ viewer { account { id } } }", token=first.token).data["viewer"] is None
    # The neighbours have everything as it was.
    found = {place.split(" in ")[0] for place in find_everywhere(stack, second.canaries)}
    assert {"e-mail", "device name", "position", "playback session"} <= found
    assert second.ask("{ viewer { account { email } } }")["viewer"]["account"]["email"] == second.email

    again = Household(stack, first.film_id)
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


def test_an_erasure_that_is_killed_is_finished(households: tuple[Household, Household], stack: RunningStack) -> None:
    """Killed again and again while it runs, profiles goes on where it was until nothing is left."""
    _, second = households
    erasure_id = second.erase()
    for pause_s in (0.05, 1.5):
        time.sleep(pause_s)
        os.kill(listener_pid(stack.state_dir, stack.ports["PROFILES"]), signal.SIGKILL)
        _wait_until_back(stack)
    wait_for_certificate(stack, erasure_id)
    left = [place for place in find_everywhere(stack, second.canaries) if "audio languages" not in place]
    assert left == [], left


def test_every_key_prefix_is_registered(stack: RunningStack, households: tuple[Household, Household]) -> None:
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
