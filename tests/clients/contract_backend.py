"""A small backend that answers the pages' operations by the contract, in memory, for one viewer.

It runs the real operation texts against the real contract schema, so an operation that does not fit the contract, or
a page that reads a field it did not ask for, fails here. It decides nothing by itself: tests say what it refuses.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLInterfaceType,
    GraphQLResolveInfo,
    GraphQLUnionType,
    OperationDefinitionNode,
    execute_sync,
    is_abstract_type,
)

from tests.clients.catalogue import Title, read_titles
from tests.clients.contract_pages import ContractPages, connection
from tests.clients.contract_schema import read_contract_schema, read_operation

PASSWORD = "popcorn-time"
PROFILES = [
    {"id": "prof_ada", "name": "Ada", "avatar": "amber", "isKids": False, "maturityLimit": 18, "language": "en"},
    {"id": "prof_grace", "name": "Grace", "avatar": "teal", "isKids": False, "maturityLimit": 18, "language": "en"},
    {"id": "prof_milo", "name": "Milo", "avatar": "sky", "isKids": True, "maturityLimit": 7, "language": "en"},
]
"""The demo's premium account."""


def _paged(items: list[Any], first_usual: int) -> Callable[..., dict[str, Any]]:
    def resolve(_info: object, first: int = first_usual, after: str | None = None, **_order: Any) -> dict[str, Any]:
        return connection(items, first, after)

    return resolve


@dataclass
class ContractBackend:
    """The state of one viewer, and what the tests want to go wrong."""

    media_url: str = ""
    sessions: dict[str, str | None] = field(default_factory=dict)
    """Access token → chosen profile id."""
    expired: set[str] = field(default_factory=set)
    refresh_tokens: set[str] = field(default_factory=set)
    my_list: list[str] = field(default_factory=list)
    thumbs: dict[str, str] = field(default_factory=dict)
    """Pages leave out what is NOT_INTERESTED."""
    positions: dict[str, float] = field(default_factory=dict)
    refusals: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Title id → the PlaybackRefused to answer."""
    pins: dict[str, str] = field(default_factory=dict)
    """Profile id → its PIN."""
    pin_tries: int = 5
    media: dict[str, Any] | None = None
    """What a playback session offers: manifests, licenceUrl, durationSeconds; None leaves it without manifests."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Every operation that came, with its variables."""
    heartbeat_refusal: str | None = None
    """What reports are answered with besides the position."""
    broken_fields: set[str] = field(default_factory=set)
    """Field names that fail with an error beside the data."""
    down: bool = False
    dismissed: set[str] = field(default_factory=set)
    """Title ids that are not offered to go on with."""
    is_new: bool = False
    """Whether the profile is asked what it likes."""
    picks: list[str] | None = None
    """What it said; None before it said anything."""
    interactions: list[dict[str, Any]] = field(default_factory=list)
    """What was reported as shown and opened."""

    def __post_init__(self) -> None:
        """Read the contract and the catalogue."""
        self.schema = read_contract_schema()
        self.titles = read_titles()
        self.pages = ContractPages(self)
        self._numbers = itertools.count(1)
        for title in self.titles.values():
            self._add_viewer_fields(title)
        for kind in self.schema.type_map.values():
            if is_abstract_type(kind):
                assert isinstance(kind, GraphQLInterfaceType | GraphQLUnionType)
                kind.resolve_type = lambda value, _info, _type: value["__typename"]
        self.profile_id: str | None = None

    # --- identity

    def open_session(self, profile_id: str | None = None) -> dict[str, Any]:
        number = next(self._numbers)
        access, refresh = f"access-{number}", f"refresh-{number}"
        self.sessions[access] = profile_id
        self.refresh_tokens.add(refresh)
        return {
            "accessToken": access,
            "accessTokenExpiresAt": "2030-01-01T00:00:00Z",
            "refreshToken": refresh,
            "account": self.account(),
            "profile": self._profile(profile_id),
        }

    def expire_access_tokens(self) -> None:
        self.expired |= set(self.sessions)

    def account(self) -> dict[str, Any]:
        return {
            "id": "acc_premium",
            "email": "premium@marquee.example",
            "country": "US",
            "plan": {"id": "PREMIUM", "displayName": "Premium", "maxHeightPx": 2160},
            "subscription": {"status": "ACTIVE"},
            "profiles": [{**one, "hasPin": one["id"] in self.pins} for one in PROFILES],
        }

    def _profile(self, profile_id: str | None) -> dict[str, Any] | None:
        found = next((one for one in PROFILES if one["id"] == profile_id), None)
        if found is None:
            return None
        has_pin = profile_id in self.pins
        return {**found, "hasPin": has_pin, "myList": _paged([self.titles[one] for one in reversed(self.my_list)], 20)}

    # --- titles

    def _add_viewer_fields(self, title: Title) -> None:
        title_id: str = title["id"]

        def progress(_info: object) -> dict[str, Any] | None:
            position = self.positions.get(title_id)
            if position is None:
                return None
            duration = title["durationSeconds"] or 1
            fraction = min(1.0, position / duration)
            return {
                "positionSeconds": int(position),
                "durationSeconds": duration,
                "fraction": fraction,
                "completed": fraction >= 0.9,
                "lastWatchedAt": "2026-01-01T00:00:00Z",
                "resumeTitle": None,
            }

        def can_play(_info: object) -> dict[str, Any]:
            if title_id in self.refusals:
                return {"allowed": False, "refusal": self.refusals[title_id]["reason"]}
            ready = title["mediaStatus"] == "READY" or title["kind"] == "SERIES"
            return {"allowed": ready, "refusal": None if ready else "NOT_READY"}

        def similar(_info: object, first: int = 12, after: str | None = None) -> dict[str, Any]:
            return connection(self._similar(title), first, after)

        title |= {
            "progress": progress,
            "canPlay": can_play,
            "inMyList": lambda _info: title_id in self.my_list,
            "thumb": lambda _info: self.thumbs.get(title_id),
            "similar": similar,
        }
        if title["kind"] == "SERIES":
            seasons = title["seasons"]
            for season in seasons:
                season["episodes"] = _paged(season["episodes"], 20)
            title["seasons"] = _paged(seasons, 10)

    def visible(self) -> list[Title]:
        """Films and series, those for kids when a kids profile watches."""
        kids = self.profile_id == "prof_milo"
        shown = [one for one in self.titles.values() if one["kind"] in {"MOVIE", "SERIES"}]
        return [one for one in shown if one["isKids"] or not kids]

    def _similar(self, title: Title) -> list[Title]:
        genres = {genre["id"] for genre in title["genres"]}
        return [one for one in self.visible() if one is not title and genres & {genre["id"] for genre in one["genres"]}]

    # --- requests

    def answer(self, authorization: str | None, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """HTTP status and GraphQL answer for one request."""
        document = read_operation(body["query"])
        operation = next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))
        assert operation.name is not None
        name = operation.name.value
        variables = body.get("variables") or {}
        self.calls.append((name, variables))
        if self.down:
            return 503, {"errors": [{"message": "the service is starting"}]}
        token = (authorization or "").removeprefix("Bearer ")
        if token and (token in self.expired or token not in self.sessions):
            extensions = {"code": "UNAUTHENTICATED", "reason": "expired"}
            return 401, {"errors": [{"message": "the token has expired", "extensions": extensions}]}
        self.profile_id = self.sessions.get(token)

        def break_fields(resolve: Any, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            if info.field_name in self.broken_fields:
                raise ValueError(f"{info.field_name} is not available")
            return resolve(source, info, **arguments)

        result = execute_sync(
            self.schema,
            document,
            root_value=self._roots(token),
            variable_values=variables,
            middleware=[break_fields] if self.broken_fields else None,
        )
        return 200, self._formatted(result)

    def _formatted(self, result: ExecutionResult) -> dict[str, Any]:
        formatted: dict[str, Any] = {"data": result.data}
        if result.errors:
            formatted["errors"] = [error.formatted for error in result.errors]
        return formatted

    def _roots(self, token: str) -> dict[str, Any]:
        return {
            "viewer": lambda _info: (
                {"account": self.account(), "profile": self._profile(self.profile_id)} if token else None
            ),
            "page": lambda _info, kind, device, genreId=None, **_ids: self.pages.page(kind, device, genreId),  # noqa: N803
            "section": self.pages.section,
            "refreshPage": self.pages.refresh,
            "reportInteractions": self._report,
            "title": lambda _info, id: self._find(id),  # noqa: A006
            "person": self._person,
            "genres": self._genres,
            "search": self._search,
            "searchSuggestions": self._suggest,
            "logIn": self._log_in,
            "logOut": lambda _info, everywhere=False: {"loggedOut": True},
            "refreshSession": self._refresh,
            "selectProfile": self._select_profile,
            "addToMyList": lambda _info, titleId: self._list(titleId, True),  # noqa: N803
            "removeFromMyList": lambda _info, titleId: self._list(titleId, False),  # noqa: N803
            "onboarding": lambda _info: {"isWanted": self.is_new, "titles": self._introductions, "picks": []},
            "saveOnboardingPicks": self._save_picks,
            "setThumb": self._set_thumb,
            "removeFromContinueWatching": self._dismiss,
            "startPlayback": self._start_playback,
            "heartbeat": self._heartbeat,
            "stopPlayback": self._stop_playback,
        }

    def _find(self, title_id: str) -> Title | None:
        title = self.titles.get(title_id)
        return title if title and (title["kind"] in {"EPISODE", "VIDEO"} or title in self.visible()) else None

    def _matching(self, query: str, filter: dict[str, Any] | None = None) -> list[Title]:
        wanted, chosen = query.lower(), filter or {}
        return [
            one
            for one in self.visible()
            if wanted in one["displayName"].lower()
            and chosen.get("kind") in {None, one["kind"]}
            and chosen.get("decade") in {None, one["releaseYear"] // 10 * 10}
            and (chosen.get("genreId") is None or chosen["genreId"] in {genre["id"] for genre in one["genres"]})
        ]

    def _search(
        self,
        _info: object,
        query: str,
        sort: str = "RELEVANCE",
        first: int = 20,
        after: str | None = None,
        filter: dict[str, Any] | None = None,
    ) -> Any:
        found = self._matching(query, filter)
        if sort == "RELEASE_YEAR":
            found.sort(key=lambda one: -int(one["releaseYear"]))
        genres = {genre["id"]: genre for one in found for genre in one["genres"]}
        facets = {
            "kinds": [
                {"kind": kind, "titleCount": number} for kind, number in Counter(one["kind"] for one in found).items()
            ],
            "genres": [{"genre": genre, "titleCount": 1} for genre in genres.values()],
            "decades": [
                {"decade": decade, "titleCount": number}
                for decade, number in Counter(one["releaseYear"] // 10 * 10 for one in found).items()
            ],
        }
        page = connection(found, first, after)
        for edge in page["edges"]:
            edge["tracking"] = f"search.{query}.{found.index(edge['node']) + 1}"
        return {**page, "facets": facets}

    def _genres(self, _info: object) -> list[dict[str, str]]:
        found = {genre["id"]: genre for one in self.visible() for genre in one["genres"]}
        return sorted(found.values(), key=lambda genre: genre["displayName"])

    def _suggest(self, _info: object, query: str, first: int = 5) -> Any:
        titles = [{"text": one["displayName"], "kind": "TITLE", "title": one} for one in self._matching(query)]
        genres = [
            {"text": one["displayName"], "kind": "GENRE", "genre": one}
            for one in self._genres(None)
            if one["displayName"].lower().startswith(query.lower())
        ]
        people = {
            credit["person"]["id"]: credit["person"]
            for title in self.visible()
            for credit in title["credits"](None, "CAST")
            if query.lower() in credit["person"]["displayName"].lower()
        }
        persons = [{"text": one["displayName"], "kind": "PERSON", "person": one} for one in people.values()]
        return [*titles, *persons[:2], *genres[:1]][:first]

    def _log_in(self, _info: object, input: dict[str, Any]) -> dict[str, Any]:
        if input["password"] != PASSWORD:
            return {"__typename": "InvalidCredentials", "message": "wrong e-mail or password"}
        return {"__typename": "LogInSuccess", "session": self.open_session()}

    def _refresh(self, _info: object, input: dict[str, Any]) -> dict[str, Any]:
        if input["refreshToken"] not in self.refresh_tokens:
            return {"__typename": "InvalidRefreshToken", "message": "this refresh token was used before"}
        self.refresh_tokens.discard(input["refreshToken"])
        return {"__typename": "RefreshSessionSuccess", "session": self.open_session("prof_ada")}

    def _select_profile(self, _info: object, input: dict[str, Any]) -> dict[str, Any]:
        if self._profile(input["profileId"]) is None:
            return {"__typename": "ProfileNotFound", "message": "no such profile", "profileId": input["profileId"]}
        pin = self.pins.get(input["profileId"])
        if pin is not None and pin != input.get("pin"):
            return self._pin_refusal(input["profileId"], given=input.get("pin"))
        return {"__typename": "SelectProfileSuccess", "session": self.open_session(input["profileId"])}

    def _pin_refusal(self, profile_id: str, given: str | None) -> dict[str, Any]:
        refusal = {"profileId": profile_id, "message": "refused"}
        if given is None:
            return {**refusal, "__typename": "PinRequired"}
        self.pin_tries -= 1
        if self.pin_tries < 1:
            return {**refusal, "__typename": "PinLocked", "retryAfterSeconds": 900}
        return {**refusal, "__typename": "PinIncorrect", "triesLeft": self.pin_tries}

    def _person(self, _info: object, id: str) -> dict[str, Any] | None:
        def credits_of(title: Title) -> list[dict[str, Any]]:
            return [*title["credits"](None, "CAST"), *title["credits"](None, "DIRECTOR")]

        worked_on = {
            one["id"]: credit["person"]
            for one in self.visible()
            for credit in credits_of(one)
            if credit["person"]["id"] == id
        }
        if not worked_on:
            return None
        titles = [self.titles[title_id] for title_id in worked_on]
        return {**next(iter(worked_on.values())), "titles": _paged(titles, 20)}

    def _list(self, title_id: str, listed: bool) -> dict[str, Any]:
        self.my_list = [one for one in self.my_list if one != title_id] + ([title_id] if listed else [])
        return {
            "__typename": "MyListSuccess",
            "title": self.titles[title_id],
            "profile": self._profile(self.profile_id),
        }

    def _introductions(self, _info: object, first: int = 20) -> list[Title]:
        return self.visible()[:first]

    def _save_picks(self, _info: object, titleIds: list[str]) -> dict[str, Any]:  # noqa: N803
        self.picks = titleIds
        self.is_new = False
        return {"__typename": "SaveOnboardingPicksSuccess", "onboarding": {"isWanted": False}}

    def _set_thumb(self, _info: object, titleId: str, thumb: str | None = None) -> dict[str, Any]:  # noqa: N803
        if thumb is None:
            self.thumbs.pop(titleId, None)
        else:
            self.thumbs[titleId] = thumb
        return {"__typename": "SetThumbSuccess", "title": self.titles[titleId]}

    def _dismiss(self, _info: object, titleId: str) -> dict[str, Any]:  # noqa: N803
        self.dismissed.add(titleId)
        return {"__typename": "HistoryChanged", "title": self.titles[titleId]}

    def _report(self, _info: object, interactions: list[dict[str, Any]]) -> dict[str, Any]:
        self.interactions += interactions
        return {"__typename": "ReportInteractionsSuccess", "takenCount": len(interactions)}

    # --- playback

    def _start_playback(self, _info: object, input: dict[str, Any]) -> dict[str, Any]:
        title = self.titles[input["titleId"]]
        if title["id"] in self.refusals:
            return {"__typename": "PlaybackRefused", "message": "refused", **self.refusals[title["id"]]}
        offered = self.media or {"manifests": [], "licenceUrl": None, "durationSeconds": 60.0}
        position = 0.0 if input["startOver"] else self.positions.get(title["id"], 0.0)
        session = {
            "id": f"pbs_{title['id']}",
            "title": title,
            "startedAt": "2026-01-01T00:00:00Z",
            "playbackToken": "playback-token",
            "steeringUrl": None,
            "resumePositionSeconds": position,
            "maxHeightPx": 1080,
            "heartbeatIntervalSeconds": 10,
            "markers": [],
            "subtitles": [],
            "audioTracks": [],
            "thumbnailsUrl": None,
            "nextTitle": title.get("nextEpisode"),
            "pathways": [],
            **offered,
        }
        return {"__typename": "StartPlaybackSuccess", "session": session}

    def _heartbeat(self, _info: object, input: dict[str, Any]) -> dict[str, Any]:
        title = self._keep_position(input)
        position = input["positionSeconds"]
        return {
            "__typename": "HeartbeatSuccess",
            "title": title,
            "acceptedPositionSeconds": position,
            "refusal": self.heartbeat_refusal,
        }

    def _stop_playback(self, _info: object, input: dict[str, Any]) -> dict[str, Any]:
        return {"__typename": "StopPlaybackSuccess", "title": self._keep_position(input)}

    def _keep_position(self, report: dict[str, Any]) -> Title:
        title = self.titles[report["sessionId"].removeprefix("pbs_")]
        self.positions[title["id"]] = report["positionSeconds"]
        return title
