"""Four viewers who share nothing but the service: what they watched, liked and picked, so that their screens can be looked at.

Who they are follows from the catalogue at hand: genres and popularity choose what they watched, so that the same four
can be made on the demo's catalogue and on a large one.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from subgraphs.playback.demo import DemoProfile, DemoWatch, seed_demo_history
from subgraphs.playback.settings import PlaybackSettings

__all__ = ["VIEWERS", "ScreenViewer", "Signed", "make_viewers"]

PASSWORD = "a seat in the dark"
SESSION = "session { accessToken refreshToken account { id profiles { id name } } profile { id name avatar isKids } }"
SIGN_UP = (
    f"mutation($input: SignUpInput!) {{ signUp(input: $input) {{ __typename ... on SignUpSuccess {{ {SESSION} }} }} }}"
)
CREATE = "mutation($input: CreateProfileInput!) { createProfile(input: $input) { __typename ... on CreateProfileSuccess { profile { id } } } }"
SELECT = f"mutation($input: SelectProfileInput!) {{ selectProfile(input: $input) {{ __typename ... on SelectProfileSuccess {{ {SESSION} }} }} }}"
BROWSE = """query($filter: TitleFilter) { titles(filter: $filter, first: 50) { edges { node { id kind
  ... on Series { seasons(first: 1) { edges { node { episodes(first: 3) { edges { node { id } } } } } } } } } } }"""
PAGE = """query($device: DeviceInput!) { page(kind: HOME, device: $device) { sections(first: 3) { edges { node { kind } } } } }"""
FINISHED, HALFWAY = 0.97, 0.45
LEARNED_DEADLINE_S = 30.0


@dataclass(frozen=True)
class ScreenViewer:
    """`watches`: how many titles of each genre, newest first in time; `begun`: how many of them are not finished."""

    name: str
    about: str
    country: str = "US"
    is_kids: bool = False
    watches: tuple[tuple[str, int], ...] = ()
    series_episodes: int = 0
    begun: int = 0
    listed: tuple[tuple[str, int], ...] = ()
    picks: int = 0
    tv_row: str = ""
    """The section kind that says most of this viewer, for the image to show; none: the page as it came."""
    phone_row: str = ""


VIEWERS = (
    ScreenViewer("Ines", "signed up today and picked three titles", picks=3, tv_row="BECAUSE_YOU_WATCHED"),
    ScreenViewer(
        "Margaret",
        "a year of dramas and romances, two of them begun",
        watches=(("gen_drama", 22), ("gen_romance", 10)),
        begun=2,
        listed=(("gen_history", 5),),
        tv_row="TOP_PICKS",
        phone_row="TOP_PICKS",
    ),
    ScreenViewer("Otto", "seven years old", is_kids=True, watches=(("gen_animation", 4), ("gen_comedy", 4)), begun=1),
    ScreenViewer(
        "Kenji",
        "watches science fiction, adventures and series, in Japan",
        country="JP",
        watches=(("gen_science-fiction", 10), ("gen_adventure", 5), ("gen_mystery", 3)),
        series_episodes=3,
        begun=2,
        listed=(("gen_horror", 4),),
        tv_row="CONTINUE_WATCHING",
        phone_row="CONTINUE_WATCHING",
    ),
)


@dataclass(frozen=True)
class Signed:
    """A viewer whose profile is selected; `session` as clients keep it."""

    viewer: ScreenViewer
    session: dict[str, Any]

    @property
    def token(self) -> str:
        return str(self.session["accessToken"])


class _Graph:
    def __init__(self, gateway_url: str) -> None:
        self._client = httpx.Client(base_url=gateway_url, timeout=30)

    def ask(self, query: str, variables: dict[str, Any], token: str | None = None) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = self._client.post("/graphql", json={"query": query, "variables": variables}, headers=headers).json()
        if "errors" in answer:
            raise RuntimeError(str(answer["errors"][:2]))
        data: dict[str, Any] = answer["data"]
        return data


def make_viewers(gateway_url: str) -> list[Signed]:
    """New accounts on a running stack whose stores this process' settings lead to; returns when their pages know them."""
    graph = _Graph(gateway_url)
    number = itertools.count(int(time.time()) % 10_000_000)
    made = [_sign_up(graph, viewer, f"{viewer.name.lower()}{next(number)}@example.org") for viewer in VIEWERS]
    now = datetime.now(UTC)
    profiles, histories = [], {}
    for signed in made:
        session = signed.session
        # By the profile's id: the names of demo profiles belong to the demo.
        profiles.append(DemoProfile(session["profile"]["id"], session["account"]["id"], session["profile"]["id"]))
        histories[session["profile"]["id"]] = _watches(graph, signed)
        _say(graph, signed)
    report = asyncio.run(seed_demo_history(PlaybackSettings.load(), profiles, now, histories))
    if report.missing:
        raise RuntimeError(f"playback has not heard of {report.missing[:3]}")
    for signed in made:
        if signed.viewer.begun:
            _wait_until_known(graph, signed)
    return made


def _sign_up(graph: _Graph, viewer: ScreenViewer, email: str) -> Signed:
    values = {"email": email, "password": PASSWORD, "country": viewer.country, "plan": "PREMIUM"}
    result = graph.ask(SIGN_UP, {"input": {**values, "profileName": viewer.name}})["signUp"]
    if result["__typename"] != "SignUpSuccess":
        raise RuntimeError(f"nobody was signed up: {result}")
    session = result["session"]
    profile_id = session["account"]["profiles"][0]["id"]
    if viewer.is_kids:
        wanted = {"name": viewer.name, "isKids": True}
        profile_id = graph.ask(CREATE, {"input": wanted}, session["accessToken"])["createProfile"]["profile"]["id"]
    chosen = {"profileId": profile_id, "refreshToken": session["refreshToken"]}
    selected = graph.ask(SELECT, {"input": chosen}, session["accessToken"])["selectProfile"]
    return Signed(viewer, selected["session"])


def _titles(graph: _Graph, signed: Signed, genre_id: str, kind: str = "MOVIE") -> list[dict[str, Any]]:
    wanted = {"filter": {"genreId": genre_id, "kind": kind}}
    edges = graph.ask(BROWSE, wanted, signed.token)["titles"]["edges"]
    return [edge["node"] for edge in edges]


def _watches(graph: _Graph, signed: Signed) -> Sequence[DemoWatch]:
    """The popular titles of the viewer's genres in turns, over a year; the last ones begun."""
    by_genre = [[one["id"] for one in _titles(graph, signed, genre)][:count] for genre, count in signed.viewer.watches]
    in_turns = [one for turn in itertools.zip_longest(*by_genre) for one in turn if one is not None]
    films = list(dict.fromkeys(in_turns))
    begun = signed.viewer.begun
    watches = [
        DemoWatch(
            title_id, HALFWAY if place < begun else FINISHED, 3 + place * 30 if place < begun else 40 + place * 200
        )
        for place, title_id in enumerate(films)
    ]
    return [*watches, *_episodes(graph, signed)]


def _episodes(graph: _Graph, signed: Signed) -> list[DemoWatch]:
    """The first series with episodes, its last episode begun an hour ago."""
    count = signed.viewer.series_episodes
    if not count:
        return []
    for genre, _ in signed.viewer.watches:
        for series in _titles(graph, signed, genre, "SERIES"):
            seasons = series["seasons"]["edges"]
            ids = [edge["node"]["id"] for edge in seasons[0]["node"]["episodes"]["edges"]] if seasons else []
            if ids:
                last = len(ids[:count]) - 1
                return [
                    DemoWatch(each, HALFWAY if place == last else FINISHED, 1 + 24 * (last - place))
                    for place, each in enumerate(ids[:count])
                ]
    return []


def _say(graph: _Graph, signed: Signed) -> None:
    """My List, and a new profile's picks."""
    for genre, count in signed.viewer.listed:
        for title in _titles(graph, signed, genre)[-count:]:
            graph.ask(
                "mutation($id: ID!) { addToMyList(titleId: $id) { __typename } }", {"id": title["id"]}, signed.token
            )
    if signed.viewer.picks:
        offered = graph.ask("{ onboarding { titles { id } } }", {}, signed.token)["onboarding"]["titles"]
        picks = [title["id"] for title in offered if title][1::3][: signed.viewer.picks]
        saving = "mutation($ids: [ID!]!) { saveOnboardingPicks(titleIds: $ids) { __typename } }"
        graph.ask(saving, {"ids": picks}, signed.token)


def _wait_until_known(graph: _Graph, signed: Signed) -> None:
    device = {
        "formFactor": "TV",
        "widthPx": 960,
        "heightPx": 540,
        "imageFormats": ["WEBP"],
        "supports": ["CONTINUE_WATCHING", "TOP_PICKS"],
    }
    deadline = time.monotonic() + LEARNED_DEADLINE_S
    while time.monotonic() < deadline:
        edges = graph.ask(PAGE, {"device": device}, signed.token)["page"]["sections"]["edges"]
        if any(edge["node"]["kind"] == "CONTINUE_WATCHING" for edge in edges):
            return
        time.sleep(0.3)
    raise RuntimeError(
        f"the page of {signed.viewer.name} does not know what was watched after {LEARNED_DEADLINE_S:.0f} s"
    )
