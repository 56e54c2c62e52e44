"""Preferences, consent, thumbs, averages and the inbox through the graph."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import FakeClock
from subgraphs.kernel.ids import AccountId
from subgraphs.kernel.sql import reading
from subgraphs.profiles.adapters.sqlalchemy.tables import OUTBOX
from subgraphs.profiles.domain import consents as consent_domain
from subgraphs.profiles.domain.consents import ConsentRecord, ConsentSource, Purpose, PurposeTerms, standing_consents
from subgraphs.profiles.domain.countries import COUNTRIES
from subgraphs.profiles.domain.languages import LANGUAGES, normalise_language
from subgraphs.profiles.domain.notifications import NotificationKind as Kind
from subgraphs.profiles.services import preferring
from tests.subgraphs.profiles.conftest import START, Graph

REFERENCE = Path(__file__).parents[4] / "shared" / "data" / "reference"
NEW_DEFAULTS = {
    "audioLanguages": [],
    "subtitleLanguages": [],
    "subtitleMode": "FORCED_ONLY",
    "autoplayNext": True,
    "autoplayPreviews": True,
    "dataSaver": "OFF",
    "interfaceLanguage": None,
}
FIELDS = "audioLanguages subtitleLanguages subtitleMode autoplayNext autoplayPreviews dataSaver interfaceLanguage"
SET = f"""mutation($input: SetPreferencesInput!) {{ setPreferences(input: $input) {{ __typename
  ... on SetPreferencesSuccess {{ profile {{ id preferences {{ {FIELDS} }} }} }}
  ... on InvalidInput {{ fields {{ path message }} }} ... on NotPermitted {{ message }} }} }}"""
CONSENT = """mutation($input: SetConsentInput!) { setConsent(input: $input) { __typename
  ... on SetConsentSuccess { consent { purpose granted isOutdated decidedAt source }
    account { consents { purpose granted } } }
  ... on InvalidInput { fields { path message } } ... on NotPermitted { message } } }"""
CONSENTS = "{ viewer { account { consents { purpose granted textVersion isOutdated decidedAt source } } } }"
MUTE = """mutation($muted: [MailCategory!]!) { setMutedMails(muted: $muted) { __typename
  ... on SetMutedMailsSuccess { account { mutedMails } } } }"""
THUMB = """mutation($id: ID!, $thumb: Thumb) { setThumb(titleId: $id, thumb: $thumb) { __typename
  ... on SetThumbSuccess { title { id thumb } } } }"""
RATE = """mutation($id: ID!, $stars: Int) { rateTitle(titleId: $id, stars: $stars) {
  ... on RateTitleSuccess { title { rating { stars } averageRating { average count } } } } }"""
TITLES = """query($ids: [_Any!]!) { _entities(representations: $ids) {
  ... on Title { id thumb averageRating { average count } } } }"""
INBOX = """query($first: Int, $after: String) { viewer { account { unreadNotificationCount
  notifications(first: $first, after: $after) { edges { cursor node { id kind subject readAt } }
    pageInfo { hasNextPage endCursor } } } } }"""
READ = """mutation($ids: [ID!]) { markNotificationsRead(ids: $ids) { __typename
  ... on MarkNotificationsReadSuccess { markedCount account { unreadNotificationCount } } } }"""


async def prefer(graph: Graph, token: str | None, **values: Any) -> dict[str, Any]:
    result: dict[str, Any] = (await graph.data(SET, {"input": values}, token=token))["setPreferences"]
    return result


async def decide(graph: Graph, token: str | None, purpose: str, version: int = 1, **values: Any) -> dict[str, Any]:
    wanted = {"purpose": purpose, "textVersion": version, **values}
    result: dict[str, Any] = (await graph.data(CONSENT, {"input": wanted}, token=token))["setConsent"]
    return result


# --- languages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("en", "en"),
        (" PT-br ", "pt-BR"),
        ("zh_hant", "zh-Hant"),
        ("sr-latn-rs", "sr-Latn-RS"),
        ("es-419", "es-419"),
        ("gsw", "gsw"),
        ("xx", None),
        ("en-XX", None),
        ("english", None),
        ("", None),
        ("en-US-x-mine", None),
        ("\u0435n", None),
    ],
)
def test_languages_have_one_form(text: str, tag: str | None) -> None:
    """BCP 47's language, script and region; nothing that is not registered."""
    assert normalise_language(text) == tag


@given(st.text(max_size=12))
def test_normal_forms_stay(text: str) -> None:
    """Whatever comes in, the form that goes out is its own form."""
    tag = normalise_language(text)
    assert tag is None or normalise_language(tag) == tag


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference lists are not beside the repository")
def test_languages_and_countries_are_those_that_there_are() -> None:
    """Against ISO's lists, and the tags of a large locale repository."""

    def column(file: str, name: str) -> set[str]:
        with (REFERENCE / file).open(encoding="utf-8") as lines:
            return {row[name] for row in csv.DictReader(lines) if row[name]}

    assert column("language-codes.csv", "alpha2") == LANGUAGES
    assert column("country-codes.csv", "ISO3166-1-Alpha-2") == COUNTRIES
    tags = {tag for tag in column("ietf-language-tags.csv", "lang") if tag.count("-") < 3}
    refused = {tag for tag in tags if normalise_language(tag) != tag and len(tag.split("-")[-1]) < 5}
    # Places that ISO reserves or leaves out, and what is no language.
    assert {tag for tag in refused if tag.split("-")[-1] not in {"XK", "DG", "EA", "IC"}} <= {"root", "sh"}


# --- preferences -----------------------------------------------------------------------------------------------------


async def test_preferences_have_defaults_and_change_one_by_one(graph: Graph) -> None:
    """Languages in their order, in normal form and once."""
    token = await graph.viewer_token()
    first = await prefer(graph, token)
    assert first["profile"]["preferences"] == NEW_DEFAULTS
    changed = await prefer(graph, token, audioLanguages=["de", "PT-br", "DE"], dataSaver="ALWAYS", autoplayNext=False)
    wanted = {**NEW_DEFAULTS, "audioLanguages": ["de", "pt-BR"], "dataSaver": "ALWAYS", "autoplayNext": False}
    assert changed["profile"]["preferences"] == wanted
    again = await prefer(graph, token, interfaceLanguage="es", autoplayNext=True)
    assert again["profile"]["preferences"] == {**wanted, "interfaceLanguage": "es", "autoplayNext": True}
    assert (await prefer(graph, token, interfaceLanguage=""))["profile"]["preferences"]["interfaceLanguage"] is None


async def test_wrong_languages_are_named_by_place_and_nothing_changes(graph: Graph) -> None:
    """All at once; lists are bounded."""
    token = await graph.viewer_token()
    result = await prefer(
        graph,
        token,
        audioLanguages=["en", "xx"],
        subtitleLanguages=["en"] * 9,
        interfaceLanguage="?",
        autoplayNext=False,
    )
    assert {field["path"] for field in result["fields"]} == {
        "input.audioLanguages.1",
        "input.subtitleLanguages",
        "input.interfaceLanguage",
    }
    assert (await prefer(graph, token))["profile"]["preferences"] == NEW_DEFAULTS


async def test_a_child_changes_its_own_preferences_only(graph: Graph) -> None:
    """A grown-up those of the household, and nobody another household's."""
    session = await graph.sign_up()
    ada = session["account"]["profiles"][0]["id"]
    kid = await graph.kid_token(session)
    milo = graph.viewer(kid).profile_id
    assert (await prefer(graph, kid, audioLanguages=["de"]))["profile"]["id"] == milo
    assert (await prefer(graph, kid, profileId=ada))["__typename"] == "NotPermitted"
    grown_up = (await graph.select(session, ada))["accessToken"]
    assert (await prefer(graph, grown_up, profileId=milo))["profile"]["preferences"]["audioLanguages"] == ["de"]
    stranger = await graph.viewer_token("eve@example.org")
    assert (await prefer(graph, stranger, profileId=ada))["__typename"] == "ProfileNotFound"
    assert (await prefer(graph, None))["__typename"] == "NoProfileSelected"
    assert (await prefer(graph, None, profileId=ada))["__typename"] == "NotSignedIn"


# --- consent ---------------------------------------------------------------------------------------------------------


async def test_marketing_is_off_until_agreed_to(graph: Graph) -> None:
    """Everything stands by default at first."""
    token = await graph.viewer_token()
    consents = (await graph.data(CONSENTS, token=token))["viewer"]["account"]["consents"]
    assert {each["purpose"]: each["granted"] for each in consents} == {
        "MARKETING": False,
        "PERSONALISATION": True,
        "ANALYTICS": False,
        "DIGEST": False,
    }
    assert all(each["decidedAt"] is None and not each["isOutdated"] for each in consents)


async def test_every_decision_is_kept_and_told(graph: Graph, engine: AsyncEngine, clock: FakeClock) -> None:
    """With instant, version and source; the same again is none. Others hear it with the profiles concerned."""
    session = await graph.sign_up()
    token, account_id = session["accessToken"], session["account"]["id"]
    given = await decide(graph, token, "MARKETING", granted=True, source="SIGN_UP")
    assert given["consent"]["granted"]
    assert {"purpose": "MARKETING", "granted": True} in given["account"]["consents"]
    clock.advance(timedelta(minutes=1))
    await decide(graph, token, "MARKETING", granted=True)
    await decide(graph, token, "MARKETING", granted=False)
    await decide(graph, token, "PERSONALISATION", granted=False)
    kept = (await graph.services.preferring.consents.records_by_account([AccountId(account_id)]))[AccountId(account_id)]
    later = START + timedelta(minutes=1, milliseconds=1)
    assert kept == (
        ConsentRecord(Purpose.MARKETING, True, 1, ConsentSource.SIGN_UP, START + timedelta(milliseconds=1)),
        ConsentRecord(Purpose.MARKETING, False, 1, ConsentSource.SETTINGS, later),
        ConsentRecord(Purpose.PERSONALISATION, False, 1, ConsentSource.SETTINGS, later),
    )
    async with reading(engine) as connection:
        wanted = select(OUTBOX.table.c.data).where(OUTBOX.table.c.kind == "consent.changed")
        told = (await connection.execute(wanted.order_by(OUTBOX.table.c.sequence))).scalars().all()
    assert told[-1] == {
        "accountId": account_id,
        "profileIds": [session["account"]["profiles"][0]["id"]],
        "purpose": "PERSONALISATION",
        "granted": False,
        "textVersion": 1,
    }
    assert len(told) == 3


async def test_who_agrees_has_seen_todays_words(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older version is no consent; saying no is always possible, and older consent asks again."""
    token = await graph.viewer_token()
    await decide(graph, token, "MARKETING", granted=True)
    monkeypatch.setitem(consent_domain.PURPOSES, Purpose.MARKETING, PurposeTerms(version=2, default=False))
    consents = (await graph.data(CONSENTS, token=token))["viewer"]["account"]["consents"]
    assert consents[0] == {
        "purpose": "MARKETING",
        "granted": True,
        "textVersion": 2,
        "isOutdated": True,
        "decidedAt": consents[0]["decidedAt"],
        "source": "SETTINGS",
    }
    for version in (1, 3, 0):
        result = await decide(graph, token, "MARKETING", version, granted=True)
        assert [field["path"] for field in result["fields"]] == ["input.textVersion"]
    assert not (await decide(graph, token, "MARKETING", 1, granted=False))["consent"]["granted"]


async def test_a_child_and_a_stranger_decide_nothing(graph: Graph) -> None:
    """Consent is the account holder's."""
    kid = await graph.kid_token(await graph.sign_up())
    assert (await decide(graph, kid, "MARKETING", granted=True))["__typename"] == "NotPermitted"
    assert (await decide(graph, None, "MARKETING", granted=True))["__typename"] == "NotSignedIn"


async def test_decisions_are_bounded_and_withdrawing_always_fits(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that flips the switch comes to an end, with a no."""
    monkeypatch.setattr(preferring, "MAX_CONSENT_RECORDS", 3)
    token = await graph.viewer_token()
    kinds = []
    for turn in range(6):
        result = await decide(graph, token, "MARKETING", granted=turn % 2 == 0)
        kinds.append(result["__typename"])
    assert kinds == ["SetConsentSuccess"] * 4 + ["NotPermitted", "SetConsentSuccess"]
    consents = (await graph.data(CONSENTS, token=token))["viewer"]["account"]["consents"]
    assert not consents[0]["granted"]


def test_a_purpose_stands_by_its_last_decision() -> None:
    """Whatever was decided on others."""
    records = [
        ConsentRecord(purpose, granted, 1, ConsentSource.SETTINGS, START)
        for purpose, granted in [(Purpose.ANALYTICS, True), (Purpose.MARKETING, True), (Purpose.ANALYTICS, False)]
    ]
    standing = {consent.purpose: consent.is_granted for consent in standing_consents(records)}
    assert standing == {
        Purpose.MARKETING: True,
        Purpose.PERSONALISATION: True,
        Purpose.ANALYTICS: False,
        Purpose.DIGEST: False,
    }


# --- thumbs and averages ---------------------------------------------------------------------------------------------


async def test_a_thumb_is_set_changed_cleared_and_told(graph: Graph, films: Sequence[str], engine: AsyncEngine) -> None:
    """Each profile's own."""
    ada, bob = await graph.viewer_token(), await graph.viewer_token("bob@example.org")

    async def thumb(token: str, thumb: str | None) -> str | None:
        result = (await graph.data(THUMB, {"id": "mov_film", "thumb": thumb}, token=token))["setThumb"]
        value: str | None = result["title"]["thumb"]
        return value

    assert [await thumb(ada, value) for value in ("UP", "NOT_INTERESTED", None)] == ["UP", "NOT_INTERESTED", None]
    assert await thumb(bob, "DOWN") == "DOWN"
    wanted = select(OUTBOX.table.c.data).where(OUTBOX.table.c.kind == "title.thumbed")
    async with reading(engine) as connection:
        told = (await connection.execute(wanted.order_by(OUTBOX.table.c.sequence))).scalars().all()
    assert [data["thumb"] for data in told] == ["UP", "NOT_INTERESTED", None, "DOWN"]


@pytest.mark.parametrize("title_id", ["mov_adult", "mov_film", "mov_german", "mov_withdrawn", "mov_unknown"])
async def test_what_a_child_may_not_see_has_no_thumb(graph: Graph, films: Sequence[str], title_id: str) -> None:
    """Forbidden and unknown titles look the same."""
    kid = await graph.kid_token(await graph.sign_up())
    result = (await graph.data(THUMB, {"id": title_id, "thumb": "UP"}, token=kid))["setThumb"]
    assert result == {"__typename": "TitleNotFound"}
    assert (await graph.data(THUMB, {"id": "mov_film", "thumb": "UP"}))["setThumb"]["__typename"] == "NoProfileSelected"


async def test_the_average_is_of_all_profiles(graph: Graph, films: Sequence[str]) -> None:
    """Told with the rating, and to everybody by the title; null without any rating."""
    tokens = [await graph.viewer_token(f"{name}@example.org") for name in ("ada", "bob", "cyd")]
    for token, stars in zip(tokens, (5, 4, 4), strict=True):
        result = (await graph.data(RATE, {"id": "mov_film", "stars": stars}, token=token))["rateTitle"]["title"]
    assert result["averageRating"] == {"average": pytest.approx(13 / 3), "count": 3}
    ids = [{"__typename": "Title", "id": title_id} for title_id in ("mov_film", "mov_cartoon")]
    film, cartoon = (await graph.data(TITLES, {"ids": ids}))["_entities"]
    assert film["averageRating"] == {"average": pytest.approx(13 / 3), "count": 3}
    assert cartoon["averageRating"] is None


async def test_a_page_of_titles_costs_the_same_however_long(graph: Graph, films: Sequence[str]) -> None:
    """Thumbs and averages are read for all titles at once."""
    token = await graph.viewer_token()
    counts = []
    for count in (1, 100):
        ids = [{"__typename": "Title", "id": f"mov_{number}"} for number in range(count)]
        await graph.data(TITLES, {"ids": ids}, token=token)
        counts.append(len(graph.statements))
    assert counts[0] == counts[1]


# --- the inbox -------------------------------------------------------------------------------------------------------


async def test_the_inbox_speaks_the_accounts_language_and_keeps_what_was_read(graph: Graph, clock: FakeClock) -> None:
    """Newest first, page by page."""
    session = await graph.sign_up()
    token, profile_id = session["accessToken"], session["account"]["profiles"][0]["id"]
    update = """mutation($id: ID!) { updateProfile(input: {id: $id, language: "de-AT"}) { __typename } }"""
    await graph.data(update, {"id": profile_id}, token=token)
    account = (await graph.services.accounts.accounts_by_id([AccountId(session["account"]["id"])]))[
        AccountId(session["account"]["id"])
    ]
    for number in range(3):
        clock.advance(timedelta(minutes=1))
        details = {"profile": "Ada\r\nBcc: all@example.org", "minutes": "15"}
        notices = graph.services.notices
        assert await notices.tell(account, Kind.PIN_LOCKED, clock.now(), key=f"lock-{number}", details=details)
        assert not await notices.tell(account, Kind.PIN_LOCKED, clock.now(), key=f"lock-{number}", details=details)
    page = (await graph.data(INBOX, {"first": 2}, token=token))["viewer"]["account"]
    assert page["unreadNotificationCount"] == 4
    assert [edge["node"]["subject"] for edge in page["notifications"]["edges"]] == [
        "Zu viele falsche PINs für ein Profil"
    ] * 2
    after = page["notifications"]["pageInfo"]["endCursor"]
    rest = (await graph.data(INBOX, {"first": 50, "after": after}, token=token))["viewer"]["account"]["notifications"]
    assert [edge["node"]["kind"] for edge in rest["edges"]] == ["PIN_LOCKED", "WELCOME"]
    assert not rest["pageInfo"]["hasNextPage"]
    one = rest["edges"][0]["node"]["id"]
    result = (await graph.data(READ, {"ids": [one]}, token=token))["markNotificationsRead"]
    assert (result["markedCount"], result["account"]["unreadNotificationCount"]) == (1, 3)
    assert (await graph.data(READ, {}, token=token))["markNotificationsRead"]["markedCount"] == 3
    stranger = await graph.viewer_token("eve@example.org")
    assert (await graph.data(READ, {"ids": [one]}, token=stranger))["markNotificationsRead"]["markedCount"] == 0


async def test_a_child_has_no_inbox(graph: Graph) -> None:
    """What concerns the account is not for a kids profile, in any token of the session that it watches in."""
    session = await graph.sign_up()
    kid = await graph.kid_token(session)
    for token in (kid, session["accessToken"]):
        account = (await graph.data(INBOX, token=token))["viewer"]["account"]
        assert (account["notifications"], account["unreadNotificationCount"]) == (None, None)
        assert (await graph.data(READ, token=token))["markNotificationsRead"]["__typename"] == "NotPermitted"


@pytest.mark.parametrize("after", ["x", "WzEsMl0", "WyJub25lIiwiYSJd"])
async def test_a_cursor_of_another_list_is_refused(graph: Graph, after: str) -> None:
    """By name, not as an internal error."""
    answer = await graph(INBOX, {"after": after}, token=await graph.viewer_token())
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_ARGUMENT"


async def test_muted_mails_stay_in_the_inbox_and_security_is_never_muted(graph: Graph) -> None:
    """What is not named is wanted again."""
    session = await graph.sign_up()
    token = session["accessToken"]
    result = (await graph.data(MUTE, {"muted": ["SIGN_INS", "MARKETING"]}, token=token))["setMutedMails"]
    assert result["account"]["mutedMails"] == ["SIGN_INS", "MARKETING"]
    refused = (await graph.data(MUTE, {"muted": ["SECURITY"]}, token=token))["setMutedMails"]
    assert refused["__typename"] == "InvalidInput"
    log_in = """mutation { logIn(input: {email: "ada@example.org", password: "correct horse", deviceName: "TV"}) {
      __typename } }"""
    await graph.data(log_in)
    edges = (await graph.data(INBOX, token=token))["viewer"]["account"]["notifications"]["edges"]
    assert [edge["node"]["kind"] for edge in edges] == ["NEW_SIGN_IN", "WELCOME"]
    due = await graph.services.notices.notifications.claim_due(graph.clock.now(), timedelta(minutes=1), 10)
    assert [notification.kind for notification in due] == [Kind.WELCOME]


async def test_a_known_device_is_no_news(graph: Graph) -> None:
    """One message per device name."""
    session = await graph.sign_up()
    log_in = """mutation($name: String) { logIn(input: {
      email: "ada@example.org", password: "correct horse", deviceName: $name}) { __typename } }"""
    for name in ("TV", "TV", "phone", "TV"):
        graph.clock.advance(timedelta(seconds=1))
        await graph.data(log_in, {"name": name})
    edges = (await graph.data(INBOX, token=session["accessToken"]))["viewer"]["account"]["notifications"]["edges"]
    assert [edge["node"]["kind"] for edge in edges] == ["NEW_SIGN_IN", "NEW_SIGN_IN", "WELCOME"]
