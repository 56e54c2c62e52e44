"""Signing up, in and out through the graph: every result of every mutation, and what the tokens carry."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import AccountId
from subgraphs.profiles.adapters.argon2_hasher import Argon2PasswordHasher
from subgraphs.profiles.domain.accounts import Subscription, SubscriptionStatus
from tests.subgraphs.profiles.conftest import SELECT, SESSION, SIGN_UP, START, Graph

LOG_IN = f"""mutation($input: LogInInput!) {{ logIn(input: $input) {{ __typename
  ... on LogInSuccess {{ {SESSION} }} ... on InvalidCredentials {{ message }} ... on RateLimited {{ retryAfterSeconds }} }} }}"""
REFRESH = f"""mutation($token: String!) {{ refreshSession(input: {{refreshToken: $token}}) {{ __typename
  ... on RefreshSessionSuccess {{ {SESSION} }} ... on InvalidRefreshToken {{ message }} }} }}"""
LOG_OUT = "mutation($everywhere: Boolean! = false) { logOut(everywhere: $everywhere) { loggedOut } }"
VIEWER = "{ viewer { account { email subscription { status renewsAt } } profile { name } } }"


def sign_up_input(**overrides: Any) -> dict[str, Any]:
    values = {"email": "ada@example.org", "password": "correct horse", "country": "US", **overrides}
    return {"input": values}


async def log_in(graph: Graph, email: str, password: str, address: str = "192.0.2.9") -> dict[str, Any]:
    variables = {"input": {"email": email, "password": password}}
    result: dict[str, Any] = (await graph.data(LOG_IN, variables, address=address))["logIn"]
    return result


async def refresh(graph: Graph, token: str) -> dict[str, Any]:
    result: dict[str, Any] = (await graph.data(REFRESH, {"token": token}))["refreshSession"]
    return result


async def email_of(graph: Graph, token: str) -> str | None:
    viewer = (await graph.data(VIEWER, token=token))["viewer"]
    return None if viewer is None else viewer["account"]["email"]


# --- sign up -------------------------------------------------------------------------------------------------------


async def test_signing_up_opens_an_account_level_session(graph: Graph) -> None:
    """One profile, none selected; the access token says who and until when."""
    session = await graph.sign_up("  Ada@Example.ORG ", plan="STANDARD", country="de")
    assert session["account"]["email"] == "ada@example.org"
    assert [profile["name"] for profile in session["account"]["profiles"]] == ["Ada"]
    assert session["profile"] is None
    assert session["accessTokenExpiresAt"] == (START + timedelta(minutes=15)).isoformat()
    viewer = graph.viewer(session["accessToken"])
    assert (viewer.account_id, viewer.country, viewer.plan, viewer.subscription) == (
        session["account"]["id"],
        "DE",
        "STANDARD",
        "ACTIVE",
    )
    assert (viewer.profile_id, viewer.maturity, viewer.is_kids, viewer.scopes) == (None, None, False, frozenset())


@pytest.mark.parametrize("email", ["ada@example.org", "ADA@example.org", " ada@example.org", "\uff41da@example.org"])
async def test_a_taken_address_is_told_in_whatever_spelling(graph: Graph, email: str) -> None:
    """Case, blanks and full-width letters make no other address."""
    await graph.sign_up()
    result = (await graph.data(SIGN_UP, sign_up_input(email=email)))["signUp"]
    assert result["__typename"] == "EmailTaken"


@pytest.mark.parametrize(
    ("overrides", "paths"),
    [
        ({"email": "ada"}, ["input.email"]),
        ({"email": "ada@example"}, ["input.email"]),
        ({"email": "a" * 250 + "@example.org"}, ["input.email"]),
        ({"email": "ada@exam ple.org"}, ["input.email"]),
        ({"password": "1234567"}, ["input.password"]),
        ({"password": "x" * 129}, ["input.password"]),
        ({"country": "XX"}, ["input.country"]),
        ({"country": ""}, ["input.country"]),
        ({"profileName": " "}, ["input.profileName"]),
        ({"profileName": "x" * 51}, ["input.profileName"]),
        ({"profileName": "Ada\u202egnitpircs"}, ["input.profileName"]),
        ({"email": "", "password": "", "country": "US!"}, ["input.email", "input.password", "input.country"]),
    ],
)
async def test_a_wrong_form_names_every_wrong_field(graph: Graph, overrides: dict[str, str], paths: list[str]) -> None:
    """At once, and nothing is made."""
    result = (await graph.data(SIGN_UP, sign_up_input(**overrides)))["signUp"]
    assert result["__typename"] == "InvalidInput"
    assert [field["path"] for field in result["fields"]] == paths
    assert await graph.services.accounts.credentials(overrides.get("email", "ada@example.org")) is None


async def test_sign_ups_are_limited_per_address_and_mistakes_do_not_count(graph: Graph) -> None:
    """Ten an hour."""
    for _ in range(12):
        result = (await graph.data(SIGN_UP, sign_up_input(email="nonsense")))["signUp"]
        assert result["__typename"] == "InvalidInput"
    for number in range(10):
        result = (await graph.data(SIGN_UP, sign_up_input(email=f"ada{number}@example.org")))["signUp"]
        assert result["__typename"] == "SignUpSuccess"
    result = (await graph.data(SIGN_UP, sign_up_input(email="ada10@example.org")))["signUp"]
    assert result["__typename"] == "RateLimited"
    assert 0 < result["retryAfterSeconds"] <= 3600
    elsewhere = await graph.data(SIGN_UP, sign_up_input(email="ada10@example.org"), address="192.0.2.77")
    assert elsewhere["signUp"]["__typename"] == "SignUpSuccess"


# --- log in --------------------------------------------------------------------------------------------------------


async def test_logging_in_gives_a_session_of_its_own(graph: Graph) -> None:
    """Beside the one of the sign-up."""
    first = await graph.sign_up()
    result = await log_in(graph, "Ada@example.org", "correct horse")
    assert result["__typename"] == "LogInSuccess"
    tokens = [graph.viewer(session["accessToken"]) for session in (first, result["session"])]
    assert tokens[0].account_id == tokens[1].account_id
    assert tokens[0].session_id != tokens[1].session_id


async def test_a_wrong_password_and_an_unknown_address_look_the_same(graph: Graph) -> None:
    """Word for word; a password of absurd length is just wrong."""
    await graph.sign_up()
    wrong = await log_in(graph, "ada@example.org", "incorrect horse")
    unknown = await log_in(graph, "grace@example.org", "correct horse")
    absurd = await log_in(graph, "ada@example.org", "correct horse" * 1000)
    assert wrong == unknown == absurd
    assert wrong["__typename"] == "InvalidCredentials"


async def test_an_unknown_address_costs_the_same_work(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash is computed either way, so the time tells nothing; what is counted here is the hashing."""
    hasher = graph.services.signing_in.hasher
    assert isinstance(hasher, Argon2PasswordHasher)
    verified: list[bool] = []
    real = hasher._matches

    def counting(password: str, stored: str) -> bool:
        verified.append(stored.startswith("$argon2id$"))
        return real(password, stored)

    monkeypatch.setattr(hasher, "_matches", counting)
    await graph.sign_up()
    await log_in(graph, "ada@example.org", "incorrect horse")
    await log_in(graph, "nobody@example.org", "incorrect horse")
    assert verified == [True, True]


async def test_log_ins_are_limited_per_address_aliases_counted_one_by_one(graph: Graph) -> None:
    """Twenty an hour, right or wrong, however they are packed into operations."""
    aliases = " ".join(
        f'a{number}: logIn(input: {{email: "ada@example.org", password: "guess {number}"}}) {{ __typename }}'
        for number in range(25)
    )
    data = await graph.data("mutation {" + aliases + "}")
    kinds = [data[f"a{number}"]["__typename"] for number in range(25)]
    assert kinds == ["InvalidCredentials"] * 20 + ["RateLimited"] * 5


async def test_logs_tell_log_ins_from_one_address_apart_without_naming_it(graph: Graph) -> None:
    """Refused and limited ones of one address have one name, others another; nobody's address is in a line."""
    with capture_logs() as lines:
        for number in range(21):
            await log_in(graph, f"{number}@example.org", "guess", "198.51.100.7")
        await log_in(graph, "grace@example.org", "guess", "198.51.100.8")
    told = [line for line in lines if line["event"] in {"log_in.refused", "log_in.limited"}]
    assert [line["event"] for line in told] == ["log_in.refused"] * 20 + ["log_in.limited", "log_in.refused"]
    assert len({line["address"] for line in told[:21]}) == 1
    assert told[21]["address"] != told[0]["address"]
    assert "198.51.100" not in str(lines)


async def test_one_account_is_limited_over_all_addresses(graph: Graph) -> None:
    """A hundred an hour, in whatever spelling."""
    for number in range(100):
        assert (await log_in(graph, "ADA@example.org", "guess", f"192.0.2.{number}"))["__typename"] != "RateLimited"
    result = await log_in(graph, "ada@example.org", "guess", "192.0.2.200")
    assert result["__typename"] == "RateLimited"


async def test_a_lapsed_account_logs_in_and_its_token_says_so(graph: Graph) -> None:
    """So that it can pay; play is refused elsewhere by this claim."""
    session = await graph.sign_up()
    lapsed = Subscription(SubscriptionStatus.EXPIRED, START - timedelta(days=1))
    await graph.services.accounts.set_subscription(AccountId(session["account"]["id"]), lapsed)
    result = await log_in(graph, "ada@example.org", "correct horse")
    token = result["session"]["accessToken"]
    assert graph.viewer(token).subscription == "EXPIRED"
    viewer = (await graph.data(VIEWER, token=token))["viewer"]
    assert viewer["account"]["subscription"] == {"status": "EXPIRED", "renewsAt": None}


async def test_a_hash_of_other_parameters_is_renewed_at_log_in(graph: Graph) -> None:
    """Raising the cost reaches every account that is used."""
    await graph.sign_up()
    dearer = Argon2PasswordHasher(memory_kib=128, passes=2, lanes=1, threads=1, max_waiting=1)
    signing_in = replace(graph.services.signing_in, hasher=dearer)
    before = await graph.services.accounts.credentials("ada@example.org")
    changed = Graph(replace(graph.services, signing_in=signing_in), graph.clock, graph.engine)
    assert (await log_in(changed, "ada@example.org", "correct horse"))["__typename"] == "LogInSuccess"
    after = await graph.services.accounts.credentials("ada@example.org")
    dearer.close()
    assert before is not None
    assert after is not None
    assert "m=64,t=1" in before.password_hash
    assert "m=128,t=2" in after.password_hash
    assert (await log_in(graph, "ada@example.org", "correct horse"))["__typename"] == "LogInSuccess"


async def test_hashing_has_a_bounded_queue() -> None:
    """A flood of log-ins is told to come back instead of filling the memory."""
    hasher = Argon2PasswordHasher(memory_kib=64, passes=1, lanes=1, threads=1, max_waiting=0)
    first = hasher.hash("one")
    task = asyncio.ensure_future(first)
    await asyncio.sleep(0)
    with pytest.raises(ServiceError) as caught:
        await hasher.hash("two")
    assert caught.value.kind is ErrorKind.RESOURCE_EXHAUSTED
    assert (await task).startswith("$argon2id$")
    assert await hasher.verify("three", "no hash at all") is False
    hasher.close()


# --- refresh -------------------------------------------------------------------------------------------------------


async def test_a_refresh_token_works_once_and_its_return_ends_the_session(graph: Graph) -> None:
    """For the thief and the owner alike."""
    session = await graph.sign_up()
    second = await refresh(graph, session["refreshToken"])
    assert second["__typename"] == "RefreshSessionSuccess"
    assert (await refresh(graph, session["refreshToken"]))["__typename"] == "InvalidRefreshToken"
    assert (await refresh(graph, second["session"]["refreshToken"]))["__typename"] == "InvalidRefreshToken"
    assert await email_of(graph, second["session"]["accessToken"]) is None


@pytest.mark.parametrize("token", ["", "nonsense", "x" * 10_000, "'; DROP TABLE accounts"])
async def test_nonsense_is_no_refresh_token(graph: Graph, token: str) -> None:
    """A typed result, never an error."""
    assert (await refresh(graph, token))["__typename"] == "InvalidRefreshToken"


async def test_a_session_lives_thirty_days_from_its_last_use(graph: Graph, clock: FakeClock) -> None:
    """29 days, and 29 more after a refresh; 30 without one is the end."""
    token = (await graph.sign_up())["refreshToken"]
    for _ in range(2):
        clock.advance(timedelta(days=29))
        result = await refresh(graph, token)
        assert result["__typename"] == "RefreshSessionSuccess"
        token = result["session"]["refreshToken"]
    clock.advance(timedelta(days=30))
    assert (await refresh(graph, token))["__typename"] == "InvalidRefreshToken"


async def test_a_refresh_keeps_the_profile_and_brings_what_changed(graph: Graph) -> None:
    """The new access token carries the profile's limits as they are now."""
    session = await graph.sign_up()
    selected = await graph.select(session)
    profile_id = selected["profile"]["id"]
    change = "mutation($id: ID!) { updateProfile(input: {id: $id, maturityLimit: 12}) { __typename } }"
    await graph.data(change, {"id": profile_id}, token=session["accessToken"])
    result = await refresh(graph, selected["refreshToken"])
    viewer = graph.viewer(result["session"]["accessToken"])
    assert (viewer.profile_id, viewer.maturity) == (profile_id, 12)


# --- select profile ------------------------------------------------------------------------------------------------


async def test_selecting_puts_the_profile_into_the_token(graph: Graph) -> None:
    """With what the policy needs."""
    session = await graph.sign_up()
    kid = graph.viewer(await graph.kid_token(session))
    assert (kid.is_kids, kid.maturity, kid.language) == (True, 7, "en")
    assert kid.session_id == graph.viewer(session["accessToken"]).session_id


async def test_selecting_uses_up_the_refresh_tokens_from_before(graph: Graph) -> None:
    """An access token alone must not become a second line of refresh tokens."""
    session = await graph.sign_up()
    selected = await graph.select(session)
    assert (await refresh(graph, selected["refreshToken"]))["__typename"] == "RefreshSessionSuccess"
    assert (await refresh(graph, session["refreshToken"]))["__typename"] == "InvalidRefreshToken"


async def test_a_refresh_token_alone_selects_too(graph: Graph) -> None:
    """For a TV that wakes up with an expired access token."""
    session = await graph.sign_up()
    variables = {
        "input": {"profileId": session["account"]["profiles"][0]["id"], "refreshToken": session["refreshToken"]}
    }
    result = (await graph.data(SELECT, variables))["selectProfile"]
    assert result["session"]["profile"]["name"] == "Ada"
    again = (await graph.data(SELECT, variables))["selectProfile"]
    assert again["__typename"] == "NotSignedIn"
    assert (await refresh(graph, result["session"]["refreshToken"]))["__typename"] == "InvalidRefreshToken"


async def test_a_foreign_and_an_unknown_profile_look_the_same(graph: Graph) -> None:
    """And cost nobody a session."""
    mine = await graph.sign_up()
    theirs = (await graph.sign_up("grace@example.org"))["account"]["profiles"][0]["id"]
    for wanted in (theirs, "prof_unknown"):
        variables = {"input": {"profileId": wanted, "refreshToken": mine["refreshToken"]}}
        result = (await graph.data(SELECT, variables, token=mine["accessToken"]))["selectProfile"]
        assert result == {
            "__typename": "ProfileNotFound",
            "message": f"The account has no profile {wanted!r}.",
            "profileId": wanted,
        }
    assert (await refresh(graph, mine["refreshToken"]))["__typename"] == "RefreshSessionSuccess"


async def test_anothers_refresh_token_does_not_select(graph: Graph) -> None:
    """Access and refresh token must be of one session."""
    mine, theirs = await graph.sign_up(), await graph.sign_up("grace@example.org")
    profile_id = mine["account"]["profiles"][0]["id"]
    variables = {"input": {"profileId": profile_id, "refreshToken": theirs["refreshToken"]}}
    result = (await graph.data(SELECT, variables, token=mine["accessToken"]))["selectProfile"]
    assert result["__typename"] == "NotSignedIn"
    assert (await graph.data(SELECT, {"input": {"profileId": profile_id}}))["selectProfile"][
        "__typename"
    ] == "NotSignedIn"


# --- log out -------------------------------------------------------------------------------------------------------


async def test_logging_out_ends_this_session_alone(graph: Graph) -> None:
    """The viewer of its access token is nobody from then on, here at least; the other device goes on."""
    first = await graph.sign_up()
    second = (await log_in(graph, "ada@example.org", "correct horse"))["session"]
    assert (await graph.data(LOG_OUT, token=first["accessToken"]))["logOut"]["loggedOut"] is True
    assert (await graph.data(LOG_OUT, token=first["accessToken"]))["logOut"]["loggedOut"] is False
    assert await email_of(graph, first["accessToken"]) is None
    assert (await refresh(graph, first["refreshToken"]))["__typename"] == "InvalidRefreshToken"
    assert await email_of(graph, second["accessToken"]) == "ada@example.org"


async def test_logging_out_everywhere_ends_all_sessions_of_the_account(graph: Graph) -> None:
    """And nobody else's; a token of an ended session can't do it again."""
    first, other = await graph.sign_up(), await graph.sign_up("grace@example.org")
    second = (await log_in(graph, "ada@example.org", "correct horse"))["session"]
    out = await graph.data(LOG_OUT, {"everywhere": True}, token=first["accessToken"])
    assert out["logOut"]["loggedOut"] is True
    assert await email_of(graph, second["accessToken"]) is None
    assert await email_of(graph, other["accessToken"]) == "grace@example.org"
    third = (await log_in(graph, "ada@example.org", "correct horse"))["session"]
    again = await graph.data(LOG_OUT, {"everywhere": True}, token=first["accessToken"])
    assert again["logOut"]["loggedOut"] is False
    assert await email_of(graph, third["accessToken"]) == "ada@example.org"


async def test_nobody_can_not_log_out(graph: Graph) -> None:
    """Which is no error."""
    assert (await graph.data(LOG_OUT))["logOut"]["loggedOut"] is False


async def test_no_answer_or_store_holds_a_password(graph: Graph, engine: AsyncEngine) -> None:
    """Planted, then looked for in the database file and in the answers."""
    session = await graph.sign_up(password="canary-password-7f3a")
    await log_in(graph, "ada@example.org", "canary-password-7f3a")
    assert "canary" not in str(session)
    database = engine.url.database
    assert database is not None
    for path in Path(database).parent.glob("profiles.sqlite*"):
        content = path.read_bytes()
        assert b"canary-password" not in content
        assert session["refreshToken"].encode() not in content
