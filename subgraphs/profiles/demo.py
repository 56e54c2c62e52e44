"""Demo accounts, so that a fresh installation has somebody to log in as.

`seed_demo` makes what is missing and changes nothing that is there. `python -m subgraphs.profiles.demo` runs it on the
configured store, also while the subgraph is running.
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from common.clock import SystemClock
from common.settings import SettingsInvalid
from common.tokens import Viewer
from common.valkey import open_valkey
from subgraphs.kernel.ids import AccountId
from subgraphs.profiles.api.context import ProfilesServices
from subgraphs.profiles.app import open_services
from subgraphs.profiles.domain.accounts import Account, PlanId, Profile, Subscription, SubscriptionStatus
from subgraphs.profiles.services.billing import Charged
from subgraphs.profiles.services.households import NewProfile
from subgraphs.profiles.services.signing_in import SignUp
from subgraphs.profiles.settings import ProfilesSettings

__all__ = ["DEMO_ACCOUNTS", "DEMO_PASSWORD", "SeededAccount", "seed_demo"]

DEMO_PASSWORD = "popcorn-time"  # noqa: S105  # printed by the demo for everybody to use
DEMO_COUNTRY = "US"
DEMO_CARD = "sim_visa_4242"
"""Of the payment simulator; no money moves."""
LAPSED_FOR = timedelta(days=12)


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account to make; the first profile comes with the sign-up."""

    email: str
    plan_id: PlanId
    profiles: tuple[NewProfile, ...]
    scopes: frozenset[str] = frozenset()
    is_lapsed: bool = False


@dataclass(frozen=True, slots=True)
class SeededAccount:
    """A demo account as it is in the store."""

    account: Account
    profiles: tuple[Profile, ...]


DEMO_ACCOUNTS = (
    DemoAccount("basic@marquee.example", PlanId.BASIC, (NewProfile("Alan", "avatar-2"),)),
    DemoAccount(
        "standard@marquee.example",
        PlanId.STANDARD,
        (NewProfile("Barbara", "avatar-3"), NewProfile("Edsger", "avatar-4")),
    ),
    DemoAccount(
        "premium@marquee.example",
        PlanId.PREMIUM,
        (
            NewProfile("Ada", "avatar-1"),
            NewProfile("Grace", "avatar-5"),
            NewProfile("Milo", "avatar-6", is_kids=True),
        ),
    ),
    DemoAccount("lapsed@marquee.example", PlanId.STANDARD, (NewProfile("Charles", "avatar-7"),), is_lapsed=True),
    DemoAccount(
        "studio@marquee.example", PlanId.PREMIUM, (NewProfile("Studio", "avatar-8"),), scopes=frozenset({"studio"})
    ),
)


async def seed_demo(services: ProfilesServices, now: datetime | None = None) -> tuple[SeededAccount, ...]:
    """Make the demo's accounts and profiles that are missing; all of them as they are afterwards, in order."""
    instant = now or SystemClock().now()
    return tuple([await _seed_account(services, demo, instant) for demo in DEMO_ACCOUNTS])


async def _seed_account(services: ProfilesServices, demo: DemoAccount, now: datetime) -> SeededAccount:
    found = await services.accounts.credentials(demo.email)
    account = await _create_account(services, demo, now) if found is None else found.account
    if not demo.is_lapsed:
        account = await _pay_first_period(services, account, now)
    holder = Viewer(account_id=account.id)
    names = {profile.name for profile in await _profiles(services, account.id)}
    for position, wanted in enumerate(demo.profiles):
        if wanted.name not in names:
            # An instant for each, as profiles are shown by age. A full account stays as its users made it.
            at = now + timedelta(milliseconds=position)
            await services.households.create_profile(holder, account, wanted, at)
    return SeededAccount(account, await _profiles(services, account.id))


async def _create_account(services: ProfilesServices, demo: DemoAccount, now: datetime) -> Account:
    wanted = SignUp(demo.email, DEMO_PASSWORD, DEMO_COUNTRY, demo.plan_id, demo.profiles[0].name)
    outcome = await services.signing_in.register(wanted, now, scopes=demo.scopes, has_trial=False)
    if not isinstance(outcome, Account):
        raise TypeError(f"demo account {demo.email} can't be made: {outcome}")
    if demo.is_lapsed:
        lapsed = Subscription(SubscriptionStatus.EXPIRED, now - LAPSED_FOR)
        await services.accounts.set_subscription(outcome.id, lapsed)
        return replace(outcome, subscription=lapsed)
    return outcome


async def _pay_first_period(services: ProfilesServices, account: Account, now: datetime) -> Account:
    """Its first charge, by the simulator's card; what users did with the subscription since stays."""
    if account.subscription.period_ends_at is not None:
        return account
    holder = Viewer(account_id=account.id)
    await services.billing.add_method(holder, account, DEMO_CARD, now)
    # The same key every time: a seeding that was interrupted charges no second time.
    outcome = await services.billing.subscribe(holder, account, account.plan_id, "demo", now)
    if not isinstance(outcome, Charged):
        raise TypeError(f"demo account {account.email} can't be subscribed: {outcome}")
    return outcome.account


async def _profiles(services: ProfilesServices, account_id: AccountId) -> tuple[Profile, ...]:
    return (await services.accounts.profiles_by_account([account_id])).get(account_id, ())


async def _main(settings: ProfilesSettings) -> None:
    async with (
        open_valkey(settings.shared.valkey_url) as redis,
        open_services(settings, redis) as (services, _),
    ):
        for seeded in await seed_demo(services):
            names = ", ".join(profile.name for profile in seeded.profiles)
            print(f"{seeded.account.email:26} {seeded.account.plan_id.value:9} {names}")
    print(f"password of all: {DEMO_PASSWORD}")


def main() -> None:
    """Seed the configured store and print who can log in."""
    argparse.ArgumentParser(
        prog="python -m subgraphs.profiles.demo",
        description="Makes the demo's accounts in the configured store (MARQUEE_STATE_DIR or MARQUEE_PROFILES_…).",
    ).parse_args()
    try:
        settings = ProfilesSettings.load()
    except SettingsInvalid as error:
        raise SystemExit(f"error: {error}") from error
    asyncio.run(_main(settings))


if __name__ == "__main__":
    main()
