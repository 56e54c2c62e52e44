"""Digests: asked for, written once a week, looked at again as they leave, and ended by a link without a log-in."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from common.events import Event
from common.tokens import TokenInvalid, sign_access_token
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.kernel.policy import TitleFacts
from subgraphs.kernel.sql import reading
from subgraphs.profiles.adapters.mail.message import build_message
from subgraphs.profiles.adapters.sqlalchemy.tables import OUTBOX
from subgraphs.profiles.adapters.sqlalchemy.title_facts import SqlTitleFactsStore
from subgraphs.profiles.api.unsubscribe_page import MAX_BODY_BYTES, unsubscribe_route
from subgraphs.profiles.domain.accounts import Subscription, SubscriptionStatus
from subgraphs.profiles.domain.consents import ConsentSource, Purpose
from subgraphs.profiles.domain.lists import KnownTitle
from subgraphs.profiles.ports import Mail
from subgraphs.profiles.services.unsubscribing import LINK_LIFE
from tests.subgraphs.profiles.conftest import EVERYWHERE, Graph

CONSENT = """mutation($granted: Boolean!, $purpose: ConsentPurpose!) {
  setConsent(input: {purpose: $purpose, granted: $granted, textVersion: 1}) { __typename } }"""
WEEK = "2026-11-20"
NEW = ("mov_film", "mov_cartoon", "mov_new1", "mov_new2")
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@dataclass
class Household:
    """An account that asked for digests, what was mailed to it, and the page behind the link."""

    graph: Graph
    session: Mapping[str, Any]
    page: httpx.AsyncClient
    mails: list[Mail] = field(default_factory=list)

    async def send(self, mail: Mail) -> None:
        self.mails.append(mail)

    @property
    def token(self) -> str:
        return str(self.session["accessToken"])

    @property
    def account_id(self) -> AccountId:
        return AccountId(self.session["account"]["id"])

    @property
    def profile_id(self) -> ProfileId:
        return ProfileId(self.session["account"]["profiles"][0]["id"])

    async def consent(self, *, granted: bool, purpose: str = "DIGEST") -> None:
        result = await self.graph.data(CONSENT, {"granted": granted, "purpose": purpose}, token=self.token)
        assert result["setConsent"]["__typename"] == "SetConsentSuccess"

    async def compose(self, *title_ids: str, week: str = WEEK, **changes: Any) -> None:
        """Deliver what recommendations composed."""
        titles = [
            {"titleId": id_, "displayName": f"Film <{id_}>", "releaseYear": 1925, "reason": f"Because of {id_}"}
            for id_ in title_ids or NEW
        ]
        data = {"profileId": self.profile_id, "accountId": self.account_id, "week": week, "titles": titles, **changes}
        event = Event("digests", "digest.composed", data, self.graph.clock.now(), f"digest:{self.profile_id}:{week}")
        await self.graph.services.mailing.digests.handle(event)

    async def delivered(self) -> list[Mail]:
        """Send what waits, and take the digests."""
        await self.graph.services.mailing.send_due(self.graph.clock.now())
        found = [mail for mail in self.mails if mail.unsubscribe_url is not None]
        self.mails.clear()
        return found

    async def may(self, purpose: Purpose = Purpose.DIGEST) -> bool:
        standing = await self.graph.services.preferring.standing(self.account_id)
        return {each.purpose: each.is_granted for each in standing}[purpose]

    def path(self, mail: Mail) -> str:
        assert mail.unsubscribe_url is not None
        return mail.unsubscribe_url.removeprefix("http://127.0.0.1:4000")


@pytest.fixture
async def home(graph: Graph, films: Sequence[str]) -> AsyncIterator[Household]:
    free = TitleFacts(minimum_age=0, is_kids=False, windows=EVERYWHERE)
    known = [KnownTitle(TitleId(id_), "MOVIE", free) for id_ in NEW[2:]]
    await SqlTitleFactsStore(graph.engine).put_titles(known, graph.clock.now())
    unsubscribing = graph.services.unsubscribing
    route = unsubscribe_route(
        lambda _, token: unsubscribing.links.read(token),
        lambda _, token: unsubscribing.stop(token, graph.clock.now()),
    )
    transport = httpx.ASGITransport(Starlette(routes=[route]))
    async with httpx.AsyncClient(transport=transport, base_url="http://profiles") as page:
        household = Household(graph, await graph.sign_up(), page)
        graph.services.mailing.sender = household
        await household.delivered()
        await household.consent(granted=True)
        yield household


# --- what is mailed --------------------------------------------------------------------------------------------------


async def test_a_digest_comes_once_for_a_week(home: Household) -> None:
    """However often it is told; the next week's comes again."""
    await home.compose()
    await home.compose("mov_new1", "mov_new2", "mov_cartoon")
    [mail] = await home.delivered()
    assert mail.subject == "New on Marquee for Ada"
    assert "Film <mov_film> (1925)\n    Because of mov_film" in mail.body
    await home.compose()
    assert await home.delivered() == []
    home.graph.clock.advance(timedelta(days=7))
    await home.compose(week="2026-11-27")
    assert len(await home.delivered()) == 1


async def test_long_names_in_any_alphabet_are_kept(home: Household) -> None:
    """Eight films with the longest names and reasons that are kept of any."""
    long = {"displayName": "映画の" * 160, "releaseYear": 1925, "reason": "あなたが見た" * 90}
    titles = [{"titleId": id_, **long} for id_ in (*NEW, *(f"mov_unknown{number}" for number in range(4)))]
    await home.compose(titles=titles)
    [mail] = await home.delivered()
    assert "映画の映画の" in mail.body


async def test_nobody_gets_one_who_did_not_ask(home: Household) -> None:
    """By default, with consent to news alone, or with such mails muted."""
    await home.consent(granted=False)
    await home.consent(granted=True, purpose="MARKETING")
    await home.compose()
    assert await home.delivered() == []
    await home.consent(granted=True)
    await home.graph.data("mutation { setMutedMails(muted: [RECOMMENDATIONS]) { __typename } }", token=home.token)
    await home.compose()
    assert await home.delivered() == []


async def test_consent_that_ended_before_sending_counts(home: Household) -> None:
    """Also when it is given again later: that mail is gone."""
    await home.compose()
    await home.consent(granted=False)
    assert await home.delivered() == []
    await home.consent(granted=True)
    home.graph.clock.advance(timedelta(minutes=20))
    assert await home.delivered() == []


async def test_what_the_profile_may_not_see_is_left_out(home: Household) -> None:
    """By its limits as they are when the mail leaves; with fewer than three left there is none."""
    await home.compose(*NEW, "mov_adult", "mov_german", "mov_withdrawn", "mov_unknown")
    limit = """mutation($id: ID!) { updateProfile(input: {id: $id, maturityLimit: 7}) { __typename } }"""
    await home.graph.data(limit, {"id": home.profile_id}, token=home.token)
    [mail] = await home.delivered()
    assert re.findall(r"Film <(\w+)>", mail.body) == ["mov_cartoon", "mov_new1", "mov_new2"]
    await home.compose("mov_film", "mov_new1", "mov_new2", week="2026-11-27")
    assert await home.delivered() == []


async def test_a_child_and_somebody_elses_profile_get_none(home: Household) -> None:
    """Whatever is told of them."""
    await home.graph.kid_token(home.session)
    profiles = (await home.graph.services.accounts.profiles_by_account([home.account_id]))[home.account_id]
    child = next(each for each in profiles if each.is_kids)
    other = await home.graph.sign_up("bob@example.org")
    await home.delivered()
    await home.compose("mov_cartoon", "mov_cartoon", "mov_cartoon", profileId=child.id)
    await home.compose(profileId=other["account"]["profiles"][0]["id"])
    await home.compose(profileId="prof_gone")
    assert await home.delivered() == []


async def test_who_can_not_watch_gets_none(home: Household) -> None:
    """A subscription that is over has nothing new."""
    await home.compose()
    over = Subscription(SubscriptionStatus.EXPIRED, None)
    await home.graph.services.accounts.set_subscription(home.account_id, over)
    assert await home.delivered() == []


async def test_old_news_are_none(home: Household) -> None:
    """Whether they waited to be heard or to be sent."""
    await home.compose()
    home.graph.clock.advance(timedelta(days=4))
    assert await home.delivered() == []


async def test_a_pin_keeps_reasons_in_the_profile(home: Household) -> None:
    """Others in the house read the account's mails."""
    pin = """mutation($id: ID!) { setPin(input: {profileId: $id, pin: "4711", password: "correct horse"}) {
      __typename } }"""
    result = await home.graph.data(pin, {"id": home.profile_id}, token=home.token)
    assert result["setPin"]["__typename"] == "SetPinSuccess"
    await home.compose()
    [mail] = await home.delivered()
    assert "Film <mov_film>" in mail.body
    assert mail.html is not None
    assert "Because" not in mail.body + mail.html


async def test_the_mail_has_two_forms_and_a_link_for_programs(home: Household) -> None:
    """HTML with nothing of the catalogue's in its markup; the link whole on one line, whatever its length."""
    await home.compose()
    [mail] = await home.delivered()
    raw = build_message(mail, "noreply@marquee.example").as_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["List-Unsubscribe"] == f"<{mail.unsubscribe_url}>"
    assert f"<{mail.unsubscribe_url}>".encode() in raw
    assert raw.split(b"\r\n\r\n")[0].count(b"MIME-Version: 1.0") == raw.count(b"MIME-Version") == 1
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]  # type: ignore[attr-defined]
    plain, html = (part.get_content() for part in message.iter_parts())  # type: ignore[attr-defined]
    assert str(mail.unsubscribe_url) in plain
    assert f'<a href="{mail.unsubscribe_url}">http://127.0.0.1:4000/unsubscribe</a>' in html
    assert "<li><strong>Film &lt;mov_film&gt; (1925)</strong><br><small>Because of mov_film</small></li>" in html
    body_lines = raw.split(b"\r\n\r\n", 1)[1].split(b"\r\n")
    assert max(map(len, body_lines)) <= 78


async def test_who_composes_hears_of_every_profile(home: Household) -> None:
    """When it is asked for and when it ends; others' decisions say it, too."""

    async def told() -> list[Any]:
        wanted = select(OUTBOX.table).where(OUTBOX.table.c.kind == "profile.changed")
        async with reading(home.graph.engine) as connection:
            rows = (await connection.execute(wanted.order_by(OUTBOX.table.c.sequence))).mappings()
            return [(row["data"]["profileId"], row["data"]["digest"], row["data"]["personalisation"]) for row in rows]

    assert await told() == [(home.profile_id, True, True)]
    await home.consent(granted=False, purpose="PERSONALISATION")
    await home.consent(granted=False)
    assert await told() == [(home.profile_id, True, True), (home.profile_id, False, False)]


# --- the link --------------------------------------------------------------------------------------------------------


async def link_of(home: Household) -> str:
    await home.compose()
    [mail] = await home.delivered()
    return home.path(mail)


async def test_the_link_ends_digests_without_a_log_in_as_often_as_it_is_used(home: Household) -> None:
    """And nothing else; the decision is kept with where it was made."""
    path = await link_of(home)
    await home.consent(granted=True, purpose="MARKETING")
    for _ in range(2):
        answer = await home.page.post(path, data=ONE_CLICK)
        assert (answer.status_code, "You get no more" in answer.text) == (200, True)
        assert not await home.may()
    assert await home.may(Purpose.MARKETING)
    records = (await home.graph.services.preferring.consents.records_by_account([home.account_id]))[home.account_id]
    assert [record.source for record in records if record.purpose is Purpose.DIGEST] == [
        ConsentSource.SETTINGS,
        ConsentSource.MAIL,
    ]


async def test_opening_the_link_changes_nothing(home: Household) -> None:
    """Programs that look for bad links open every one; nor does a POST without the words."""
    path = await link_of(home)
    answer = await home.page.get(path)
    assert (answer.status_code, "<button" in answer.text) == (200, True)
    assert answer.headers["cache-control"] == "no-store"
    for body in (b"", b"x" * (MAX_BODY_BYTES + 1) + b"List-Unsubscribe=One-Click"):
        assert (await home.page.post(path, content=body)).status_code == 400
    assert await home.may()


async def test_a_link_that_is_not_ours_is_refused(home: Household) -> None:
    """Changed, signed by another key or for another door, or too old; an account that is gone is no error."""
    path = await link_of(home)
    head, _, signature = path.rpartition(".")
    links = home.graph.services.unsubscribing.links
    forged = f"{head}.{'A' * len(signature)}"
    access = f"/unsubscribe/{home.token}"
    key, now = links.ring.signing_key(), home.graph.clock.now()
    other_door = f"/unsubscribe/{sign_access_token(key, home.graph.viewer(home.token), now, timedelta(hours=1))}"
    for bad in (forged, access, other_door, "/unsubscribe/x"):
        assert (await home.page.get(bad)).status_code == 400
        assert (await home.page.post(bad, data=ONE_CLICK)).status_code == 400
    gone = links.link(AccountId("acc_gone"), Purpose.DIGEST, now)
    assert (await home.page.post(gone.removeprefix("http://127.0.0.1:4000"), data=ONE_CLICK)).status_code == 200
    home.graph.clock.advance(LINK_LIFE + timedelta(minutes=1))
    assert (await home.page.post(path, data=ONE_CLICK)).status_code == 410
    assert await home.may()
    with pytest.raises(TokenInvalid):
        links.read(path.rpartition("/")[2])
