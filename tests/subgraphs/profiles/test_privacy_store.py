"""Requests about personal data, and the account's rows, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from common.errors import ErrorKind, ServiceError
from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, TitleId
from subgraphs.kernel.personal_data import Subject
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables, tables_billing
from subgraphs.profiles.adapters.sqlalchemy.accounts import SqlAccountStore
from subgraphs.profiles.adapters.sqlalchemy.lists import SqlListStore
from subgraphs.profiles.adapters.sqlalchemy.personal_data import personal_data_of
from subgraphs.profiles.adapters.sqlalchemy.privacy import NO_PASSWORD, SqlPrivacyStore
from subgraphs.profiles.adapters.sqlalchemy.sessions import SqlSessionStore
from subgraphs.profiles.domain.accounts import Account, PlanId, Profile, Subscription, SubscriptionStatus
from subgraphs.profiles.domain.lists import Rating
from subgraphs.profiles.domain.privacy import PrivacyRequest, PrivacyRequestId, RequestKind, RequestState
from subgraphs.profiles.domain.sessions import Session, new_refresh_token

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
ADA, BOB = AccountId("acc_ada"), AccountId("acc_bob")
TITLE = TitleId("mov_film")


def request(number: int, kind: RequestKind = RequestKind.ERASURE, account_id: AccountId = ADA) -> PrivacyRequest:
    return PrivacyRequest(PrivacyRequestId(f"prq_{number}"), kind, account_id, (), (), NOW, NOW)


@pytest.fixture
async def settled(any_engine: AsyncEngine) -> AsyncEngine:
    """Two accounts, each with a profile, a session, a rating, a card and a payment."""
    for account_id in (ADA, BOB):
        profile_id = ProfileId(account_id.replace("acc", "prof"))
        account = Account(
            id=account_id,
            email=f"{account_id}@example.org",
            country="FI",
            plan_id=PlanId.BASIC,
            subscription=Subscription(SubscriptionStatus.ACTIVE, None),
            scopes=frozenset(),
            created_at=NOW,
        )
        profile = Profile(profile_id, account_id, "Me", "fox", False, 18, "en", NOW)
        assert await SqlAccountStore(any_engine).create_account(account, "hash", profile, [])
        session = Session(SessionId(f"ses_{account_id}"), account_id, None, "telly", NOW)
        await SqlSessionStore(any_engine).open(session, new_refresh_token(NOW, LEASE), max_sessions=9)
        await SqlListStore(any_engine).set_rating(profile_id, TITLE, Rating(4, NOW), [])
        async with writing(any_engine) as connection:
            await connection.execute(
                insert(tables_billing.billing_customers).values(
                    account_id=account_id,
                    customer_id=f"cus_{account_id[-3:]}",
                    method_token="token",
                    method_brand="Visa",
                    method_last_four="4242",
                    method_added_at=NOW,
                )
            )
            await connection.execute(
                insert(tables_billing.payments).values(
                    id=f"pay_{account_id[-3:]}",
                    account_id=account_id,
                    customer_id=f"cus_{account_id[-3:]}",
                    kind="CHARGE",
                    status="COMPLETED",
                    plan_id="BASIC",
                    amount_minor=799,
                    currency="EUR",
                    created_at=NOW,
                    operation_key="key",
                    steps_done=4,
                    is_undoing=False,
                    fence=0,
                    leased_until=NOW,
                    tries=1,
                    next_try_at=NOW,
                )
            )
    return any_engine


async def test_everything_is_exported_and_erased_but_the_books(settled: AsyncEngine) -> None:
    """The payment stays with its amount and says of nobody; ratings leave their totals; the neighbour keeps all."""
    data, store = personal_data_of(settled), SqlPrivacyStore(settled)
    subject = await store.subject(ADA)
    assert subject == Subject(ADA, (ProfileId("prof_ada"),), ("acc_ada@example.org",))

    records = await data.export_personal(subject)
    neighbour = await data.count_personal(await store.subject(BOB))
    await data.erase_personal(subject)

    [payment] = records["table:payments"]
    assert (payment["amount_minor"], payment["customer_id"]) == (799, "cus_ada")
    assert "acc_bob" not in str(records)
    assert set((await data.count_personal(subject)).values()) == {0}
    assert await data.count_personal(await store.subject(BOB)) == neighbour
    async with reading(settled) as connection:
        payments = tables_billing.payments.c
        kept = (
            await connection.execute(select(payments.account_id, payments.amount_minor).order_by(payments.id))
        ).all()
        assert [tuple(row) for row in kept] == [(None, 799), ("acc_bob", 799)]
    totals = (await SqlListStore(settled).totals_by_title([TITLE]))[TITLE]
    assert (totals.count, totals.stars_sum) == (1, 4)


async def test_of_many_who_ask_at_once_one_request_comes(settled: AsyncEngine) -> None:
    """And every one of them gets it; another kind is another request."""
    store = SqlPrivacyStore(settled)
    kept = await asyncio.gather(*(store.ask(request(number)) for number in range(5)))
    assert len({each.id for each in kept}) == 1
    export = await store.ask(request(9, RequestKind.EXPORT))
    assert export.id == "prq_9"
    assert [each.id for each in await store.requests_of(ADA, RequestKind.EXPORT, 5)] == ["prq_9"]


async def test_a_request_is_leased_to_one(settled: AsyncEngine) -> None:
    """Until the lease is over; and put off until it is due."""
    store = SqlPrivacyStore(settled)
    await store.ask(request(1))
    claimed = await asyncio.gather(*(store.claim(NOW, LEASE) for _ in range(4)))
    assert [each.id for each in claimed if each is not None] == ["prq_1"]
    assert await store.claim(NOW + LEASE, LEASE) is not None
    await store.put_off(PrivacyRequestId("prq_1"), NOW + timedelta(hours=1), "away")
    assert await store.claim(NOW + timedelta(minutes=59), LEASE) is None
    again = await store.claim(NOW + timedelta(hours=1), LEASE)
    assert again is not None
    assert (again.problem, again.attempts) == ("away", 1)


async def test_steps_are_marked_once_with_their_events(settled: AsyncEngine) -> None:
    """A repeated mark changes nothing."""
    store = SqlPrivacyStore(settled)
    kept = await store.ask(request(1))
    data = {"accountId": ADA, "profileIds": []}
    event = Event(topic="accounts", kind="account.erased", data=data, occurred_at=NOW)
    for _ in range(2):
        await store.step_done(kept.id, "tell", {"a": 2}, NOW + LEASE, [event])
    await store.step_done(kept.id, "next", {"a": 1, "b": 3}, NOW + LEASE)
    read = await store.request(kept.id)
    assert read is not None
    assert (read.steps, read.counts) == (("tell", "next"), {"a": 3, "b": 3})
    async with reading(settled) as connection:
        waiting = await connection.execute(select(func.count()).select_from(tables.OUTBOX.table))
        assert waiting.scalar_one() == 1


async def test_closing_ends_every_way_in_and_can_not_be_cancelled(settled: AsyncEngine) -> None:
    """Before it, cancelling keeps the account."""
    store = SqlPrivacyStore(settled)
    first = await store.ask(request(1))
    assert await store.cancel(ADA, RequestKind.ERASURE, NOW)
    assert not await store.cancel(ADA, RequestKind.ERASURE, NOW)
    second = await store.ask(request(2))
    assert second.id != first.id
    await store.close_account(second.id, await store.subject(ADA), NOW)

    assert not await store.cancel(ADA, RequestKind.ERASURE, NOW)
    assert await SqlSessionStore(settled).live_session(SessionId("ses_acc_ada")) is None
    assert await SqlSessionStore(settled).live_session(SessionId("ses_acc_bob")) is not None
    credentials = await SqlAccountStore(settled).credentials("acc_ada@example.org")
    assert credentials is not None
    assert credentials.password_hash == NO_PASSWORD
    read = await store.request(second.id)
    assert read is not None
    assert (read.profile_ids, read.emails, read.closed_at) == (("prof_ada",), ("acc_ada@example.org",), NOW)


async def test_an_erasure_that_is_cancelled_when_it_was_taken_up_closes_nothing(settled: AsyncEngine) -> None:
    """Whoever was told that the account lives on keeps the password and the sessions."""
    store, accounts = SqlPrivacyStore(settled), SqlAccountStore(settled)
    await store.ask(request(1))
    taken_up = await store.claim(NOW, LEASE)
    assert taken_up is not None
    subject = await store.subject(ADA)
    assert await store.cancel(ADA, RequestKind.ERASURE, NOW)
    with pytest.raises(ServiceError) as refused:
        await store.close_account(taken_up.id, subject, NOW)
    assert refused.value.kind is ErrorKind.ABORTED
    credentials = await accounts.credentials(f"{ADA}@example.org")
    assert credentials is not None
    assert credentials.password_hash == "hash"
    assert await SqlSessionStore(settled).live_session(SessionId(f"ses_{ADA}")) is not None
    assert await store.claim(NOW + 9 * LEASE, LEASE) is None


async def test_a_profile_that_was_made_meanwhile_is_closed_in(settled: AsyncEngine) -> None:
    """After the erasure looked whose data it is, and before no way is left into the account."""
    store = SqlPrivacyStore(settled)
    await store.ask(request(1))
    subject = await store.subject(ADA)
    late = Profile(ProfileId("prof_late"), ADA, "Late", "fox", False, 18, "en", NOW)
    assert await SqlAccountStore(settled).create_profile(late, max_profiles=5, events=[])
    await store.close_account(request(1).id, subject, NOW)
    closed = await store.request(request(1).id)
    assert closed is not None
    assert set(closed.profile_ids) == {"prof_ada", "prof_late"}


async def test_what_stays_says_of_nobody(settled: AsyncEngine) -> None:
    """The certificate; exports and cancelled erasures of the account are gone."""
    store = SqlPrivacyStore(settled)
    export = await store.ask(request(1, RequestKind.EXPORT))
    await store.finish_export(export.id, ["first ", "second"], "digest", NOW, NOW + LEASE)
    assert [await store.part(export.id, number) for number in range(3)] == ["first ", "second", None]
    erasure = await store.ask(request(2))
    await store.close_account(erasure.id, await store.subject(ADA), NOW)
    await store.forget(erasure.id, "forget", NOW + LEASE)
    await store.forget(erasure.id, "forget", NOW + LEASE)
    await store.finish_erasure(erasure.id, NOW)

    assert await store.request(export.id) is None
    assert await store.part(export.id, 0) is None
    read = await store.request(erasure.id)
    assert read is not None
    assert (read.state, read.account_id, read.profile_ids, read.emails) == (RequestState.DONE, None, (), ())
    assert read.steps == ("forget",)
