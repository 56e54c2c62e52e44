"""An account with something of everything that can be kept of one: each value is planted, to be looked for later."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.canaries import Canary
from tests.support.devices import TV
from tests.support.running_stack import RunningStack
from tests.support.viewers import LOG_IN, SELECT_PROFILE, SIGN_UP

__all__ = ["DEADLINE_S", "EXPORT", "PlantedHousehold", "settled_households", "wait_for_certificate"]

PASSWORD = "four quiet otters"
DEADLINE_S = 60.0

EXPORT = """{ viewer { account { exports { id state partCount sha256 sizeBytes problem expiresAt } } } }"""
PART = """query($number: Int!) { viewer { account { exports { id part(number: $number) } } } }"""
CERTIFICATE = """query($id: ID!) { erasureCertificate(id: $id) { id state finishedAt places { place recordCount } } }"""
SHARED = frozenset({"audio languages"})
"""Canaries that say which of the few languages there are: unlike others, but not of this household only."""
ERASE = """mutation($password: String!) { eraseAccount(password: $password) { __typename
  ... on EraseAccountSuccess { erasure { id state beginsAt } } ... on InvalidCredentials { message } } }"""


@dataclass
class PlantedHousehold:
    """The account. Plant by `settle_in`; then ask for its copy, or its end."""

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

    @property
    def own_canaries(self) -> list[Canary]:
        """Those that no other household has planted as well."""
        return [canary for canary in self.canaries if canary.name not in SHARED]

    def planted(self, name: str) -> str:
        """The text of a canary."""
        return next(canary.text for canary in self.canaries if canary.name == name)

    def faults_of_export(self, text: str, neighbour: PlantedHousehold) -> dict[str, list[str]]:
        """What is not in the account's copy, which secrets are, and what of its neighbour is; of each nothing is right."""
        return {
            "missing": [each.name for each in self.canaries if each.is_exported and each.text not in text],
            "shown": [each.name for each in self.canaries if not each.is_exported and each.text in text],
            "foreign": [each.name for each in neighbour.own_canaries if each.text in text],
        }

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
        picks = "mutation($ids: [ID!]!) { saveOnboardingPicks(titleIds: $ids) { __typename } }"
        deadline = time.monotonic() + DEADLINE_S
        # The agreement of a moment ago comes to recommendations by an event.
        while self.ask(picks, ids=ids[6:8])["saveOnboardingPicks"]["__typename"] == "PersonalisationOff":
            assert time.monotonic() < deadline
            time.sleep(0.2)

    def _look_around(self) -> None:
        for word in ("zanzibar", "quokka", "marmalade"):
            text = self.plant(f"search {word}", f"{word} {self.mark}", is_exported=False)
            self.ask("query($text: String!) { search(query: $text) { totalCount } }", text=text)
        self.stack.operation("tv/home", {"device": TV}, token=self.token)

    def _watch(self) -> None:
        devices = self.ask("{ viewer { account { devices { edges { node { id } } } } } }")["viewer"]["account"][
            "devices"
        ]
        [known] = devices["edges"]
        self.plant("device", known["node"]["id"])
        device = {"id": f"{self.mark}-player", "formFactor": "TV", "supportsClearKey": True}
        # The token says which device plays; what the player calls itself is not kept.
        self.plant("player's id", device["id"], is_exported=False)
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


def settled_households(
    stack: RunningStack, film_id: str, find_taste: Callable[[Canary], bool]
) -> tuple[PlantedHousehold, PlantedHousehold]:
    """Two neighbours, once what the first one did has arrived by events where taste is kept."""
    first, second = PlantedHousehold(stack, film_id), PlantedHousehold(stack, film_id)
    first.settle_in()
    second.settle_in()
    deadline = time.monotonic() + DEADLINE_S
    profile_id = next(canary for canary in first.canaries if canary.name == "first profile's id")
    while not find_taste(profile_id):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return first, second
