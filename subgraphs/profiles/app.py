"""Wires the profiles subgraph: stores, services, schema, events, and the key set's route."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from common.clock import Clock, SystemClock
from common.events import EventConsumer, EventPublisher
from common.valkey import open_stream_valkey, open_valkey
from subgraphs.kernel.app import OpenedSubgraph, create_subgraph_app
from subgraphs.kernel.context import RequestHead
from subgraphs.kernel.gaps import ask_again
from subgraphs.kernel.graphql_http import json_answer
from subgraphs.kernel.migrations import upgrade
from subgraphs.kernel.outbox import OutboxRelay
from subgraphs.kernel.rate_limit import RateLimiter, ValkeyRateLimiter
from subgraphs.kernel.sql import check_store, open_engine
from subgraphs.profiles.adapters.argon2_hasher import Argon2PasswordHasher
from subgraphs.profiles.adapters.mail.smtp import SmtpMailSender, read_smtp_url
from subgraphs.profiles.adapters.mail.spool import SpoolMailSender
from subgraphs.profiles.adapters.sqlalchemy.accounts import SqlAccountStore
from subgraphs.profiles.adapters.sqlalchemy.credentials import SqlCredentialStore
from subgraphs.profiles.adapters.sqlalchemy.devices import SqlDeviceStore
from subgraphs.profiles.adapters.sqlalchemy.lists import SqlListStore
from subgraphs.profiles.adapters.sqlalchemy.notifications import SqlNotificationStore, SqlOneTimeTokenStore
from subgraphs.profiles.adapters.sqlalchemy.pins import SqlPinStore
from subgraphs.profiles.adapters.sqlalchemy.preferences import SqlConsentStore, SqlPreferenceStore
from subgraphs.profiles.adapters.sqlalchemy.sessions import SqlSessionStore
from subgraphs.profiles.adapters.sqlalchemy.tables import MIGRATIONS, OUTBOX
from subgraphs.profiles.adapters.sqlalchemy.title_facts import SqlTitleFactsStore
from subgraphs.profiles.api.context import ProfilesContext, ProfilesServices
from subgraphs.profiles.api.schema import schema
from subgraphs.profiles.api.unsubscribe_page import unsubscribe_route
from subgraphs.profiles.ports import MailSender
from subgraphs.profiles.services.access_tokens import AccessTokens
from subgraphs.profiles.services.billing_rounds import BillingRounds
from subgraphs.profiles.services.devices import Devices
from subgraphs.profiles.services.digests import Digests
from subgraphs.profiles.services.households import Households
from subgraphs.profiles.services.mail_texts import MailTexts
from subgraphs.profiles.services.mailing import Mailing
from subgraphs.profiles.services.notices import Notices
from subgraphs.profiles.services.passwords import Passwords
from subgraphs.profiles.services.pins import Pins
from subgraphs.profiles.services.preferring import Preferring
from subgraphs.profiles.services.retelling import Retelling
from subgraphs.profiles.services.signing_in import SigningIn, SigningInLimits
from subgraphs.profiles.services.title_news import TitleNews
from subgraphs.profiles.services.unsubscribing import UnsubscribeLinks, Unsubscribing
from subgraphs.profiles.services.viewer_lists import ViewerLists
from subgraphs.profiles.settings import ProfilesSettings
from subgraphs.profiles.wiring_billing import build_billing
from subgraphs.profiles.wiring_privacy import build_privacy, open_privacy_rounds, personal_stores

__all__ = ["build_services", "create_app", "open_services"]

CONSUMER_GROUP = "profiles"
JWKS_CACHE_S = 300
REVOKED_LEEWAY = timedelta(minutes=1)
"""Between machines' clocks: a session is told as ended for so much longer than its tokens live."""
MAX_REVOKED_SESSIONS = 50_000
"""The newest: 2 MB, and 50 log-outs in each second of a token's life."""
VALKEY_TIMEOUT_S = 1.0
"""A log-in waits no longer than this for its count; then the process counts alone."""


def create_app(settings: ProfilesSettings | None = None, *, clock: Clock | None = None) -> Starlette:
    """The profiles subgraph as an ASGI application; stores are opened and migrated when it starts."""
    used = settings or ProfilesSettings.load()

    @asynccontextmanager
    async def open_subgraph() -> AsyncIterator[OpenedSubgraph]:
        async with AsyncExitStack() as stack:
            redis = await stack.enter_async_context(open_valkey(used.shared.valkey_url, VALKEY_TIMEOUT_S))
            stream_redis = await stack.enter_async_context(open_stream_valkey(used.shared.valkey_url))
            services, engine = await stack.enter_async_context(open_services(used, redis, clock))
            news = TitleNews(SqlTitleFactsStore(engine))
            used_clock = clock or SystemClock()
            retelling = Retelling(
                SqlConsentStore(engine),
                services.accounts,
                used_clock,
                ask_again=ask_again(EventPublisher(redis), CONSUMER_GROUP, used_clock),
                on_commit=services.households.on_commit,
            )
            consumer = EventConsumer(
                stream_redis,
                group=CONSUMER_GROUP,
                consumer=f"{socket.gethostname()}-{used.port}",
                handlers={
                    "titles": news.handle,
                    "requests": retelling.handle,
                    "digests": services.mailing.digests.handle,
                },
                on_gap=retelling.on_gap,
            )
            await stack.enter_async_context(consumer.running())
            rounds = await stack.enter_async_context(open_privacy_rounds(used, engine, redis, services, used_clock))
            await stack.enter_async_context(rounds.running())

            def make_context(head: RequestHead) -> ProfilesContext:
                return ProfilesContext(head=head, services=services)

            async def check_events() -> None:
                await redis.ping()

            yield OpenedSubgraph(
                make_context=make_context,
                required={"store": lambda: check_store(engine)},
                optional={"events": check_events},
                resources=services,
                event_lags=consumer.lags,
                personal_data=personal_stores(used, engine),
            )

    async def jwks(request: Request) -> Response:
        services: ProfilesServices = request.app.state.resources
        answer = json_answer(services.signing_in.tokens.jwks)
        answer.headers["cache-control"] = f"public, max-age={JWKS_CACHE_S}"
        return answer

    async def revoked_sessions(request: Request) -> Response:
        services: ProfilesServices = request.app.state.resources
        since = (clock or SystemClock()).now() - used.access_token_life - REVOKED_LEEWAY
        revoked = await services.signing_in.sessions.revoked_since(since, MAX_REVOKED_SESSIONS)
        answer = json_answer({"sessions": list(revoked)})
        answer.headers["cache-control"] = "no-store"
        return answer

    def read_link(request: Request, token: str) -> None:
        services: ProfilesServices = request.app.state.resources
        services.unsubscribing.links.read(token)

    async def stop_mails(request: Request, token: str) -> None:
        services: ProfilesServices = request.app.state.resources
        await services.unsubscribing.stop(token, (clock or SystemClock()).now())

    return create_subgraph_app(
        name="profiles",
        schema=schema,
        settings=used,
        open_subgraph=open_subgraph,
        clock=clock,
        routes=[
            Route("/.well-known/jwks.json", jwks, methods=["GET"]),
            Route("/.well-known/revoked-sessions.json", revoked_sessions, methods=["GET"]),
            unsubscribe_route(read_link, stop_mails),
        ],
    )


@asynccontextmanager
async def open_services(
    settings: ProfilesSettings, redis: Redis, clock: Clock | None = None
) -> AsyncIterator[tuple[ProfilesServices, AsyncEngine]]:
    """The services on migrated stores, with the outbox's relay running; `redis` is closed by its owner."""
    engine = open_engine(settings.store_url)
    try:
        await upgrade(engine, MIGRATIONS)
        relay = OutboxRelay(engine, OUTBOX, EventPublisher(redis))
        hasher = Argon2PasswordHasher(
            memory_kib=settings.argon2_memory_kib,
            passes=settings.argon2_passes,
            lanes=settings.argon2_lanes,
            threads=settings.hashing_threads,
            max_waiting=settings.max_waiting_hashes,
        )
        sender = _open_mail_sender(settings)
        try:
            services = build_services(
                settings, engine, hasher, ValkeyRateLimiter(redis), relay.wake, sender=sender, clock=clock
            )
            async with (
                relay.running(),
                services.mailing.running(clock or SystemClock()),
                services.billing_rounds.running(),
            ):
                yield services, engine
        finally:
            hasher.close()
            if isinstance(sender, SmtpMailSender):
                sender.close()
    finally:
        await engine.dispose()


def build_services(
    settings: ProfilesSettings,
    engine: AsyncEngine,
    hasher: Argon2PasswordHasher,
    rate_limiter: RateLimiter,
    on_commit: Callable[[], None],
    *,
    sender: MailSender | None = None,
    clock: Clock | None = None,
) -> ProfilesServices:
    """The services over SQL stores; without a `sender` mails become files."""
    accounts, sessions, lists = SqlAccountStore(engine), SqlSessionStore(engine), SqlListStore(engine)
    preferences, consents, notifications = (
        SqlPreferenceStore(engine),
        SqlConsentStore(engine),
        SqlNotificationStore(engine),
    )
    tokens = SqlOneTimeTokenStore(engine)
    rules, used_clock = settings.rules, clock or SystemClock()
    mailing_awake = asyncio.Event()
    notices = Notices(notifications, accounts, preferences, consents, mailing_awake.set)
    passwords = Passwords(
        accounts=accounts,
        credentials=SqlCredentialStore(engine),
        tokens=tokens,
        hasher=hasher,
        rate_limiter=rate_limiter,
        limits=settings.password_limits,
        notices=notices,
        wake_mailing=mailing_awake.set,
    )
    billing = build_billing(settings, engine, accounts, rate_limiter, clock=used_clock, on_commit=on_commit)
    devices = Devices(SqlDeviceStore(engine), settings.max_devices, on_commit)
    preferring = Preferring(preferences, consents, accounts, on_commit)
    pins = Pins(SqlPinStore(engine), accounts, hasher, passwords, notices, settings.pin_rules)
    links = UnsubscribeLinks.open(settings.mail_key_path, settings.shared.public_gateway_url, used_clock)
    return ProfilesServices(
        signing_in=SigningIn(
            accounts=accounts,
            sessions=sessions,
            hasher=hasher,
            rate_limiter=rate_limiter,
            tokens=AccessTokens.open(settings.access_key_path, settings.access_token_life),
            limits=SigningInLimits(
                log_ins=settings.log_in_limit,
                log_ins_per_account=settings.account_log_in_limit,
                sign_ups=settings.sign_up_limit,
                refresh_token_life=settings.refresh_token_life,
                max_sessions=settings.max_sessions,
            ),
            rules=rules,
            on_commit=on_commit,
            pins=pins,
            notices=notices,
            devices=devices,
            trial=settings.trial,
        ),
        households=Households(accounts, pins, preferring, rules, on_commit),
        viewer_lists=ViewerLists(lists, SqlTitleFactsStore(engine), rules, on_commit),
        passwords=passwords,
        pins=pins,
        preferring=preferring,
        notices=notices,
        mailing=Mailing(
            notifications=notifications,
            tokens=tokens,
            accounts=accounts,
            notices=notices,
            sender=sender or SpoolMailSender(settings.mail_folder, settings.mail_sender),
            texts=MailTexts.read(),
            digests=Digests(accounts, SqlTitleFactsStore(engine), SqlPinStore(engine), notices, links, used_clock),
            awake=mailing_awake,
        ),
        accounts=accounts,
        lists=lists,
        billing=billing,
        billing_rounds=BillingRounds(billing, notices, settings.billing_round_s),
        devices=devices,
        privacy=build_privacy(settings, engine, passwords, rate_limiter),
        unsubscribing=Unsubscribing(links, preferring),
    )


def _open_mail_sender(settings: ProfilesSettings) -> MailSender:
    if settings.mail_url is None:
        return SpoolMailSender(settings.mail_folder, settings.mail_sender)
    return SmtpMailSender(read_smtp_url(settings.mail_url.get_secret_value()), settings.mail_sender)
