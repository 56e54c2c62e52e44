"""One contract for every store behind the ports: SQLite always, PostgreSQL where there is one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, TitleId
from subgraphs.kernel.policy import TitleFacts, Window
from subgraphs.kernel.sql import reading
from subgraphs.profiles.adapters.sqlalchemy.accounts import SqlAccountStore
from subgraphs.profiles.adapters.sqlalchemy.lists import SqlListStore
from subgraphs.profiles.adapters.sqlalchemy.sessions import SqlSessionStore
from subgraphs.profiles.adapters.sqlalchemy.tables import OUTBOX, refresh_tokens
from subgraphs.profiles.adapters.sqlalchemy.title_facts import SqlTitleFactsStore
from subgraphs.profiles.domain.accounts import Account, PlanId, Profile, Subscription, SubscriptionStatus
from subgraphs.profiles.domain.lists import KnownTitle, ListEntry, Rating, TitleMarks
from subgraphs.profiles.domain.sessions import RefreshToken, Session, TokenState
from subgraphs.profiles.ports import Deletion

NOW = datetime(2026, 11, 20, 8, 0, 0, 654321, tzinfo=UTC)
DAY = timedelta(days=1)
ACCOUNT = Account(
    id=AccountId("acc_1"),
    email="ada@example.org",
    country="US",
    plan_id=PlanId.PREMIUM,
    subscription=Subscription(SubscriptionStatus.ACTIVE, NOW + 30 * DAY),
    scopes=frozenset({"studio"}),
    created_at=NOW,
)
PROFILE = Profile(
    id=ProfileId("prof_1"),
    account_id=ACCOUNT.id,
    name="Ada \N{BUTTERFLY}",
    avatar="avatar-1",
    is_kids=False,
    maturity_limit=18,
    language="pt-BR",
    created_at=NOW,
)
SESSION = Session(SessionId("ses_1"), ACCOUNT.id, None, "TV", NOW)


def token(name: str, life: timedelta = 30 * DAY) -> RefreshToken:
    return RefreshToken(text=name, hash=f"hash-{name}", expires_at=NOW + life)


def event(name: str = "test.happened") -> Event:
    """An event that is told by its title: the stores keep events and do not look into them."""
    data = {"profileId": PROFILE.id, "titleId": name, "inList": True}
    return Event(topic="feedback", kind="list.changed", data=data, occurred_at=NOW)


async def events_of(engine: AsyncEngine) -> list[str]:
    async with reading(engine) as connection:
        data = await connection.execute(select(OUTBOX.table.c.data).order_by(OUTBOX.table.c.sequence))
        return [row["titleId"] for row in data.scalars()]


@pytest.fixture
async def accounts(any_engine: AsyncEngine) -> SqlAccountStore:
    store = SqlAccountStore(any_engine)
    assert await store.create_account(ACCOUNT, "hash", PROFILE, [])
    return store


@pytest.fixture
async def sessions(any_engine: AsyncEngine, accounts: SqlAccountStore) -> SqlSessionStore:
    store = SqlSessionStore(any_engine)
    await store.open(SESSION, token("first"), max_sessions=10)
    return store


# --- accounts ------------------------------------------------------------------------------------------------------


async def test_plans_are_data_cheapest_first(accounts: SqlAccountStore) -> None:
    """What each plan gives."""
    rows = [
        (plan.id, plan.max_height_px, plan.max_streams, plan.max_download_devices) for plan in await accounts.plans()
    ]
    assert rows == [(PlanId.BASIC, 480, 1, 1), (PlanId.STANDARD, 1080, 2, 2), (PlanId.PREMIUM, 2160, 4, 4)]


async def test_an_account_comes_back_as_it_was(accounts: SqlAccountStore) -> None:
    """To the microsecond, with its profile; unknown ids are left out."""
    found = await accounts.credentials("ada@example.org")
    assert found is not None
    assert (found.account, found.password_hash) == (ACCOUNT, "hash")
    assert await accounts.accounts_by_id([ACCOUNT.id, AccountId("acc_2")]) == {ACCOUNT.id: ACCOUNT}
    assert await accounts.profiles_by_account([ACCOUNT.id]) == {ACCOUNT.id: (PROFILE,)}
    assert await accounts.profiles_by_id([PROFILE.id, ProfileId("prof_2")]) == {PROFILE.id: PROFILE}
    assert await accounts.credentials("grace@example.org") is None


async def test_an_email_is_taken_once_and_nothing_is_half_written(
    accounts: SqlAccountStore, any_engine: AsyncEngine
) -> None:
    """Five at once for one new address: one account, one profile, one event."""

    async def sign_up(number: int) -> bool:
        account = replace(ACCOUNT, id=AccountId(f"acc_new{number}"), email="grace@example.org")
        profile = replace(PROFILE, id=ProfileId(f"prof_new{number}"), account_id=account.id)
        return await accounts.create_account(account, "hash", profile, [event()])

    outcomes = await asyncio.gather(*(sign_up(number) for number in range(5)))
    assert sorted(outcomes) == [False, False, False, False, True]
    profiles = await accounts.profiles_by_id([ProfileId(f"prof_new{number}") for number in range(5)])
    assert len(profiles) == 1
    assert await events_of(any_engine) == ["test.happened"]


async def test_a_password_hash_is_replaced_only_when_it_is_still_the_same(accounts: SqlAccountStore) -> None:
    """A rehash must not undo a password change that came between."""
    await accounts.replace_password_hash(ACCOUNT.id, "another", "wrong")
    await accounts.replace_password_hash(ACCOUNT.id, "hash", "renewed")
    found = await accounts.credentials(ACCOUNT.email)
    assert found is not None
    assert found.password_hash == "renewed"


async def test_a_subscription_is_overwritten(accounts: SqlAccountStore) -> None:
    """Both parts."""
    expired = Subscription(SubscriptionStatus.EXPIRED, None)
    await accounts.set_subscription(ACCOUNT.id, expired)
    assert (await accounts.accounts_by_id([ACCOUNT.id]))[ACCOUNT.id].subscription == expired


async def test_six_at_once_make_no_more_than_five_profiles(accounts: SqlAccountStore, any_engine: AsyncEngine) -> None:
    """The count and the insert are one step; events only for those that were made."""

    async def create(number: int) -> bool:
        profile = replace(PROFILE, id=ProfileId(f"prof_new{number}"))
        return await accounts.create_profile(profile, max_profiles=5, events=[event()])

    outcomes = await asyncio.gather(*(create(number) for number in range(6)))
    assert outcomes.count(True) == 4
    assert len((await accounts.profiles_by_account([ACCOUNT.id]))[ACCOUNT.id]) == 5
    assert len(await events_of(any_engine)) == 4


async def test_a_profile_changes_with_its_event(accounts: SqlAccountStore, any_engine: AsyncEngine) -> None:
    """And a missing one does not, nor one that is another by now."""
    changed = replace(PROFILE, name="Lovelace", avatar="avatar-9", maturity_limit=12, language="en")
    assert await accounts.update_profile(PROFILE, changed, [event("profile.changed")])
    assert (await accounts.profiles_by_id([PROFILE.id]))[PROFILE.id] == changed
    missing = replace(changed, id=ProfileId("prof_9"))
    assert not await accounts.update_profile(missing, replace(missing, name="Ada"), [event("never")])
    assert not await accounts.update_profile(PROFILE, replace(PROFILE, name="Ada"), [event("never")])
    assert (await accounts.profiles_by_id([PROFILE.id]))[PROFILE.id] == changed
    assert await events_of(any_engine) == ["profile.changed"]


async def test_profiles_are_deleted_but_for_the_last(
    accounts: SqlAccountStore, sessions: SqlSessionStore, any_engine: AsyncEngine
) -> None:
    """With list, ratings and selection; both of two deleted at once leave one."""
    second = replace(PROFILE, id=ProfileId("prof_2"), created_at=NOW + DAY)
    await accounts.create_profile(second, max_profiles=5, events=[])
    await sessions.select_profile(SESSION.id, second.id)
    lists = SqlListStore(any_engine)
    await lists.add_entry(second.id, TitleId("mov_1"), NOW, max_entries=5, events=[])
    await lists.set_rating(second.id, TitleId("mov_1"), Rating(5, NOW), [])

    assert await accounts.delete_profile(AccountId("acc_other"), second.id, [event("never")]) is Deletion.MISSING
    outcomes = await asyncio.gather(
        accounts.delete_profile(ACCOUNT.id, second.id, [event("gone")]),
        accounts.delete_profile(ACCOUNT.id, second.id, [event("gone")]),
    )
    assert sorted(outcomes) == [Deletion.DONE, Deletion.MISSING]
    assert await accounts.delete_profile(ACCOUNT.id, PROFILE.id, [event("never")]) is Deletion.LAST
    assert await events_of(any_engine) == ["gone"]
    session = await sessions.live_session(SESSION.id)
    assert session is not None
    assert session.profile_id is None
    assert await lists.marks(second.id, [TitleId("mov_1")]) == {}


# --- sessions ------------------------------------------------------------------------------------------------------


async def test_a_refresh_token_works_exactly_once_however_many_try(sessions: SqlSessionStore) -> None:
    """One of eight wins; the others are reuse, which ends the session."""
    outcomes = await asyncio.gather(
        *(sessions.rotate("hash-first", token(f"next{number}"), NOW + DAY) for number in range(8))
    )
    states = sorted(state for state, _ in outcomes)
    assert states.count(TokenState.FRESH) == 1
    assert set(states) == {TokenState.FRESH, TokenState.USED, TokenState.UNKNOWN}
    assert await sessions.live_session(SESSION.id) is None


async def test_reuse_ends_the_thief_and_the_owner(sessions: SqlSessionStore) -> None:
    """The successor is dead too."""
    assert (await sessions.rotate("hash-first", token("second"), NOW))[0] is TokenState.FRESH
    assert (await sessions.rotate("hash-first", token("stolen"), NOW))[0] is TokenState.USED
    assert await sessions.rotate("hash-second", token("third"), NOW) == (TokenState.UNKNOWN, None)
    assert await sessions.token_session("hash-stolen", NOW) == (TokenState.UNKNOWN, None)


async def test_an_expired_token_is_unknown_and_swept(sessions: SqlSessionStore, any_engine: AsyncEngine) -> None:
    """Old tokens are deleted by a later rotation of their session."""
    await sessions.rotate("hash-first", token("second", 60 * DAY), NOW)
    assert await sessions.rotate("hash-first", token("never"), NOW + 30 * DAY) == (TokenState.UNKNOWN, None)
    assert (await sessions.rotate("hash-second", token("third", 90 * DAY), NOW + 31 * DAY))[0] is TokenState.FRESH
    async with reading(any_engine) as connection:
        hashes = set((await connection.execute(select(refresh_tokens.c.hash))).scalars())
    assert hashes == {"hash-second", "hash-third"}


async def test_looking_at_a_token_changes_nothing(sessions: SqlSessionStore) -> None:
    """Its state and its session."""
    assert await sessions.token_session("hash-first", NOW) == (TokenState.FRESH, SESSION)
    assert await sessions.token_session("hash-first", NOW) == (TokenState.FRESH, SESSION)
    assert await sessions.token_session("hash-nothing", NOW) == (TokenState.UNKNOWN, None)


async def test_replaced_tokens_are_used_up(sessions: SqlSessionStore) -> None:
    """The old one counts as reused from then on; an ended session gets no new one."""
    assert await sessions.replace_tokens(SESSION.id, token("second"), NOW)
    assert (await sessions.token_session("hash-first", NOW))[0] is TokenState.USED
    assert (await sessions.token_session("hash-second", NOW))[0] is TokenState.FRESH
    assert await sessions.revoke(SESSION.id, NOW)
    assert not await sessions.replace_tokens(SESSION.id, token("third"), NOW)


async def test_sessions_end_one_by_one_or_all(sessions: SqlSessionStore, any_engine: AsyncEngine) -> None:
    """Ending twice says so; an ended session is nobody's."""
    assert await SqlAccountStore(any_engine).account_of_session(SESSION.id) == ACCOUNT
    await sessions.open(replace(SESSION, id=SessionId("ses_2")), token("other"), max_sessions=10)
    assert await sessions.revoke(SESSION.id, NOW)
    assert not await sessions.revoke(SESSION.id, NOW)
    assert await sessions.revoke_all(ACCOUNT.id, NOW) == 1
    assert await sessions.live_session(SessionId("ses_2")) is None
    for session_id in (SESSION.id, SessionId("ses_2"), SessionId("ses_unknown")):
        assert await SqlAccountStore(any_engine).account_of_session(session_id) is None


async def test_the_oldest_sessions_end_beyond_the_bound(sessions: SqlSessionStore) -> None:
    """Three at most: the fourth ends the first."""
    for number in (2, 3, 4):
        session = replace(SESSION, id=SessionId(f"ses_{number}"), created_at=NOW + number * DAY)
        await sessions.open(session, token(f"of{number}"), max_sessions=3)
    live = [number for number in (1, 2, 3, 4) if await sessions.live_session(SessionId(f"ses_{number}"))]
    assert live == [2, 3, 4]


# --- lists ---------------------------------------------------------------------------------------------------------


async def test_a_list_is_newest_first_and_idempotent(accounts: SqlAccountStore, any_engine: AsyncEngine) -> None:
    """Adding or removing twice changes nothing and tells nothing."""
    del accounts
    lists = SqlListStore(any_engine)
    for number in (1, 2, 1):
        id_ = TitleId(f"mov_{number}")
        assert await lists.add_entry(PROFILE.id, id_, NOW + number * DAY, max_entries=5, events=[event(f"add{number}")])
    expected = (
        ListEntry(TitleId("mov_2"), NOW + 2 * DAY, None),
        ListEntry(TitleId("mov_1"), NOW + DAY, None),
    )
    assert await lists.entries_by_profile([PROFILE.id, ProfileId("prof_9")]) == {PROFILE.id: expected}
    for _ in range(2):
        await lists.remove_entry(PROFILE.id, TitleId("mov_2"), [event("remove2")])
    assert await events_of(any_engine) == ["add1", "add2", "remove2"]


async def test_a_list_has_a_bound_also_for_many_at_once(accounts: SqlAccountStore, any_engine: AsyncEngine) -> None:
    """Five of eight fit; what is on it already always fits."""
    del accounts
    lists = SqlListStore(any_engine)
    outcomes = await asyncio.gather(
        *(lists.add_entry(PROFILE.id, TitleId(f"mov_{number}"), NOW, max_entries=5, events=[]) for number in range(8))
    )
    assert outcomes.count(True) == 5
    kept = (await lists.entries_by_profile([PROFILE.id]))[PROFILE.id][0].title_id
    assert await lists.add_entry(PROFILE.id, kept, NOW, max_entries=5, events=[])


async def test_marks_are_list_and_rating_together(accounts: SqlAccountStore, any_engine: AsyncEngine) -> None:
    """A rating is overwritten and cleared; titles without marks are left out."""
    del accounts
    lists = SqlListStore(any_engine)
    one, two, three = TitleId("mov_1"), TitleId("mov_2"), TitleId("mov_3")
    await lists.add_entry(PROFILE.id, one, NOW, max_entries=5, events=[])
    for stars in (2, 5):
        await lists.set_rating(PROFILE.id, one, Rating(stars, NOW), [event()])
    await lists.set_rating(PROFILE.id, two, Rating(1, NOW + DAY), [])
    assert await lists.marks(PROFILE.id, [one, two, three]) == {
        one: TitleMarks(is_in_list=True, rating=Rating(5, NOW)),
        two: TitleMarks(is_in_list=False, rating=Rating(1, NOW + DAY)),
    }
    await lists.set_rating(PROFILE.id, one, None, [])
    assert (await lists.marks(PROFILE.id, [one]))[one] == TitleMarks(is_in_list=True, rating=None)
    assert await lists.marks(ProfileId("prof_9"), [one]) == {}


# --- title facts ---------------------------------------------------------------------------------------------------

FACTS = TitleFacts(
    minimum_age=12,
    is_kids=False,
    windows=(Window("US", NOW, None), Window("*", None, NOW + DAY)),
    blocked_countries=frozenset({"KP"}),
)
FILM = KnownTitle(TitleId("mov_1"), "MOVIE", FACTS)


async def test_facts_come_back_as_they_were(any_engine: AsyncEngine) -> None:
    """Also beside a list's entries."""
    titles = SqlTitleFactsStore(any_engine)
    await titles.put_titles([FILM], NOW)
    await titles.put_titles([], NOW)
    assert await titles.titles_by_id([FILM.id, TitleId("mov_9")]) == {FILM.id: FILM}
    await SqlAccountStore(any_engine).create_account(ACCOUNT, "hash", PROFILE, [])
    lists = SqlListStore(any_engine)
    await lists.add_entry(PROFILE.id, FILM.id, NOW, max_entries=5, events=[])
    assert (await lists.entries_by_profile([PROFILE.id]))[PROFILE.id][0].facts == FACTS


async def test_the_newest_facts_win_in_whatever_order_they_come(any_engine: AsyncEngine) -> None:
    """Events may repeat and arrive late: an older form never overwrites a newer one, nor undoes a withdrawal."""
    titles = SqlTitleFactsStore(any_engine)
    newer = replace(FILM, facts=replace(FACTS, minimum_age=18))
    await titles.put_titles([newer], NOW + DAY)
    await titles.put_titles([FILM], NOW)
    assert (await titles.titles_by_id([FILM.id]))[FILM.id] == newer
    await titles.withdraw_titles([FILM.id], NOW)
    assert not (await titles.titles_by_id([FILM.id]))[FILM.id].facts.is_withdrawn
    await titles.withdraw_titles([FILM.id, TitleId("mov_never_heard_of")], NOW + 2 * DAY)
    await titles.put_titles([FILM, replace(FILM, id=TitleId("mov_never_heard_of"))], NOW + DAY)
    known = await titles.titles_by_id([FILM.id, TitleId("mov_never_heard_of")])
    assert [title.facts.is_withdrawn for title in known.values()] == [True, True]
    await titles.put_titles([FILM], NOW + 3 * DAY)
    assert not (await titles.titles_by_id([FILM.id]))[FILM.id].facts.is_withdrawn
