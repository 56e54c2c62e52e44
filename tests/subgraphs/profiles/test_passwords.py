"""Changing and resetting passwords, changing the e-mail address: by whom, how often, and what strangers learn."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from common.clock import FakeClock
from subgraphs.profiles.settings import ProfilesSettings
from tests.subgraphs.profiles.conftest import Graph

RESULTS = """__typename ... on InvalidInput { fields { path message } } ... on RateLimited { retryAfterSeconds }
  ... on NotPermitted { message }"""
CHANGE = f"mutation($input: ChangePasswordInput!) {{ changePassword(input: $input) {{ {RESULTS} }} }}"
ASK = """mutation($email: String!) { requestPasswordReset(email: $email) { __typename
  ... on MailRequested { message } ... on InvalidInput { message } ... on RateLimited { retryAfterSeconds } } }"""
RESET = """mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { __typename
  ... on InvalidInput { message } } }"""
ASK_EMAIL = f"""mutation($input: RequestEmailChangeInput!) {{ requestEmailChange(input: $input) {{ {RESULTS}
  ... on MailRequested {{ message }} }} }}"""
CONFIRM = """mutation($code: String!) { confirmEmailChange(code: $code) { __typename
  ... on ConfirmEmailChangeSuccess { account { email } } } }"""
LOG_IN = """mutation($email: String!, $password: String!) { logIn(input: {email: $email, password: $password}) {
  __typename ... on LogInSuccess { session { accessToken refreshToken } } } }"""
WHO = "{ viewer { account { email } } }"


class Post:
    """Sends what is due and reads the mail folder."""

    def __init__(self, graph: Graph, settings: ProfilesSettings) -> None:
        self.graph, self.folder = graph, settings.mail_folder

    async def mails(self, recipient: str) -> list[tuple[str, str]]:
        """Subject and body of the mails to an address, oldest first."""
        await self.graph.services.mailing.send_due(self.graph.clock.now())
        return [mail[1:] for mail in self._read() if mail[0] == recipient]

    async def code(self, recipient: str) -> str:
        """Of the newest mail to an address."""
        bodies = [body for _, body in await self.mails(recipient)]
        codes = [code for body in bodies for code in re.findall(r"^    (\S{43})\r?$", body, re.MULTILINE)]
        assert codes, bodies
        return str(codes[-1])

    def _read(self) -> Iterator[tuple[str, str, str]]:
        for path in sorted(self.folder.glob("*.eml")):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            yield message["To"], message["Subject"], message.get_content()


@pytest.fixture
def post(graph: Graph, settings: ProfilesSettings) -> Post:
    return Post(graph, settings)


async def log_in(graph: Graph, password: str, address: str = "ada@example.org") -> dict[str, Any]:
    result: dict[str, Any] = (await graph.data(LOG_IN, {"email": address, "password": password}))["logIn"]
    return result


async def test_a_new_password_ends_all_other_sessions(graph: Graph, post: Post) -> None:
    """This one goes on; the account is told."""
    session = await graph.sign_up()
    other = (await log_in(graph, "correct horse"))["session"]
    wanted = {"currentPassword": "correct horse", "newPassword": "battery staple"}
    result = await graph.data(CHANGE, {"input": wanted}, token=session["accessToken"])
    assert result["changePassword"]["__typename"] == "ChangePasswordSuccess"
    assert (await graph.data(WHO, token=session["accessToken"]))["viewer"] is not None
    assert (await graph.data(WHO, token=other["accessToken"]))["viewer"] is None
    assert (await log_in(graph, "correct horse"))["__typename"] == "InvalidCredentials"
    assert (await log_in(graph, "battery staple"))["__typename"] == "LogInSuccess"
    assert "Your password was changed" in [subject for subject, _ in await post.mails("ada@example.org")]


async def test_a_password_is_changed_by_who_knows_it(graph: Graph) -> None:
    """Wrong ones, short ones, children and strangers change nothing."""
    session = await graph.sign_up()
    kid = await graph.kid_token(await graph.sign_up("bob@example.org"))

    async def change(token: str | None, current: str, new: str) -> str:
        variables = {"input": {"currentPassword": current, "newPassword": new}}
        return str((await graph.data(CHANGE, variables, token=token))["changePassword"]["__typename"])

    assert await change(session["accessToken"], "guess", "battery staple") == "InvalidCredentials"
    assert await change(session["accessToken"], "correct horse", "short") == "InvalidInput"
    assert await change(kid, "correct horse", "battery staple") == "NotPermitted"
    assert await change(None, "correct horse", "battery staple") == "NotSignedIn"
    kinds = [await change(session["accessToken"], "guess", "battery staple") for _ in range(20)]
    assert kinds[-1] == "RateLimited"


async def test_a_reset_works_once_for_half_an_hour_and_signs_everybody_out(
    graph: Graph, post: Post, clock: FakeClock
) -> None:
    """By the code of the newest mail."""
    session = await graph.sign_up()
    await graph.data(ASK, {"email": " ADA@example.org"})
    first = await post.code("ada@example.org")
    clock.advance(timedelta(minutes=1))
    await graph.data(ASK, {"email": "ada@example.org"})
    second = await post.code("ada@example.org")

    async def reset(code: str, password: str = "battery staple") -> str:
        variables = {"input": {"code": code, "newPassword": password}}
        return str((await graph.data(RESET, variables))["resetPassword"]["__typename"])

    assert await reset(first) == "InvalidCode"
    assert await reset(second, "short") == "InvalidInput"
    assert await reset(second) == "ResetPasswordSuccess"
    assert await reset(second) == "InvalidCode"
    assert (await graph.data(WHO, token=session["accessToken"]))["viewer"] is None
    assert (await log_in(graph, "battery staple"))["__typename"] == "LogInSuccess"
    clock.advance(timedelta(minutes=1))
    await graph.data(ASK, {"email": "ada@example.org"})
    third = await post.code("ada@example.org")
    clock.advance(timedelta(minutes=30))
    assert await reset(third) == "InvalidCode"


async def test_who_asks_for_a_reset_learns_nothing(graph: Graph, post: Post) -> None:
    """The same answer after the same statements, whether or not an account has the address; no mail to strangers."""
    await graph.sign_up()
    answers, costs = [], []
    for address in ("ada@example.org", "nobody@example.org"):
        answers.append(await graph.data(ASK, {"email": address}))
        costs.append(list(graph.statements))
    assert answers[0] == answers[1]
    assert answers[0]["requestPasswordReset"]["__typename"] == "MailRequested"
    assert costs[0] == costs[1]
    assert "Reset your password" in [subject for subject, _ in await post.mails("ada@example.org")]
    assert await post.mails("nobody@example.org") == []


async def test_mails_that_anybody_can_ask_for_are_limited(graph: Graph, post: Post) -> None:
    """Per e-mail address, over all client addresses, and per client address."""
    await graph.sign_up()
    kinds = [
        (await graph.data(ASK, {"email": "ada@example.org"}, address=f"192.0.2.{number}"))["requestPasswordReset"][
            "__typename"
        ]
        for number in range(5)
    ]
    assert kinds == ["MailRequested"] * 3 + ["RateLimited"] * 2
    kinds = [
        (await graph.data(ASK, {"email": f"{number}@example.org"}, address="198.51.100.1"))["requestPasswordReset"][
            "__typename"
        ]
        for number in range(12)
    ]
    assert kinds == ["MailRequested"] * 10 + ["RateLimited"] * 2
    assert (await graph.data(ASK, {"email": "no address"}))["requestPasswordReset"]["__typename"] == "InvalidInput"


async def test_no_store_holds_a_code(graph: Graph, post: Post, settings: ProfilesSettings) -> None:
    """It is made with the mail; the store has its hash."""
    await graph.sign_up()
    await graph.data(ASK, {"email": "ada@example.org"})
    code = await post.code("ada@example.org")
    for path in (settings.shared.state_dir).rglob("*.sqlite*"):
        assert code.encode() not in path.read_bytes()


async def test_a_new_address_is_confirmed_by_its_mail(graph: Graph, post: Post) -> None:
    """The code goes to the new address, the news to the old one, and log-in follows."""
    session = await graph.sign_up()
    token = session["accessToken"]
    wanted = {"password": "correct horse", "email": "Lovelace@example.org"}
    assert (await graph.data(ASK_EMAIL, {"input": wanted}, token=token))["requestEmailChange"]["__typename"] == (
        "MailRequested"
    )
    assert (await graph.data(WHO, token=token))["viewer"]["account"]["email"] == "ada@example.org"
    code = await post.code("lovelace@example.org")
    stranger = (await graph.sign_up("eve@example.org"))["accessToken"]
    assert (await graph.data(CONFIRM, {"code": "x" * 43}, token=token))["confirmEmailChange"]["__typename"] == (
        "InvalidCode"
    )
    result = (await graph.data(CONFIRM, {"code": code}, token=token))["confirmEmailChange"]
    assert result["account"] == {"email": "lovelace@example.org"}
    assert "Your e-mail address was changed" in [subject for subject, _ in await post.mails("ada@example.org")]
    assert (await log_in(graph, "correct horse", "lovelace@example.org"))["__typename"] == "LogInSuccess"
    assert (await graph.data(CONFIRM, {"code": code}, token=stranger))["confirmEmailChange"]["__typename"] == (
        "InvalidCode"
    )


async def test_a_taken_address_is_told_to_who_reads_its_mail_only(graph: Graph, post: Post) -> None:
    """Asking says what it always says; only the code shows that the address is somebody's."""
    token = (await graph.sign_up())["accessToken"]
    await graph.sign_up("bob@example.org")
    answers = []
    for address in ("free@example.org", "bob@example.org"):
        variables = {"input": {"password": "correct horse", "email": address}}
        answers.append(await graph.data(ASK_EMAIL, variables, token=token))
        graph.clock.advance(timedelta(seconds=1))
    assert answers[0] == answers[1]
    code = await post.code("bob@example.org")
    result = (await graph.data(CONFIRM, {"code": code}, token=token))["confirmEmailChange"]
    assert result["__typename"] == "EmailTaken"


async def test_a_code_of_one_purpose_serves_no_other(graph: Graph, post: Post) -> None:
    """A reset code confirms no address."""
    token = (await graph.sign_up())["accessToken"]
    await graph.data(ASK, {"email": "ada@example.org"})
    code = await post.code("ada@example.org")
    assert (await graph.data(CONFIRM, {"code": code}, token=token))["confirmEmailChange"]["__typename"] == "InvalidCode"
