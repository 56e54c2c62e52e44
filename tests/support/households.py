"""The viewers of the authorization table, signed in for real, and what belongs to the owner."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from common.tokens import Viewer
from stack.authorization_table import ViewerKind
from tests.support.viewers import LOG_IN, PASSWORD, SELECT_PROFILE, SIGN_UP
from tests.support.whole_graph import WholeGraph

__all__ = ["SCOPES", "Households", "SignedIn", "claims_of", "settle_in", "sign_up"]

SCOPES = frozenset({"studio", "catalogue:write", "billing"})
"""Every right beyond a customer's that the product knows."""

CREATE_PROFILE = """mutation Create($input: CreateProfileInput!) { createProfile(input: $input) { __typename
  ... on CreateProfileSuccess { profile { id } } } }"""
START = """mutation Start($input: StartPlaybackInput!) { startPlayback(input: $input) { __typename
  ... on StartPlaybackSuccess { session { id } } ... on PlaybackRefused { reason message } } }"""
HEARTBEAT = """mutation Beat($input: HeartbeatInput!) { heartbeat(input: $input) { __typename
  ... on InvalidInput { message } } }"""


@dataclass(frozen=True)
class SignedIn:
    """A viewer with a token. `viewer` is what the token says."""

    token: str
    viewer: Viewer
    refresh_token: str = ""
    email: str = ""

    @property
    def account_id(self) -> str:
        """Its account."""
        assert self.viewer.account_id is not None
        return self.viewer.account_id

    @property
    def profile_id(self) -> str:
        """Its profile."""
        assert self.viewer.profile_id is not None
        return self.viewer.profile_id


@dataclass(frozen=True)
class Households:
    """One signed-in viewer for each column, and the sessions in which they watch: at first the owner's alone."""

    by_kind: Mapping[ViewerKind, SignedIn | None]
    sessions: dict[ViewerKind, str]

    @property
    def session_id(self) -> str:
        """The owner's."""
        return self.sessions[ViewerKind.OWNER]

    @property
    def owner(self) -> SignedIn:
        """Who has what the others ask for."""
        owner = self.by_kind[ViewerKind.OWNER]
        assert owner is not None
        return owner

    def token(self, kind: ViewerKind) -> str | None:
        """None for nobody."""
        signed_in = self.by_kind[kind]
        return None if signed_in is None else signed_in.token

    def viewer(self, kind: ViewerKind) -> Viewer:
        """As the gateway would vouch for it."""
        signed_in = self.by_kind[kind]
        return Viewer() if signed_in is None else signed_in.viewer


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _signed_in(session: Mapping[str, Any], email: str) -> SignedIn:
    token = session["accessToken"]
    return SignedIn(token, Viewer.from_claims(claims_of(token)), session["refreshToken"], email)


async def sign_up(graph: WholeGraph, email: str, *, name: str = "Me", country: str = "US") -> SignedIn:
    """A new account with its first profile selected."""
    values = {"email": email, "password": PASSWORD, "country": country, "profileName": name, "plan": "PREMIUM"}
    result = (await graph.ask(SIGN_UP, {"input": values})).data["signUp"]
    session = result["session"]
    return await select(graph, _signed_in(session, email), session["account"]["profiles"][0]["id"])


async def log_in(
    graph: WholeGraph, email: str, device: str = "Planted device", device_id: str | None = None
) -> SignedIn:
    """A further session of an account, without a profile."""
    values: dict[str, Any] = {"email": email, "password": PASSWORD, "deviceName": device}
    if device_id is not None:
        values["device"] = {"id": device_id, "name": device}
    result = (await graph.ask(LOG_IN, {"input": values})).data["logIn"]
    return _signed_in(result["session"], email)


async def select(graph: WholeGraph, signed_in: SignedIn, profile_id: str) -> SignedIn:
    """The same session with a profile."""
    answer = await graph.ask(SELECT_PROFILE, {"input": {"profileId": profile_id}}, token=signed_in.token)
    return _signed_in(answer.data["selectProfile"]["session"], signed_in.email)


async def add_profile(graph: WholeGraph, signed_in: SignedIn, name: str, **values: Any) -> str:
    """One more profile; its id."""
    answer = await graph.ask(CREATE_PROFILE, {"input": {"name": name, **values}}, token=signed_in.token)
    created = answer.data["createProfile"]
    assert created["__typename"] == "CreateProfileSuccess", created
    return str(created["profile"]["id"])


async def watch(graph: WholeGraph, signed_in: SignedIn, title_id: str, position_s: float, device: str = "tv") -> str:
    """Start a title and report one position; the session's id."""
    device_input = {"id": f"{signed_in.profile_id}-{device}", "formFactor": "TV"}
    started = (
        await graph.ask(START, {"input": {"titleId": title_id, "device": device_input}}, token=signed_in.token)
    ).data["startPlayback"]
    assert started["__typename"] == "StartPlaybackSuccess", started
    session_id = str(started["session"]["id"])
    beat = {"sessionId": session_id, "positionSeconds": position_s, "sequence": 1}
    told = (await graph.ask(HEARTBEAT, {"input": beat}, token=signed_in.token)).data["heartbeat"]
    assert told["__typename"] == "HeartbeatSuccess", told
    return session_id


async def settle_in(graph: WholeGraph) -> Households:
    """Make the accounts, and give the owner something of everything."""
    first = await sign_up(graph, "hilda.owner@planted.example", name="Hilda Planted")
    partner_id = await add_profile(graph, first, "Partner Planted")
    child_id = await add_profile(graph, first, "Child Planted", isKids=True)
    # Everybody has a session of their own: what one selects does not change the others' tokens.
    partner = await select(graph, await log_in(graph, first.email), partner_id)
    child = await select(graph, await log_in(graph, first.email), child_id)
    other = await sign_up(graph, "olaf.other@planted.example", name="Olaf Elsewhere")
    # Whatever is somebody's must be told from everybody's defaults.
    for number, profile_id in enumerate((first.profile_id, partner_id, child_id), start=7):
        text = 'mutation { updateProfile(input: {id: "%s", avatar: "avatar-%d"}) { __typename } }'
        await graph.ask(text % (profile_id, number), token=first.token)
    customer = await sign_up(graph, "stu.studio@planted.example", name="Stu Elsewhere")
    studio_viewer = replace(customer.viewer, scopes=SCOPES)
    # An act of the studio, so that there is something on record.
    text = 'mutation { createTitle(input: {displayName: "Planted by the studio"}) { __typename } }'
    studio_token = graph.access_token(studio_viewer)
    assert (await graph.ask(text, token=studio_token)).data["createTitle"]["__typename"] == "CreateTitleSuccess"
    sessions = {ViewerKind.OWNER: await _live_in(graph, first)}
    return Households(
        by_kind={
            ViewerKind.ANONYMOUS: None,
            ViewerKind.OWNER: first,
            ViewerKind.OTHER_ACCOUNT: other,
            ViewerKind.OTHER_PROFILE: partner,
            ViewerKind.KIDS: child,
            ViewerKind.STUDIO: replace(customer, token=graph.access_token(studio_viewer), viewer=studio_viewer),
            ViewerKind.EXPIRED: replace(first, token=graph.access_token(first.viewer, timedelta(minutes=-5))),
        },
        sessions=sessions,
    )


async def _live_in(graph: WholeGraph, owner: SignedIn) -> str:
    """The owner watches, lists, rates and says what they like; the last viewing stays open."""
    catalogue = graph.catalogue
    episodes = [title.id for title in catalogue.titles if title.series_id == catalogue.series]
    for place, title_id in enumerate((catalogue.adult_film, *episodes[:2])):
        await watch(graph, owner, title_id, 3_590 if place == 1 else 600)
    for title_id in (catalogue.film, catalogue.adult_film, catalogue.series, catalogue.adult_series):
        text = (
            'mutation { addToMyList(titleId: "%s") { __typename } rateTitle(titleId: "%s", stars: 5) { __typename } }'
        )
        told = (await graph.ask(text % (title_id, title_id), token=owner.token)).data
        assert told["addToMyList"]["__typename"] == "MyListSuccess", told
    text = 'mutation { setThumb(titleId: "%s", thumb: UP) { __typename } }'
    await graph.ask(text % catalogue.rich_film, token=owner.token)
    session_id = await watch(graph, owner, catalogue.film, 900)
    await graph.settled()
    return session_id
