"""The stores of PINs, preferences, consents, thumbs, rating totals, messages and codes: SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy.event
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, TitleId
from subgraphs.kernel.migrations import downgrade, upgrade
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables, tables_people
from subgraphs.profiles.adapters.sqlalchemy.accounts import SqlAccountStore
from subgraphs.profiles.adapters.sqlalchemy.credentials import SqlCredentialStore
from subgraphs.profiles.adapters.sqlalchemy.lists import SqlListStore
from subgraphs.profiles.adapters.sqlalchemy.notifications import SqlNotificationStore, SqlOneTimeTokenStore
from subgraphs.profiles.adapters.sqlalchemy.pins import SqlPinStore
from subgraphs.profiles.adapters.sqlalchemy.preferences import SqlConsentStore, SqlPreferenceStore
from subgraphs.profiles.adapters.sqlalchemy.sessions import SqlSessionStore
from subgraphs.profiles.adapters.sqlalchemy.tables import MIGRATIONS
from subgraphs.profiles.domain.accounts import Account, PlanId, Profile, Subscription, SubscriptionStatus
from subgraphs.profiles.domain.consents import ConsentRecord, ConsentSource, Purpose
from subgraphs.profiles.domain.lists import Rating, RatingTotals, Thumb, TitleMarks
from subgraphs.profiles.domain.notifications import Delivery, MailCategory, MailPreferences, Notification
from subgraphs.profiles.domain.notifications import NotificationKind as Kind
from subgraphs.profiles.domain.one_time_tokens import OneTimeToken, TokenPurpose
from subgraphs.profiles.domain.pins import PinLocked, PinRules, PinTry
from subgraphs.profiles.domain.preferences import DataSaver, Preferences, SubtitleMode
from subgraphs.profiles.domain.sessions import RefreshToken, Session
from tests.subgraphs.profiles.conftest import START as NOW

MINUTE = timedelta(minutes=1)
RULES = PinRules()
FILM, SERIES = TitleId("mov_film"), TitleId("ser_1")


def account(number: int) -> Account:
    subscription = Subscription(SubscriptionStatus.ACTIVE, NOW + timedelta(days=30))
    return Account(
        AccountId(f"acc_{number}"), f"{number}@example.org", "US", PlanId.BASIC, subscription, frozenset(), NOW
    )


def profile(number: int, owner: int = 1) -> Profile:
    return Profile(
        ProfileId(f"prof_{number}"), AccountId(f"acc_{owner}"), f"P{number}", "avatar-1", False, 18, "en", NOW
    )


P1, P2, A1, A2 = profile(1).id, profile(2).id, account(1).id, account(2).id


@pytest.fixture
async def engine(any_engine: AsyncEngine) -> AsyncEngine:
    """Two accounts; the first has two profiles, the second one."""
    store = SqlAccountStore(any_engine)
    assert await store.create_account(account(1), "hash-1", profile(1), [])
    assert await store.create_profile(profile(2), max_profiles=5, events=[])
    assert await store.create_account(account(2), "hash-2", profile(3, owner=2), [])
    return any_engine


def message(number: int, *, key: str | None = None, minutes: int = 0, kind: Kind = Kind.PIN_LOCKED) -> Notification:
    details = {"profile": "Ada", "minutes": "15"}
    return Notification(
        f"note_{number}", A1, kind, key or f"key-{number}", "a@example.org", "de", details, NOW + minutes * MINUTE
    )


# --- migrations ------------------------------------------------------------------------------------------------------


async def test_older_ratings_are_counted_when_totals_come(any_engine: AsyncEngine) -> None:
    """Down to before this migration and up again: tables go and come, totals are those of the ratings that stayed."""
    store = SqlAccountStore(any_engine)
    assert await store.create_account(account(1), "hash", profile(1), [])
    await SqlListStore(any_engine).set_rating(P1, FILM, Rating(4, NOW), [])
    await downgrade(any_engine, MIGRATIONS, "0002_billing")
    await upgrade(any_engine, MIGRATIONS)
    lists = SqlListStore(any_engine)
    assert await lists.totals_by_title([FILM]) == {FILM: RatingTotals(1, 4)}
    await lists.set_rating(P1, FILM, None, [])
    assert await lists.totals_by_title([FILM]) == {}


# --- PINs ------------------------------------------------------------------------------------------------------------


async def test_a_pin_is_set_replaced_and_taken_away(engine: AsyncEngine) -> None:
    """Each change forgets the tries."""
    pins = SqlPinStore(engine)
    assert await pins.begin_try(P1, NOW, RULES) is None
    await pins.set_pin(P1, "first", NOW)
    assert await pins.locked_profiles([P1, P2]) == {P1}
    for _ in range(5):
        assert isinstance(await pins.begin_try(P1, NOW, RULES), PinTry)
    assert await pins.begin_try(P1, NOW, RULES) == PinLocked(NOW + RULES.window)
    await pins.set_pin(P1, "second", NOW)
    assert await pins.begin_try(P1, NOW, RULES) == PinTry("second", (NOW,), is_last=False)
    await pins.set_pin(P1, None, NOW)
    assert await pins.locked_profiles([P1]) == frozenset()


async def test_of_many_guesses_at_once_five_are_looked_at(engine: AsyncEngine) -> None:
    """Counting is atomic, and exactly one is told that it was the last."""
    pins = SqlPinStore(engine)
    await pins.set_pin(P1, "hash", NOW)
    outcomes = await asyncio.gather(*(pins.begin_try(P1, NOW, RULES) for _ in range(30)))
    looked_at = [outcome for outcome in outcomes if isinstance(outcome, PinTry)]
    assert len(looked_at) == 5
    assert [outcome.is_last for outcome in looked_at].count(True) == 1


async def test_a_right_guess_forgets_the_tries_of_its_own_pin_only(engine: AsyncEngine) -> None:
    """A PIN that was replaced meanwhile does not open the count of the new one."""
    pins = SqlPinStore(engine)
    await pins.set_pin(P1, "old", NOW)
    await pins.begin_try(P1, NOW, RULES)
    await pins.set_pin(P1, "new", NOW)
    await pins.begin_try(P1, NOW, RULES)
    await pins.forget_tries(P1, "old")
    outcome = await pins.begin_try(P1, NOW, RULES)
    assert isinstance(outcome, PinTry)
    assert len(outcome.tries) == 2
    await pins.forget_tries(P1, "new")
    outcome = await pins.begin_try(P1, NOW, RULES)
    assert isinstance(outcome, PinTry)
    assert len(outcome.tries) == 1


# --- preferences and consents ----------------------------------------------------------------------------------------


async def test_preferences_come_back_as_they_were(engine: AsyncEngine) -> None:
    """Each profile's own; nothing for those that never set any."""
    store = SqlPreferenceStore(engine)
    wanted = Preferences(
        ("pt-BR", "en"), ("zh-Hant",), SubtitleMode.ALWAYS, False, False, DataSaver.MOBILE_ONLY, "es-419"
    )
    await store.set_preferences(P1, Preferences(), NOW)
    await store.set_preferences(P1, wanted, NOW)
    assert await store.preferences_by_profile([P1, P2]) == {P1: wanted}
    muted = MailPreferences(frozenset({MailCategory.MARKETING, MailCategory.SIGN_INS}))
    await store.set_mail_preferences(A1, MailPreferences())
    await store.set_mail_preferences(A1, muted)
    assert await store.mail_preferences([A1, A2]) == {A1: muted}


async def test_a_document_from_before_a_preference_has_its_default(engine: AsyncEngine) -> None:
    """New preferences need no migration."""
    async with writing(engine) as connection:
        row = {"profile_id": P1, "document": {"autoplay_next": False}, "changed_at": NOW}
        await connection.execute(tables_people.preferences.insert().values(row))
    assert await SqlPreferenceStore(engine).preferences_by_profile([P1]) == {P1: Preferences(autoplay_next=False)}


async def test_decisions_are_added_and_bounded(engine: AsyncEngine) -> None:
    """Oldest first, each account's own."""
    store = SqlConsentStore(engine)
    records = [
        ConsentRecord(Purpose.MARKETING, granted, 1, ConsentSource.SETTINGS, NOW + minute * MINUTE)
        for minute, granted in enumerate((True, False, True))
    ]
    outcomes = [await store.add_record(A1, record, max_records=2, events=[]) for record in records]
    assert outcomes == [True, True, False]
    assert await store.records_by_account([A1, A2]) == {A1: tuple(records[:2])}


# --- thumbs and totals -----------------------------------------------------------------------------------------------


async def test_marks_hold_list_rating_and_thumb_together(engine: AsyncEngine) -> None:
    """In one statement, each profile's own."""
    lists = SqlListStore(engine)
    await lists.set_thumb(P1, FILM, Thumb.DOWN, NOW, [])
    await lists.set_thumb(P1, FILM, Thumb.NOT_INTERESTED, NOW, [])
    await lists.set_rating(P1, FILM, Rating(2, NOW), [])
    await lists.set_thumb(P2, FILM, Thumb.UP, NOW, [])
    both = await lists.marks(P1, [FILM, SERIES])
    assert both == {FILM: TitleMarks(is_in_list=False, rating=Rating(2, NOW), thumb=Thumb.NOT_INTERESTED)}
    await lists.set_thumb(P1, FILM, None, NOW, [])
    assert (await lists.marks(P1, [FILM]))[FILM].thumb is None


async def test_totals_follow_every_change(engine: AsyncEngine) -> None:
    """Set, changed, cleared, and deleted with a profile or an account."""
    lists, accounts = SqlListStore(engine), SqlAccountStore(engine)
    await lists.set_rating(P1, FILM, Rating(5, NOW), [])
    await lists.set_rating(P2, FILM, Rating(2, NOW), [])
    await lists.set_rating(ProfileId("prof_3"), FILM, Rating(4, NOW), [])
    await lists.set_rating(P1, FILM, Rating(3, NOW), [])
    await lists.set_rating(P1, SERIES, Rating(1, NOW), [])
    assert await lists.totals_by_title([FILM, SERIES]) == {FILM: RatingTotals(3, 9), SERIES: RatingTotals(1, 1)}
    await lists.set_rating(P1, SERIES, None, [])
    await accounts.delete_profile(A1, P2, [])
    assert await lists.totals_by_title([FILM, SERIES]) == {FILM: RatingTotals(2, 7)}
    async with writing(engine) as connection:
        await connection.execute(delete(tables.accounts).where(tables.accounts.c.id == A2))
    assert await lists.totals_by_title([FILM]) == {FILM: RatingTotals(1, 3)}
    assert (await lists.totals_by_title([FILM]))[FILM].average == 3.0


async def test_totals_are_exact_under_concurrency(engine: AsyncEngine) -> None:
    """Three profiles rate, change and clear two titles at once; the totals are those of the ratings in the end."""
    lists, chance = SqlListStore(engine), random.Random(7)
    writes = [
        (ProfileId(f"prof_{chance.randint(1, 3)}"), chance.choice([FILM, SERIES]), chance.choice([None, 1, 2, 3, 4, 5]))
        for _ in range(60)
    ]

    async def rate(profile_id: ProfileId, title_id: TitleId, stars: int | None) -> None:
        await lists.set_rating(profile_id, title_id, None if stars is None else Rating(stars, NOW), [])

    await asyncio.gather(*(rate(*write) for write in writes))
    kept = await lists.totals_by_title([FILM, SERIES])
    counted = select(tables.ratings.c.title_id, func.count(), func.sum(tables.ratings.c.stars)).group_by("title_id")
    async with reading(engine) as connection:
        rows = (await connection.execute(counted)).all()
    assert kept == {title_id: RatingTotals(count, stars) for title_id, count, stars in rows}


async def test_totals_are_rebuilt_from_the_ratings(engine: AsyncEngine) -> None:
    """Whatever they said before."""
    lists = SqlListStore(engine)
    await lists.set_rating(P1, FILM, Rating(5, NOW), [])
    await lists.set_rating(P2, FILM, Rating(4, NOW), [])
    async with writing(engine) as connection:
        await connection.execute(tables_people.rating_totals.update().values(rating_count=99, stars_sum=1))
        row = {"title_id": SERIES, "rating_count": 7, "stars_sum": 7}
        await connection.execute(tables_people.rating_totals.insert().values(row))
    assert await lists.rebuild_totals() == 1
    assert await lists.totals_by_title([FILM, SERIES]) == {FILM: RatingTotals(2, 9)}


# --- messages --------------------------------------------------------------------------------------------------------


async def test_a_message_is_kept_once_per_key(engine: AsyncEngine) -> None:
    """However many write it at once."""
    store = SqlNotificationStore(engine)
    outcomes = await asyncio.gather(*(store.add(message(number, key="same")) for number in range(5)))
    assert outcomes.count(True) == 1
    assert await store.unread_count(A1) == 1


async def test_what_is_due_is_claimed_by_one(engine: AsyncEngine) -> None:
    """And comes back when whoever claimed it died; settled ones do not, postponed ones later."""
    store = SqlNotificationStore(engine)
    for number in range(4):
        await store.add(message(number))
    claims = await asyncio.gather(*(store.claim_due(NOW, 5 * MINUTE, 2) for _ in range(4)))
    claimed = [notification.id for claim in claims for notification in claim]
    assert sorted(claimed) == ["note_0", "note_1", "note_2", "note_3"]
    assert {notification.attempts for claim in claims for notification in claim} == {1}
    await store.settle("note_0", Delivery.SENT)
    await store.settle("note_1", Delivery.DEAD)
    await store.settle("note_2", Delivery.WAITING, NOW + 2 * MINUTE)
    assert await store.claim_due(NOW + MINUTE, MINUTE, 10) == ()
    assert [each.id for each in await store.claim_due(NOW + 2 * MINUTE, 9 * MINUTE, 10)] == ["note_2"]
    again = await store.claim_due(NOW + 5 * MINUTE, MINUTE, 10)
    assert [(each.id, each.attempts) for each in again] == [("note_3", 2)]


async def test_mails_for_many_are_sent_after_all_others(engine: AsyncEngine) -> None:
    """Who forgot a password does not wait behind a week's digests."""
    store = SqlNotificationStore(engine)
    for number, kind in enumerate((Kind.DIGEST, Kind.NEWS, Kind.PASSWORD_RESET)):
        assert await store.add(message(number, minutes=number, kind=kind))
    claimed = [await store.claim_due(NOW + 5 * MINUTE, MINUTE, 1) for _ in range(3)]
    assert [each.kind for batch in claimed for each in batch] == [Kind.PASSWORD_RESET, Kind.DIGEST, Kind.NEWS]


async def test_mails_for_many_are_claimed_in_the_order_of_an_index(engine: AsyncEngine) -> None:
    """Of all kinds by when they are due; thousands that wait are not sorted for every fifty."""
    if engine.dialect.name != "sqlite":
        pytest.skip("the plan is SQLite's")
    store = SqlNotificationStore(engine)
    for number in range(6):
        assert await store.add(message(number, minutes=-number, kind=Kind.NEWS if number % 2 else Kind.DIGEST))
    asked: list[tuple[str, Any]] = []

    def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    sqlalchemy.event.listen(engine.sync_engine, "before_cursor_execute", remember)
    claimed = await store.claim_due(NOW, MINUTE, 4)
    sqlalchemy.event.remove(engine.sync_engine, "before_cursor_execute", remember)

    assert [each.id for each in claimed] == ["note_5", "note_4", "note_3", "note_2"]
    plans: list[str] = []
    async with reading(engine) as connection:
        for statement, values in asked:
            if statement.startswith("SELECT"):
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans.append(" ".join(str(row) for row in plan))
    assert len(plans) == 4
    assert all("ix_notifications_due (delivery=? AND kind=? AND next_attempt_at<?)" in plan for plan in plans), plans
    # Only those for one person alone, of which few wait, are put in order.
    assert ["TEMP B-TREE" in plan for plan in plans] == [False, True, False, False]


async def test_the_inbox_is_newest_first_read_and_pruned(engine: AsyncEngine) -> None:
    """Codes are not in it; others' ids change nothing; what still waits to be sent is not pruned."""
    store = SqlNotificationStore(engine)
    for number in range(4):
        await store.add(message(number, minutes=number))
    await store.add(message(9, minutes=9, kind=Kind.PASSWORD_RESET))
    newest = await store.inbox(A1, 2, None)
    assert [each.id for each in newest] == ["note_3", "note_2"]
    older = await store.inbox(A1, 9, (newest[-1].created_at, newest[-1].id))
    assert [each.id for each in older] == ["note_1", "note_0"]
    assert older[1] == message(0)
    assert await store.inbox(A2, 9, None) == ()
    assert await store.mark_read(A2, ["note_0"], NOW) == 0
    assert await store.mark_read(A1, ["note_0", "note_x"], NOW) == 1
    assert await store.unread_count(A1) == 3
    await store.prune(A1, 1)
    assert len(await store.inbox(A1, 9, None)) == 4
    for number in range(4):
        await store.settle(f"note_{number}", Delivery.SENT)
    await store.prune(A1, 1)
    assert [each.id for each in await store.inbox(A1, 9, None)] == ["note_3"]


# --- credentials and codes -------------------------------------------------------------------------------------------


async def test_a_code_is_taken_once_for_its_purpose_and_in_time(engine: AsyncEngine) -> None:
    """A newer one takes the place of the account's older one."""
    store = SqlOneTimeTokenStore(engine)

    def code(name: str, minutes: int = 30) -> OneTimeToken:
        return OneTimeToken(name, A1, TokenPurpose.RESET_PASSWORD, "a@example.org", NOW + minutes * MINUTE)

    await store.put(code("old"), NOW)
    await store.put(code("new"), NOW)
    assert await store.take("old", TokenPurpose.RESET_PASSWORD, NOW) is None
    assert await store.take("new", TokenPurpose.CONFIRM_EMAIL, NOW) is None
    assert await store.take("new", TokenPurpose.RESET_PASSWORD, NOW + 30 * MINUTE) is None
    takers = await asyncio.gather(*(store.take("new", TokenPurpose.RESET_PASSWORD, NOW) for _ in range(5)))
    assert [taken for taken in takers if taken is not None] == [code("new")]


async def test_requests_to_reset_wait_in_a_bounded_queue(engine: AsyncEngine) -> None:
    """Whether or not an account has the address."""
    store = SqlOneTimeTokenStore(engine)
    outcomes = [await store.ask_reset(f"{n}@example.org", NOW, max_waiting=2) for n in range(3)]
    assert outcomes == [True, True, False]
    waiting = await store.waiting_resets(10)
    assert [request.email for request in waiting] == ["0@example.org", "1@example.org"]
    await store.finish_reset_request(waiting[0].sequence)
    assert [request.email for request in await store.waiting_resets(10)] == ["1@example.org"]


async def test_a_new_password_ends_the_other_sessions_and_voids_codes(engine: AsyncEngine) -> None:
    """Of this account alone."""
    sessions, store = SqlSessionStore(engine), SqlCredentialStore(engine)
    for number, owner in ((1, A1), (2, A1), (3, A2)):
        session = Session(SessionId(f"ses_{number}"), owner, None, "TV", NOW)
        await sessions.open(session, RefreshToken("x", f"hash-{number}", NOW + MINUTE), max_sessions=9)
    tokens = SqlOneTimeTokenStore(engine)
    await tokens.put(OneTimeToken("code", A1, TokenPurpose.RESET_PASSWORD, "a", NOW + MINUTE), NOW)
    await store.set_password(A1, "new", NOW, keep=SessionId("ses_2"))
    live = [number for number in (1, 2, 3) if await sessions.live_session(SessionId(f"ses_{number}"))]
    assert live == [2, 3]
    found = await SqlAccountStore(engine).credentials("1@example.org")
    assert found is not None
    assert found.password_hash == "new"
    assert await tokens.take("code", TokenPurpose.RESET_PASSWORD, NOW) is None


async def test_an_address_belongs_to_one_account(engine: AsyncEngine) -> None:
    """A taken one stays where it is."""
    store = SqlCredentialStore(engine)
    assert not await store.set_email(A1, "2@example.org")
    assert await store.set_email(A1, "new@example.org")
    accounts = await SqlAccountStore(engine).accounts_by_id([A1, A2])
    assert [accounts[id_].email for id_ in (A1, A2)] == ["new@example.org", "2@example.org"]


async def test_a_device_is_known_by_its_name_in_its_account(engine: AsyncEngine) -> None:
    """Also when its session has ended."""
    sessions = SqlSessionStore(engine)
    await sessions.open(
        Session(SessionId("ses_1"), A1, None, "TV", NOW), RefreshToken("x", "h", NOW + MINUTE), max_sessions=9
    )
    await sessions.revoke_all(A1, NOW)
    assert await sessions.knows_device(A1, "TV")
    assert not await sessions.knows_device(A1, "phone")
    assert not await sessions.knows_device(A2, "TV")


async def test_sessions_that_ended_of_late_are_told_newest_first(engine: AsyncEngine) -> None:
    """Live ones and those that ended long ago are not; the list is bounded."""
    sessions = SqlSessionStore(engine)
    for number in range(4):
        session = Session(SessionId(f"ses_{number}"), A1, None, "TV", NOW)
        await sessions.open(session, RefreshToken("x", f"hash-{number}", NOW + MINUTE), max_sessions=9)
    for number in range(3):
        await sessions.revoke(SessionId(f"ses_{number}"), NOW + number * MINUTE)
    assert await sessions.revoked_since(NOW + MINUTE, 9) == ("ses_2", "ses_1")
    assert await sessions.revoked_since(NOW, 1) == ("ses_2",)
