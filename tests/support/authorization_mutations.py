"""What each mutation is sent to see who may: the owner's things, and words that change nothing where they need not.

Rights come before everything else, so a wrong password or an old revision shows that somebody was let in. What would
be gone after the first try is made anew for each.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stack.authorization_table import ViewerKind
from tests.support.authorization_targets import missing_id
from tests.support.households import Households, add_profile, log_in, watch
from tests.support.viewers import PASSWORD
from tests.support.whole_graph import WholeGraph

__all__ = ["MutationTarget", "mutation_targets"]

Arguments = Callable[[ViewerKind], Awaitable[Mapping[str, Any]]]
WRONG_PASSWORD = "not the password"  # that is the point


@dataclass(frozen=True)
class MutationTarget:
    """A mutation; `arguments` are made for each try, `missing` names something that does not exist instead."""

    field: str
    arguments: Arguments
    missing: Mapping[str, Any] | None = None


class _Owner:
    """Makes what the owner has, again and again."""

    def __init__(self, graph: WholeGraph, households: Households) -> None:
        self._graph = graph
        self._households = households
        self._numbers = itertools.count(1)
        self._spare_profile: str | None = None

    async def profile(self, _kind: ViewerKind) -> str:
        """A profile of the household that may be deleted, in the place of the one before."""
        if self._spare_profile is not None:
            text = "mutation Delete($id: ID!) { deleteProfile(id: $id) { __typename } }"
            await self._graph.ask(text, {"id": self._spare_profile}, token=self._households.owner.token)
        self._spare_profile = await add_profile(self._graph, self._households.owner, "Spare Planted")
        return self._spare_profile

    async def device(self, _kind: ViewerKind) -> str:
        """A device of the household on which nobody of the table is signed in."""
        name = f"Device {next(self._numbers)}"
        await log_in(self._graph, self._households.owner.email, device=name, device_id=name)
        text = "{ viewer { account { devices(first: 50) { edges { node { id name } } } } } }"
        devices = (await self._graph.ask(text, token=self._households.owner.token)).data["viewer"]["account"]["devices"]
        return next(str(edge["node"]["id"]) for edge in devices["edges"] if edge["node"]["name"] == name)

    async def download(self, _kind: ViewerKind) -> str:
        """A download of the owner's profile."""
        text = """mutation Take($input: AuthoriseDownloadInput!) { authoriseDownload(input: $input) { __typename
          ... on DownloadSuccess { download { id } } ... on DownloadRefused { reason message } } }"""
        variables = {"input": {"titleId": self._graph.catalogue.film, "deviceId": "planted-tablet"}}
        taken = (await self._graph.ask(text, variables, token=self._households.owner.token)).data["authoriseDownload"]
        assert taken["__typename"] == "DownloadSuccess", taken
        return str(taken["download"]["id"])

    async def payment(self) -> str:
        """The owner's first payment; an id of that form when there is none."""
        text = "{ viewer { account { payments(first: 1) { edges { node { id } } } } } }"
        payments = (await self._graph.ask(text, token=self._households.owner.token)).data["viewer"]["account"]
        edges = payments["payments"]["edges"]
        return str(edges[0]["node"]["id"]) if edges else missing_id("pay_")

    async def new_email(self, _kind: ViewerKind) -> str:
        """Nobody's yet."""
        return f"new{next(self._numbers)}@elsewhere.example"


async def mutation_targets(graph: WholeGraph, households: Households) -> list[MutationTarget]:
    """Every mutation but logOut, which ends the session that it is sent from."""
    owner = _Owner(graph, households)
    stopped = await watch(graph, households.owner, graph.catalogue.rich_film, 60, device="phone")
    return [
        *_title_targets(graph.catalogue.adult_film),
        *_playing_targets(graph, households, owner, stopped),
        *_household_targets(households, owner),
        *_account_targets(owner, await owner.payment()),
        *_studio_targets(graph),
    ]


def _title_targets(title_id: str) -> list[MutationTarget]:
    by_id = [
        "addToMyList",
        "removeFromMyList",
        "hideFromHistory",
        "restoreToHistory",
        "removeFromContinueWatching",
        "restoreToContinueWatching",
    ]
    missing = missing_id(title_id)
    return [
        *(_same(name, {"titleId": title_id}, {"titleId": missing}) for name in by_id),
        _same("rateTitle", {"titleId": title_id, "stars": 4}, {"titleId": missing, "stars": 4}),
        _same("setThumb", {"titleId": title_id, "thumb": "UP"}, {"titleId": missing, "thumb": "UP"}),
        _same(
            "reportInteractions",
            {"interactions": [{"titleId": title_id, "kind": "SHOWN", "tracking": "t"}]},
            {"interactions": [{"titleId": missing, "kind": "SHOWN", "tracking": "t"}]},
        ),
        # To nobody but its viewer a page is there, and none is in this form: to everybody it has expired.
        _same("refreshPage", {"pageId": missing_id("page_"), "revision": "0" * 24}),
        _same("saveOnboardingPicks", {"titleIds": [title_id]}, {"titleIds": [missing]}),
    ]


def _playing_targets(graph: WholeGraph, households: Households, owner: _Owner, stopped_id: str) -> list[MutationTarget]:
    title_id, device = graph.catalogue.adult_film, {"id": "tv", "formFactor": "TV"}
    place = {"positionSeconds": 60.0, "sequence": 9}
    missing_session = missing_id(households.session_id)
    tablet = {"deviceId": "planted-tablet"}

    async def download_input(kind: ViewerKind) -> Mapping[str, Any]:
        return {"input": {"downloadId": await owner.download(kind), **tablet}}

    async def download_id(kind: ViewerKind) -> Mapping[str, Any]:
        return {"downloadId": await owner.download(kind)}

    no_download = missing_id("dl_")
    return [
        _same_input(
            "startPlayback",
            {"titleId": title_id, "device": device},
            {"titleId": missing_id(title_id), "device": device},
        ),
        _same_input(
            "heartbeat", {"sessionId": households.session_id, **place}, {"sessionId": missing_session, **place}
        ),
        _same_input("stopPlayback", {"sessionId": stopped_id, **place}, {"sessionId": missing_session, **place}),
        _same_input("authoriseDownload", {"titleId": title_id, **tablet}, {"titleId": missing_id(title_id), **tablet}),
        MutationTarget("renewDownload", download_input, {"input": {"downloadId": no_download, **tablet}}),
        MutationTarget("completeDownload", download_input, {"input": {"downloadId": no_download, **tablet}}),
        MutationTarget("deleteDownload", download_id, {"downloadId": no_download}),
        _same("removeDownloadDevice", {"deviceId": "planted-reader"}),
    ]


def _household_targets(households: Households, owner: _Owner) -> list[MutationTarget]:
    profile_id = households.by_kind[ViewerKind.OTHER_PROFILE].profile_id  # type: ignore[union-attr]  # signed in
    missing = missing_id(profile_id)

    async def spare(kind: ViewerKind) -> Mapping[str, Any]:
        return {"id": await owner.profile(kind)}

    async def device(kind: ViewerKind) -> Mapping[str, Any]:
        return {"id": await owner.device(kind)}

    async def named_device(kind: ViewerKind) -> Mapping[str, Any]:
        return {"id": await owner.device(kind), "name": "Renamed"}

    pin = {"pin": "1234", "password": WRONG_PASSWORD}
    return [
        _same_input("selectProfile", {"profileId": profile_id}, {"profileId": missing}),
        # A name of blanks only: who may add a profile hears that it can't be.
        _same_input("createProfile", {"name": " "}),
        _same_input("updateProfile", {"id": profile_id, "name": "Partner"}, {"id": missing, "name": "Partner"}),
        MutationTarget("deleteProfile", spare, {"id": missing}),
        _same_input("setPin", {"profileId": profile_id, **pin}, {"profileId": missing, **pin}),
        _same_input("setPreferences", {"profileId": profile_id}, {"profileId": missing}),
        MutationTarget("renameDevice", named_device, {"id": missing_id("dev_"), "name": "Renamed"}),
        MutationTarget("removeDevice", device, {"id": missing_id("dev_")}),
    ]


def _account_targets(owner: _Owner, payment_id: str) -> list[MutationTarget]:
    async def newcomer(kind: ViewerKind) -> Mapping[str, Any]:
        return {"input": {"email": await owner.new_email(kind), "password": PASSWORD, "country": "US"}}

    consent = {"purpose": "MARKETING", "granted": False, "textVersion": 1, "source": "SETTINGS"}
    return [
        MutationTarget("signUp", newcomer),
        _same_input("logIn", {"email": "hilda.owner@planted.example", "password": WRONG_PASSWORD}),
        _same_input("refreshSession", {"refreshToken": "nobody's"}),
        _same_input("changePassword", {"currentPassword": WRONG_PASSWORD, "newPassword": "correct horse battery"}),
        _same("requestPasswordReset", {"email": "hilda.owner@planted.example"}),
        _same_input("resetPassword", {"code": "nobody's", "newPassword": "correct horse battery"}),
        _same_input("requestEmailChange", {"password": WRONG_PASSWORD, "email": "elsewhere@planted.example"}),
        _same("confirmEmailChange", {"code": "nobody's"}),
        _same_input("setConsent", consent),
        _same("setMutedMails", {"muted": []}),
        _same("markNotificationsRead", {}),
        _same("addPaymentMethod", {"token": "no token of the provider's"}),
        _same("subscribe", {"plan": "PREMIUM"}),
        _same("changePlan", {"plan": "PREMIUM"}),
        _same("cancelSubscription", {}),
        _same("resumeSubscription", {}),
        _same("retryPayment", {}),
        _same("refundPayment", {"paymentId": payment_id}, {"paymentId": missing_id(payment_id)}),
        _same("requestAccountExport", {}),
        _same("eraseAccount", {"password": WRONG_PASSWORD}),
        _same("cancelErasure", {}),
    ]


def _studio_targets(graph: WholeGraph) -> list[MutationTarget]:
    """On the last of the planted films, with a revision that it does not have."""
    title = graph.catalogue.titles[-4]
    on_title = {"titleId": title.id, "revision": 999}
    person_id, season = title.credits[0].person.id, graph.catalogue.seasons[-1]
    return [
        _same_input("createTitle", {"displayName": " "}),
        _same_input("saveCollection", {"heading": " ", "titleIds": [title.id]}),
        _same("removeCollection", {"id": missing_id("col_")}),
        _same_input("saveExperiment", {"id": "x", "description": " ", "arms": [], "traffic": 0, "primaryMetric": ""}),
        _same("startExperiment", {"id": "missing"}),
        _same("stopExperiment", {"id": "missing"}),
        _same("removeExperiment", {"id": "missing"}),
        _same("chooseExperimentArm", {"id": "missing", "arm": "control"}),
        _same_input("updateTitle", {"id": title.id, "revision": 999, "synopsis": "Changed."}),
        _same("withdrawTitle", {"id": missing_id(title.id)}),
        _same("restoreTitle", {"id": missing_id(title.id)}),
        _same_input("setWindows", {**on_title, "windows": []}),
        _same_input("blockCountries", {**on_title, "countries": ["DE"]}),
        _same_input("unblockCountries", {**on_title, "countries": ["DE"]}),
        _same_input("setCertificates", {**on_title, "certificates": [], "isKids": False}),
        _same_input("setMarkers", {**on_title, "markers": []}),
        _same_input("setArtworkWeights", {**on_title, "weights": []}),
        _same_input("setCredits", {**on_title, "credits": []}),
        _same_input("renamePerson", {"id": missing_id(person_id), "displayName": "Renamed"}),
        _same_input("mergePeople", {"mergedId": missing_id(person_id), "intoId": person_id}),
        _same_input("createSeason", {"seriesId": season.series_id, "number": 1, "displayName": " "}),
        _same_input("updateSeason", {"id": season.id, "number": 0, "displayName": " "}),
        _same_input("createEpisode", {"seasonId": season.id, "number": 0, "displayName": " "}),
        _same_input("createVideo", {"of": title.id, "kind": "TRAILER", "displayName": " "}),
    ]


def _same(field: str, arguments: Mapping[str, Any], missing: Mapping[str, Any] | None = None) -> MutationTarget:
    async def always(_kind: ViewerKind) -> Mapping[str, Any]:
        return arguments

    return MutationTarget(field, always, missing)


def _same_input(field: str, values: Mapping[str, Any], missing: Mapping[str, Any] | None = None) -> MutationTarget:
    return _same(field, {"input": values}, None if missing is None else {"input": missing})
