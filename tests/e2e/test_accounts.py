"""Accounts and profiles through the gateway, as a client meets them."""

from __future__ import annotations

from tests.support.running_stack import RunningStack
from tests.support.viewers import LOG_IN, SELECT_PROFILE, SIGN_UP, Viewers

CREATE_PROFILE = """mutation Create($input: CreateProfileInput!) { createProfile(input: $input) { __typename
  ... on CreateProfileSuccess { profile { id name isKids maturityLimit } account { profiles { name } } }
  ... on TooManyProfiles { message limit } ... on InvalidInput { message fields { path message } }
  ... on NotSignedIn { message } } }"""

REFRESH = """mutation Refresh($input: RefreshSessionInput!) { refreshSession(input: $input) { __typename
  ... on RefreshSessionSuccess { session { accessToken refreshToken } } ... on InvalidRefreshToken { message } } }"""

VIEWER = "query Viewer { viewer { account { email plan { id maxHeightPx } } profile { name isKids } } }"


def test_sign_up_gives_a_session_with_one_profile(stack: RunningStack, viewers: Viewers) -> None:
    """A new account can ask who it is at once."""
    viewer = viewers.fresh(plan="PREMIUM")

    data = stack.graphql(VIEWER, token=viewer.token).data["viewer"]

    assert data["account"]["plan"] == {"id": "PREMIUM", "maxHeightPx": 2160}
    assert data["profile"] == {"name": "Me", "isKids": False}


def test_a_taken_email_is_a_typed_result(stack: RunningStack, viewers: Viewers) -> None:
    """Signing up twice with one address, in other letters, names the reason."""
    viewer = viewers.fresh()

    again = stack.graphql(
        SIGN_UP,
        {"input": {"email": viewer.account["email"].upper(), "password": "correct horse", "country": "US"}},
    ).data["signUp"]

    assert again["__typename"] == "EmailTaken"


def test_a_wrong_password_and_an_unknown_email_look_the_same(stack: RunningStack, viewers: Viewers) -> None:
    """Nobody learns from log-in which addresses have accounts."""
    viewer = viewers.fresh()

    wrong = stack.graphql(LOG_IN, {"input": {"email": viewer.account["email"], "password": "wrong horse"}}).data
    unknown = stack.graphql(LOG_IN, {"input": {"email": "nobody@example.org", "password": "wrong horse"}}).data

    assert wrong["logIn"]["__typename"] == "InvalidCredentials"
    assert wrong == unknown


def test_the_sixth_profile_is_refused(stack: RunningStack, viewers: Viewers) -> None:
    """An account has at most five profiles."""
    viewer = viewers.fresh()
    for number in range(2, 6):
        made = stack.graphql(CREATE_PROFILE, {"input": {"name": f"P{number}"}}, token=viewer.token).data
        assert made["createProfile"]["__typename"] == "CreateProfileSuccess"

    sixth = stack.graphql(CREATE_PROFILE, {"input": {"name": "P6"}}, token=viewer.token).data["createProfile"]

    assert sixth["__typename"] == "TooManyProfiles"
    assert sixth["limit"] == 5


def test_a_foreign_profile_looks_like_none(stack: RunningStack, viewers: Viewers) -> None:
    """Another account's profile id is answered as an id that does not exist."""
    mine, other = viewers.fresh(), viewers.fresh()

    foreign = stack.graphql(
        SELECT_PROFILE, {"input": {"profileId": other.profile["id"]}}, token=mine.account_token
    ).data["selectProfile"]
    absent = stack.graphql(
        SELECT_PROFILE, {"input": {"profileId": "prof_that-is-not-there"}}, token=mine.account_token
    ).data["selectProfile"]

    assert foreign["__typename"] == absent["__typename"] == "ProfileNotFound"
    assert foreign["message"].replace(other.profile["id"], "") == absent["message"].replace(
        "prof_that-is-not-there", ""
    )


def test_a_refresh_token_works_once(stack: RunningStack, viewers: Viewers) -> None:
    """Rotation: the second use is refused and ends the whole family."""
    viewer = viewers.fresh()

    first = stack.graphql(REFRESH, {"input": {"refreshToken": viewer.refresh_token}}).data["refreshSession"]
    assert first["__typename"] == "RefreshSessionSuccess"
    reused = stack.graphql(REFRESH, {"input": {"refreshToken": viewer.refresh_token}}).data["refreshSession"]
    newest = stack.graphql(REFRESH, {"input": {"refreshToken": first["session"]["refreshToken"]}}).data[
        "refreshSession"
    ]

    assert reused["__typename"] == "InvalidRefreshToken"
    assert newest["__typename"] == "InvalidRefreshToken"
