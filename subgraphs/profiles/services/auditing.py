"""The ledger's audit: does it balance, does every payment stand in it, does the provider's own book say the same."""

from __future__ import annotations

from collections import Counter

from subgraphs.profiles.domain.ledger import LedgerAudit
from subgraphs.profiles.ports_billing import LedgerStore, PaymentProvider

__all__ = ["audit_ledger"]

PAGE = 1000


async def audit_ledger(ledger: LedgerStore, provider: PaymentProvider) -> LedgerAudit:
    """All checks. The provider's book is read page by page, however long; raises ProviderSilent when it can't be.

    A payment that settles while the book is read may show as a difference: run it again before you worry.
    """
    held: Counter[str] = Counter()
    after = 0
    while movements := await provider.movements(after, PAGE):
        for movement in movements:
            held[movement.amount.currency] += movement.amount.amount_minor
        after = movements[-1].sequence
    return await ledger.audit(dict(held))
