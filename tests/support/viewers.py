"""Signed-in viewers of a running stack: demo accounts and fresh ones."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.support.running_stack import RunningStack

PASSWORD = "popcorn-time"
FRESH_PASSWORD = "correct horse"

SESSION = """session { accessToken refreshToken
  account { id email plan { id } subscription { status } profiles { id name isKids maturityLimit } } profile { id name } }"""

LOG_IN = f"""mutation LogIn($input: LogInInput!) {{ logIn(input: $input) {{ __typename
  ... on LogInSuccess {{ {SESSION} }} ... on InvalidCredentials {{ message }} ... on RateLimited {{ message }} }} }}"""

SIGN_UP = f"""mutation SignUp($input: SignUpInput!) {{ signUp(input: $input) {{ __typename
  ... on SignUpSuccess {{ {SESSION} }} ... on EmailTaken {{ message }} ... on InvalidInput {{ message fields {{ path message }} }} }} }}"""

SELECT_PROFILE = f"""mutation Select($input: SelectProfileInput!) {{ selectProfile(input: $input) {{ __typename
  ... on SelectProfileSuccess {{ {SESSION} }} ... on ProfileNotFound {{ message profileId }} ... on NotSignedIn {{ message }} }} }}"""


@dataclass(frozen=True)
class SignedIn:
    """An account, one of its profiles, and the tokens for both."""

    account: dict[str, Any]
    profile: dict[str, Any]
    account_token: str
    token: str
    refresh_token: str


class Viewers:
    """Log-ins, made once each."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack
        self._numbers = itertools.count(1)

    @cached_property
    def premium(self) -> SignedIn:
        return self.demo("premium", kids=False)

    @cached_property
    def kids(self) -> SignedIn:
        return self.demo("premium", kids=True)

    @cached_property
    def basic(self) -> SignedIn:
        return self.demo("basic", kids=False)

    @cached_property
    def lapsed(self) -> SignedIn:
        return self.demo("lapsed", kids=False)

    def demo(self, name: str, *, kids: bool) -> SignedIn:
        session = self._log_in(f"{name}@marquee.example", PASSWORD)
        profile = next(profile for profile in session["account"]["profiles"] if profile["isKids"] is kids)
        return self._select(session, profile)

    def again(self, viewer: SignedIn) -> SignedIn:
        """A fresh one, logged in once more."""
        session = self._log_in(viewer.account["email"], FRESH_PASSWORD)
        return self._select(session, session["account"]["profiles"][0])

    def fresh(self, **overrides: Any) -> SignedIn:
        """A new account that nobody else uses."""
        email = f"viewer{next(self._numbers)}@example.org"
        values = {"email": email, "password": FRESH_PASSWORD, "country": "US", "profileName": "Me", **overrides}
        result = self._stack.graphql(SIGN_UP, {"input": values}).data["signUp"]
        assert result["__typename"] == "SignUpSuccess", result
        session = result["session"]
        return self._select(session, session["account"]["profiles"][0])

    def _log_in(self, email: str, password: str) -> dict[str, Any]:
        result = self._stack.graphql(LOG_IN, {"input": {"email": email, "password": password}}).data["logIn"]
        assert result["__typename"] == "LogInSuccess", result
        session: dict[str, Any] = result["session"]
        return session

    def _select(self, session: dict[str, Any], profile: dict[str, Any]) -> SignedIn:
        result = self._stack.graphql(
            SELECT_PROFILE, {"input": {"profileId": profile["id"]}}, token=session["accessToken"]
        ).data["selectProfile"]
        assert result["__typename"] == "SelectProfileSuccess", result
        return SignedIn(
            account=session["account"],
            profile=profile,
            account_token=session["accessToken"],
            token=result["session"]["accessToken"],
            refresh_token=result["session"]["refreshToken"],
        )
