"""Mails: texts in every language, ways out, retries, and what happens when everything is away."""

from __future__ import annotations

import asyncio
import email
import email.policy
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from string import Template

import pytest

from common.errors import ErrorKind, ServiceError
from common.settings import SettingsInvalid, SharedSettings
from subgraphs.kernel.ids import AccountId
from subgraphs.profiles.adapters.mail import spool
from subgraphs.profiles.adapters.mail.message import build_message
from subgraphs.profiles.adapters.mail.smtp import SmtpMailSender, SmtpServer, read_smtp_url
from subgraphs.profiles.adapters.mail.spool import SpoolMailSender
from subgraphs.profiles.domain.accounts import Account, Credentials
from subgraphs.profiles.domain.consents import Purpose
from subgraphs.profiles.domain.notifications import (
    KIND_TABLE,
    MAX_ATTEMPTS,
    MailCategory,
    MailPreferences,
    NotificationKind,
    retry_delay,
)
from subgraphs.profiles.ports import Mail, MailRefused
from subgraphs.profiles.services import mailing
from subgraphs.profiles.services.mail_texts import MailTexts, TextsInvalid, _templates
from subgraphs.profiles.settings import ProfilesSettings
from tests.subgraphs.profiles.conftest import Graph
from tests.support.smtp_server import SmtpTestServer, smtp_test_server

MAIL = Mail("note_1", "ada@example.org", "Grüße", "Erste Zeile\n.\nletzte Zeile\n", "de")
FROM = "noreply@marquee.example"


class Sender:
    """A sender of which each attempt fails as told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.mails = list(failures), list[Mail]()

    async def send(self, mail: Mail) -> None:
        self.mails.append(mail)
        if self.failures:
            raise self.failures.pop(0)


AWAY = ServiceError(ErrorKind.UNAVAILABLE, "the mail server can't be reached")


@pytest.fixture
async def account(graph: Graph) -> Account:
    account_id = AccountId((await graph.sign_up())["account"]["id"])
    await graph.services.mailing.send_due(graph.clock.now())
    return (await graph.services.accounts.accounts_by_id([account_id]))[account_id]


async def tell(graph: Graph, account: Account, kind: NotificationKind = NotificationKind.PASSWORD_CHANGED) -> bool:
    return await graph.services.notices.tell(account, kind, graph.clock.now(), key=f"{kind}-1")


# --- texts -----------------------------------------------------------------------------------------------------------


def test_every_language_says_everything_with_the_same_details() -> None:
    """And uses no other detail than the kind has."""
    texts = MailTexts.read()
    assert {"en", "de", "es"} <= texts.by_language.keys()
    for language, by_kind in texts.by_language.items():
        for kind, templates in by_kind.items():
            used = {name for template in templates for name in template.get_identifiers()}
            assert used == KIND_TABLE[kind].details, (language, kind)


@pytest.mark.parametrize(("language", "used"), [("de-AT", "de"), ("es-419", "es"), ("fr", "en"), ("zh-Hant-TW", "en")])
def test_the_nearest_language_is_used(language: str, used: str) -> None:
    """Shorter forms first, English in the end."""
    assert MailTexts.read().write(NotificationKind.WELCOME, language, {}).language == used


def test_a_file_without_a_kind_is_refused_by_name() -> None:
    """At the start, not when the mail is due."""
    with pytest.raises(TextsInvalid, match=r"xx.toml: \[WELCOME\] is None"):
        _templates("xx.toml", {})


def test_details_are_not_templates() -> None:
    """A name like $code stays a name."""
    assert Template("$profile").substitute(profile="$code") == "$code"


# --- what is wanted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("granted", [set(), {Purpose.MARKETING}, {Purpose.DIGEST}, set(Purpose)])
@pytest.mark.parametrize("category", list(MailCategory))
def test_security_always_comes_and_others_need_their_consent(category: MailCategory, granted: set[Purpose]) -> None:
    """Everything else unless it is muted; one consent is not another."""
    nothing, everything = MailPreferences(), MailPreferences(frozenset(MailCategory))
    needed = {MailCategory.MARKETING: Purpose.MARKETING, MailCategory.RECOMMENDATIONS: Purpose.DIGEST}.get(category)
    assert nothing.wants(category, granted) is (needed is None or needed in granted)
    assert everything.wants(category, granted) is (category is MailCategory.SECURITY)


async def test_news_go_to_who_agreed(graph: Graph, account: Account) -> None:
    """Others find them in the inbox only."""
    sender = Sender()
    graph.services.mailing.sender = sender
    details = {"headline": "New", "story": "films"}
    notices, now = graph.services.notices, graph.clock.now()
    assert await notices.tell(account, NotificationKind.NEWS, now, key="1", details=details)
    await graph.services.mailing.send_due(now)
    assert sender.mails == []
    consent = """mutation { setConsent(input: {purpose: MARKETING, granted: true, textVersion: 1}) { __typename } }"""
    log_in = """mutation { logIn(input: {email: "ada@example.org", password: "correct horse"}) {
      ... on LogInSuccess { session { accessToken } } } }"""
    token = (await graph.data(log_in))["logIn"]["session"]["accessToken"]
    await graph.data(consent, token=token)
    await notices.tell(account, NotificationKind.NEWS, now, key="2", details=details)
    await graph.services.mailing.send_due(now)
    assert "New" in [mail.subject for mail in sender.mails]


async def test_wrong_details_are_a_programming_error(graph: Graph, account: Account) -> None:
    """Named when the message is written, not when it is sent."""
    with pytest.raises(ValueError, match="PIN_LOCKED takes"):
        await tell(graph, account, NotificationKind.PIN_LOCKED)


# --- sending ---------------------------------------------------------------------------------------------------------


async def test_a_mail_is_tried_with_growing_pauses_and_then_given_up(graph: Graph, account: Account) -> None:
    """The same id at each attempt; no attempt before its time, none after the last."""
    sender = Sender(*[AWAY] * 20)
    graph.services.mailing.sender = sender
    await tell(graph, account)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        await graph.services.mailing.send_due(graph.clock.now())
        assert len(sender.mails) == attempt
        graph.clock.advance(retry_delay(attempt) - timedelta(seconds=1))
        await graph.services.mailing.send_due(graph.clock.now())
        assert len(sender.mails) == attempt
        graph.clock.advance(timedelta(seconds=1))
    await graph.services.mailing.send_due(graph.clock.now() + timedelta(days=9))
    assert len(sender.mails) == MAX_ATTEMPTS
    assert len({mail.id for mail in sender.mails}) == 1


async def test_a_mail_that_came_through_is_not_sent_again(graph: Graph, account: Account) -> None:
    """After two failures."""
    sender = Sender(AWAY, TimeoutError())
    graph.services.mailing.sender = sender
    await tell(graph, account)
    for _ in range(6):
        await graph.services.mailing.send_due(graph.clock.now())
        graph.clock.advance(timedelta(hours=1))
    assert len(sender.mails) == 3


async def test_a_refused_mail_is_not_tried_again_and_holds_up_none(graph: Graph, account: Account) -> None:
    """The next one goes out in the same round."""
    sender = Sender(MailRefused("550"))
    graph.services.mailing.sender = sender
    await tell(graph, account)
    await tell(graph, account, NotificationKind.EMAIL_CHANGED)
    await graph.services.mailing.send_due(graph.clock.now())
    graph.clock.advance(timedelta(days=1))
    await graph.services.mailing.send_due(graph.clock.now())
    assert len(sender.mails) == 2


def test_a_lease_outlives_its_batch() -> None:
    """Even when every mail of it takes as long as it may."""
    assert timedelta(seconds=mailing.BATCH_SIZE * mailing.SEND_DEADLINE_S) < mailing.LEASE


async def test_what_nobody_expected_stops_no_other_mail(
    graph: Graph, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request and a message that fail in a new way, as when their account is erased at that moment."""
    sender = Sender(RuntimeError("of a new kind"))
    graph.services.mailing.sender = sender
    now = graph.clock.now()
    find, calls = graph.services.accounts.credentials, list[str]()

    async def fail_once(address: str) -> Credentials | None:
        calls.append(address)
        if len(calls) == 1:
            raise RuntimeError("of a new kind, too")
        return await find(address)

    monkeypatch.setattr(graph.services.accounts, "credentials", fail_once)
    for _ in range(2):
        assert await graph.services.passwords.ask_reset(account.email, "192.0.2.1", now) is None
    await tell(graph, account)
    assert await graph.services.mailing.send_due(now) == 2
    assert len(calls) == 2
    graph.clock.advance(timedelta(minutes=1))
    assert await graph.services.mailing.send_due(graph.clock.now()) == 1
    assert len({mail.id for mail in sender.mails}) == 2
    assert len(sender.mails) == 3


async def test_the_mailing_lives_on_whatever_happens(graph: Graph, account: Account) -> None:
    """A round that fails in a new way is the last of nothing."""
    sender = Sender()
    graph.services.mailing.sender = sender
    store, failed = graph.services.mailing.notifications, asyncio.Event()

    class Failing:
        async def claim_due(self, *_: object) -> object:
            graph.services.mailing.notifications = store
            failed.set()
            raise RuntimeError("of a new kind")

    graph.services.mailing.notifications = Failing()
    async with graph.services.mailing.running(graph.clock), asyncio.timeout(10):
        await failed.wait()
        await tell(graph, account)
        while not sender.mails:  # noqa: ASYNC110  # the other side is a task with a store
            await asyncio.sleep(0.005)


async def test_each_attempt_carries_a_code_of_its_own(graph: Graph, account: Account) -> None:
    """The one before is void, so that an attempt that may have come through is not the last word."""
    sender = Sender(AWAY)
    graph.services.mailing.sender = sender
    await graph.services.passwords.ask_reset(account.email, "192.0.2.1", graph.clock.now())
    await graph.services.mailing.send_due(graph.clock.now())
    graph.clock.advance(timedelta(minutes=1))
    await graph.services.mailing.send_due(graph.clock.now())
    assert len({mail.body for mail in sender.mails}) == 2


async def test_the_mailing_wakes_up_for_a_message(graph: Graph, account: Account) -> None:
    """And is gone at the block's end."""
    sender = Sender()
    graph.services.mailing.sender = sender
    async with graph.services.mailing.running(graph.clock), asyncio.timeout(10):
        await asyncio.sleep(0)
        await tell(graph, account)
        while not sender.mails:  # noqa: ASYNC110  # the other side is a task with a store
            await asyncio.sleep(0.005)


# --- ways out --------------------------------------------------------------------------------------------------------


def read(content: bytes) -> email.message.EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, email.message.EmailMessage)
    return message


def check(message: email.message.EmailMessage) -> None:
    assert message["To"] == "ada@example.org"
    assert message["From"] == f"Marquee <{FROM}>"
    assert message["Subject"] == "Grüße"
    assert message["Message-ID"] == "<note_1@marquee.example>"
    assert message.get_content().replace("\r\n", "\n") == MAIL.body


async def test_a_spooled_mail_is_a_file_for_the_owner_alone(tmp_path: Path) -> None:
    """The same mail again is the same file; the oldest go beyond the bound."""
    sender = SpoolMailSender(tmp_path / "mail", FROM)
    await sender.send(MAIL)
    await sender.send(MAIL)
    [path] = list((tmp_path / "mail").iterdir())
    check(read(path.read_bytes()))
    assert (path.stat().st_mode & 0o077, path.parent.stat().st_mode & 0o077) == (0, 0)


async def test_the_spool_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go."""
    monkeypatch.setattr(spool, "MAX_FILES", 3)
    sender = SpoolMailSender(tmp_path, FROM)
    for number in range(5):
        await sender.send(Mail(f"note_{number}", "a@example.org", "s", "b", "en"))
    kept = sorted(entry.name for entry in os.scandir(tmp_path))
    assert kept == [f"note_{number}.eml" for number in (2, 3, 4)]


async def test_a_folder_that_can_not_be_written_is_worth_another_try(tmp_path: Path) -> None:
    """UNAVAILABLE, without a path."""
    (tmp_path / "mail").touch()
    with pytest.raises(ServiceError) as caught:
        await SpoolMailSender(tmp_path / "mail", FROM).send(MAIL)
    assert str(tmp_path) not in caught.value.message


@pytest.fixture
async def server() -> AsyncIterator[SmtpTestServer]:
    async with smtp_test_server() as made:
        yield made


async def test_a_mail_goes_over_smtp_as_it_is(server: SmtpTestServer) -> None:
    """Letters, lines and dots."""
    sender = SmtpMailSender(SmtpServer("127.0.0.1", server.port, False, None, None), FROM)
    await sender.send(MAIL)
    sender.close()
    assert server.recipients == ["ada@example.org"]
    check(read(server.mails[0].removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")))


@pytest.mark.parametrize(
    ("command", "answer", "is_final"),
    [
        ("RCPT", "550 no such user", True),
        ("RCPT", "450 try later", False),
        ("DATA", "554 looks like spam", True),
        ("MAIL", "451 busy", False),
        ("EHLO", "421 closing", False),
    ],
)
async def test_the_servers_word_decides_about_another_try(
    server: SmtpTestServer, command: str, answer: str, is_final: bool
) -> None:
    """5xx for good, everything else later; no error tells the address."""
    server.refusals = {command: answer, "HELO": "421 closing"}
    sender = SmtpMailSender(SmtpServer("127.0.0.1", server.port, False, None, None), FROM)
    with pytest.raises(MailRefused if is_final else ServiceError) as caught:
        await sender.send(MAIL)
    sender.close()
    assert "ada@example.org" not in str(caught.value)


async def test_a_server_that_is_away_is_worth_another_try() -> None:
    """Nobody listens there."""
    sender = SmtpMailSender(SmtpServer("127.0.0.1", 9, False, None, None), FROM)
    with pytest.raises(ServiceError):
        await sender.send(MAIL)
    sender.close()


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", SmtpServer("mail.example.org", 587, False, None, None)),
        ("smtps://u%40x:p%2Fw@mail.example.org:2465", SmtpServer("mail.example.org", 2465, True, "u@x", "p/w")),
    ],
)
def test_servers_are_given_by_url(url: str, server: SmtpServer) -> None:
    """Mails leave this machine encrypted, always."""
    assert read_smtp_url(url) == server
    assert server.is_tls or server.needs_starttls


@pytest.mark.parametrize("url", ["mail.example.org", "http://hunter2@h", "smtp://", "smtp://u:hunter2@h/inbox"])
def test_a_wrong_url_is_refused_without_telling_its_password(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the settings are read."""
    monkeypatch.setenv("MARQUEE_PROFILES_MAIL_URL", url)
    with pytest.raises(SettingsInvalid) as caught:
        ProfilesSettings.load(shared=SharedSettings(state_dir=tmp_path))
    assert "MARQUEE_PROFILES_MAIL_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("recipient", ["a@b@c", "ada@example.org\r\nBcc: all@example.org", "", "x" * 300])
def test_an_address_that_fits_no_header_is_refused(recipient: str) -> None:
    """Without repeating it."""
    with pytest.raises(MailRefused) as caught:
        build_message(Mail("note_1", recipient, "s", "b", "en"), FROM)
    assert not recipient or recipient not in str(caught.value)
