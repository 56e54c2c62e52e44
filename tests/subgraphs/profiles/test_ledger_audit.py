"""The audit as an operator runs it, on the demo's books; and a process that is killed while it charges."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from common.clock import FakeClock
from common.settings import SharedSettings
from subgraphs.kernel.migrations import upgrade
from subgraphs.kernel.rate_limit import InMemoryRateLimiter
from subgraphs.kernel.sql import open_engine, sqlite_url, writing
from subgraphs.profiles.adapters.argon2_hasher import Argon2PasswordHasher
from subgraphs.profiles.adapters.sqlalchemy.tables import MIGRATIONS
from subgraphs.profiles.adapters.sqlalchemy.tables_billing import provider_simulator_operations
from subgraphs.profiles.app import build_services
from subgraphs.profiles.demo import DEMO_ACCOUNTS, seed_demo
from subgraphs.profiles.domain.accounts import SubscriptionStatus
from subgraphs.profiles.ledger_audit import main
from subgraphs.profiles.settings import ProfilesSettings
from tests.support.billing import LAPSED, BillingOffice

ROOT = Path(__file__).resolve().parents[3]


async def seed(state_dir: Path) -> None:
    settings = ProfilesSettings(shared=SharedSettings(state_dir=state_dir))
    engine = open_engine(settings.store_url)
    await upgrade(engine, MIGRATIONS)
    hasher = Argon2PasswordHasher(memory_kib=64, passes=1, lanes=1, threads=1, max_waiting=10)
    services = build_services(settings, engine, hasher, InMemoryRateLimiter(), lambda: None)
    for _ in range(2):
        seeded = await seed_demo(services)
    charged = sum(account.account.subscription.status is SubscriptionStatus.ACTIVE for account in seeded)
    assert charged == sum(not demo.is_lapsed for demo in DEMO_ACCOUNTS)
    hasher.close()
    await engine.dispose()


async def cook_the_books(state_dir: Path) -> None:
    engine = open_engine(ProfilesSettings(shared=SharedSettings(state_dir=state_dir)).store_url)
    row = {"operation_key": "x", "kind": "capture", "reference": "r", "amount_minor": 5, "currency": "USD"}
    async with writing(engine) as connection:
        await connection.execute(insert(provider_simulator_operations).values(row))
    await engine.dispose()


def test_the_audit_ends_well_or_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo's accounts are charged once, however often it is seeded; a provider that holds more is found."""
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["ledger_audit"])
    asyncio.run(seed(tmp_path))
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr().out
    assert ended.value.code == 0
    assert "4 transactions, 16 entries; 0 payments under way" in printed
    assert "the books are in order" in printed
    asyncio.run(cook_the_books(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "problem: the provider holds 6951 USD, the ledger 6946" in capsys.readouterr().out


def test_books_that_can_not_be_read_are_no_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another exit code than wrong books have, one line and no traceback."""
    monkeypatch.setenv("MARQUEE_PROFILES_DATABASE_URL", "postgresql+asyncpg://ada:hunter2@127.0.0.1:9/marquee")
    monkeypatch.setattr(sys, "argv", ["ledger_audit"])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err.splitlines()[-1]
    assert ended.value.code == 2
    assert told.startswith("error: the books could not be read: the store can't be reached")
    assert "hunter2" not in told


KILLED = """
import asyncio, os, signal, sys
from common.clock import SystemClock
from subgraphs.kernel.sql import open_engine
from subgraphs.profiles.domain.accounts import PlanId
from tests.support.billing import BillingOffice

async def main(url, call, moment):
    office = BillingOffice(open_engine(url), SystemClock())
    def die(number, name):
        if number == call:
            if moment == "BEFORE":
                os.kill(os.getpid(), signal.SIGKILL)
            async def kill():
                os.kill(os.getpid(), signal.SIGKILL)
            office.after_call[name] = [kill]
    [account] = (await office.accounts.accounts_by_id(["acc_0"])).values()
    with office.trouble(die):
        await office.billing.subscribe(office.viewer(account), account, PlanId.BASIC, "one", office.clock.now())

asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
"""


@pytest.mark.parametrize(("call", "moment"), [(1, "AFTER"), (3, "AFTER"), (4, "BEFORE"), (5, "AFTER"), (7, "AFTER")])
async def test_a_killed_process_leaves_a_payment_that_another_one_ends(tmp_path: Path, call: int, moment: str) -> None:
    """SIGKILL right after the authorisation, after the capture, before and after the ledger, and after the end."""
    url = sqlite_url(tmp_path / "profiles.sqlite")
    engine = open_engine(url)
    await upgrade(engine, MIGRATIONS)
    office = BillingOffice(engine, FakeClock(datetime.now(UTC)))
    account = await office.account(LAPSED)
    dead = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", KILLED, url, str(call), moment],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert dead.returncode == -signal.SIGKILL, dead.stderr.decode()
    await office.recover()
    after = await office.again(account)
    assert after.subscription.status is SubscriptionStatus.ACTIVE
    assert (await office.provider_operations(account)).items() >= {"captures": 1, "authorises": 1}.items()
    audit = await office.audit()
    assert (audit.problems, audit.payments_under_way) == ((), 0)
    await engine.dispose()
