"""A small backend that answers the pages' operations by the contract, in memory, for one viewer.

It runs the real operation texts against the real contract schema, so an operation that does not fit the contract, or
a page that reads a field it did not ask for, fails here. It decides nothing by itself: tests say what it refuses.
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLInterfaceType,
    GraphQLResolveInfo,
    GraphQLUnionType,
    OperationDefinitionNode,
    graphql_sync,
    is_abstract_type,
    parse,
)

from tests.clients.catalogue import Title, artwork, read_titles
from tests.clients.contract_schema import read_contract_schema

PASSWORD = "popcorn-time"
PROFILES = [
    {"id": "prof_ada", "name": "Ada", "avatar": "amber", "isKids": False, "maturityLimit": 18, "language": "en"},
    {"id": "prof_grace", "name": "Grace", "avatar": "teal", "isKids": False, "maturityLimit": 18, "language": "en"},
    {"id": "prof_milo", "name": "Milo", "avatar": "sky", "isKids": True, "maturityLimit": 7, "language": "en"},
]
"""The demo's premium account."""


def connection(items: Iterable[Any], first: int | None, after: str | None) -> dict[str, Any]:
    """A Relay connection whose cursors are positions."""
    everything = list(items)
    start = int(after) + 1 if after else 0
    chosen = everything[start : start + (first if first is not None else len(everything))]
    edges = [{"cursor": str(start + place), "node": node, "score": 1.0} for place, node in enumerate(chosen)]
    more = start + len(chosen) < len(everything)
    end = edges[-1]["cursor"] if edges else None
    info = {"hasNextPage": more, "hasPreviousPage": start > 0, "startCursor": None, "endCursor": end}
    return {"edges": edges, "pageInfo": info, "totalCount": len(everything)}


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
    stars: dict[str, int] = field(default_factory=dict)
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

    def __post_init__(self) -> None:
        """Read the contract and the catalogue."""
        self.schema = read_contract_schema()
        self.titles = read_titles()
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
            "rating": lambda _info: {"stars": self.stars[title_id], "ratedAt": ""} if title_id in self.stars else None,
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

    # --- pages

    def page(self, kind: str, device: dict[str, Any]) -> dict[str, Any]:
        titles = [one for one in self.visible() if kind == "HOME" or one["kind"] == kind.removesuffix("S")]
        if kind == "SERIES":
            titles = [one for one in self.visible() if one["kind"] == "SERIES"]
        sections = list(self._sections(titles, device))
        return {
            "id": f"page_{kind}",
            "kind": kind,
            "revision": "r1",
            "expiresAt": "2030-01-01T00:00:00Z",
            "sections": lambda _info, first=None, after=None: connection(sections, first, after),
        }

    def _sections(self, titles: list[Title], device: dict[str, Any]) -> Iterable[dict[str, Any]]:
        if not titles:
            return
        hero = next((one for one in titles if one["displayName"] == "Metropolis"), titles[0])
        yield self._section("HERO", "Tonight on Marquee", [hero], device, text="A new restoration, in full")
        started = [self.titles[one] for one in reversed(list(self.positions))]
        if started:
            yield self._section("CONTINUE_WATCHING", "Continue watching", started, device)
        yield self._section("TRENDING", "Trending now", titles[5:17], device)
        because = "Because you watched Nosferatu"
        horror = [one for one in titles if any(genre["id"] == "horror" for genre in one["genres"])]
        if horror:
            yield self._section("BECAUSE_YOU_WATCHED", because, horror, device, text=because)
        yield self._section("TOP_PICKS", "Top picks for you", list(reversed(titles))[:14], device)
        for genre in ("Comedy", "Adventure", "Drama", "Science Fiction"):
            chosen = [one for one in titles if any(each["displayName"] == genre for each in one["genres"])]
            if chosen:
                yield self._section("GENRE", genre, chosen, device)

    def _section(
        self, kind: str, heading: str, titles: list[Title], device: dict[str, Any], *, text: str | None = None
    ) -> dict[str, Any]:
        phone = device["formFactor"] == "PHONE"
        hero = kind == "HERO"
        wide = not phone or kind == "CONTINUE_WATCHING"
        role = "POSTER" if (phone and hero) else ("BACKDROP" if wide else "POSTER")
        width_px = (500 if phone else 1920) if hero else (416 if wide else 342)
        cards = [
            {
                "__typename": "ContinueWatchingCard" if kind == "CONTINUE_WATCHING" else "TitleCard",
                "id": f"{kind}-{heading}-{title['id']}",
                "title": title,
                "series": title.get("series"),
                "artwork": artwork(title["id"], role, width_px),
                "tracking": "t",
                "reason": None,
            }
            for title in titles
        ]
        card_width_px, card_height_px = (236, 133) if phone and wide else (110, 165) if phone else (160, 90)
        return {
            "__typename": "HeroSection" if hero else "RowSection",
            "id": f"sec_{kind}_{heading}",
            "kind": kind,
            "heading": heading,
            "reason": {"text": text} if text else None,
            "tracking": "t",
            "layout": {
                "artworkRole": role,
                "cardWidthPx": card_width_px,
                "cardHeightPx": card_height_px,
                "visibleCards": 3 if phone else 5,
            },
            "items": lambda _info, first=None, after=None: connection(cards, first, after),
        }

    # --- requests

    def answer(self, authorization: str | None, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """HTTP status and GraphQL answer for one request."""
        operation = next(one for one in parse(body["query"]).definitions if isinstance(one, OperationDefinitionNode))
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

        result = graphql_sync(
            self.schema,
            body["query"],
            root_value=self._roots(token),
            variable_values=variables,
            middleware=[break_fields],
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
            "page": lambda _info, kind, device, **_ids: self.page(kind, device),
            "title": lambda _info, id: self._find(id),  # noqa: A006
            "person": self._person,
            "search": self._search,
            "searchSuggestions": self._suggest,
            "logIn": self._log_in,
            "logOut": lambda _info, everywhere=False: {"loggedOut": True},
            "refreshSession": self._refresh,
            "selectProfile": self._select_profile,
            "addToMyList": lambda _info, titleId: self._list(titleId, True),  # noqa: N803
            "removeFromMyList": lambda _info, titleId: self._list(titleId, False),  # noqa: N803
            "rateTitle": self._rate,
            "startPlayback": self._start_playback,
            "heartbeat": self._heartbeat,
            "stopPlayback": self._stop_playback,
        }

    def _find(self, title_id: str) -> Title | None:
        title = self.titles.get(title_id)
        return title if title and (title["kind"] in {"EPISODE", "VIDEO"} or title in self.visible()) else None

    def _matching(self, query: str) -> list[Title]:
        wanted = query.lower()
        return [one for one in self.visible() if wanted in one["displayName"].lower()]

    def _search(self, _info: object, query: str, first: int = 20, after: str | None = None, **_filter: Any) -> Any:
        return connection(self._matching(query), first, after)

    def _suggest(self, _info: object, query: str, first: int = 5) -> Any:
        return [{"text": one["displayName"], "title": one} for one in self._matching(query)[:first]]

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

    def _rate(self, _info: object, titleId: str, stars: int | None = None) -> dict[str, Any]:  # noqa: N803
        if stars is None:
            self.stars.pop(titleId, None)
        else:
            self.stars[titleId] = stars
        return {"__typename": "RateTitleSuccess", "title": self.titles[titleId]}

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
