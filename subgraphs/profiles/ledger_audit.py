"""`python -m subgraphs.profiles.ledger_audit`: proves that the books are in order, also while the subgraph is running.

Prints every ledger account's balance; ends with 1 and the problems when something is wrong, with 2 when the books can't
be read.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from common.clock import SystemClock
from common.errors import ServiceError
from common.settings import SettingsInvalid
from subgraphs.kernel.rate_limit import InMemoryRateLimiter
from subgraphs.kernel.sql import check_store, open_engine
from subgraphs.profiles.adapters.sqlalchemy.accounts import SqlAccountStore
from subgraphs.profiles.domain.ledger import LedgerAudit
from subgraphs.profiles.ports_billing import ProviderSilent
from subgraphs.profiles.services.auditing import audit_ledger
from subgraphs.profiles.settings import ProfilesSettings
from subgraphs.profiles.wiring_billing import build_billing

__all__ = ["main"]


def write_audit(audit: LedgerAudit) -> str:
    """The audit as lines for people."""
    counts = f"{audit.transaction_count} transactions, {audit.entry_count} entries"
    lines = [f"{counts}; {audit.payments_under_way} payments under way"]
    lines += [f"{account:20} {money.amount_minor:15,} {money.currency}" for account, money in audit.balances]
    if audit.payments_under_way:
        lines.append("not compared with the provider's book: payments are under way")
    lines += [f"problem: {problem}" for problem in audit.problems] or ["the books are in order"]
    return "\n".join(lines)


async def _audit(settings: ProfilesSettings) -> LedgerAudit:
    engine = open_engine(settings.store_url)
    try:
        await check_store(engine)
        billing = build_billing(
            settings,
            engine,
            SqlAccountStore(engine),
            InMemoryRateLimiter(),
            clock=SystemClock(),
            on_commit=lambda: None,
        )
        return await audit_ledger(billing.saga.ledger, billing.saga.provider)
    finally:
        await engine.dispose()


def main() -> None:
    """Audit the configured store's ledger."""
    argparse.ArgumentParser(
        prog="python -m subgraphs.profiles.ledger_audit",
        description="Adds up the ledger of the configured store (MARQUEE_STATE_DIR or MARQUEE_PROFILES_…) and compares "
        "it with the payments and with the provider's own book. Ends with 1 when something is wrong, with 2 when the "
        "store or the provider can't be reached.",
    ).parse_args()
    try:
        settings = ProfilesSettings.load()
    except SettingsInvalid as error:
        raise SystemExit(f"error: {error}") from error
    try:
        audit = asyncio.run(_audit(settings))
    except (ServiceError, ProviderSilent) as error:
        # Another end than 1: nothing is known to be wrong.
        print(f"error: the books could not be read: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    print(write_audit(audit))
    raise SystemExit(1 if audit.problems else 0)


if __name__ == "__main__":
    main()
