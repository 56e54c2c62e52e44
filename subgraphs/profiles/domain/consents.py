"""Consent: what an account agreed to, in which words, when and how. Nothing is ever overwritten.

The words are versioned: who agreed to older ones is asked again where agreeing is needed (opt-in), and stays out
meanwhile only where the older consent was a no. A purpose that nobody decided on has its default.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = [
    "PURPOSES",
    "Consent",
    "ConsentRecord",
    "ConsentSource",
    "Purpose",
    "PurposeTerms",
    "granted_purposes",
    "standing_consents",
]


class Purpose(StrEnum):
    """What data may be used for beyond giving the service."""

    MARKETING = "MARKETING"
    """News and offers by mail."""
    PERSONALISATION = "PERSONALISATION"
    """Rows, order and artwork by what was watched."""
    ANALYTICS = "ANALYTICS"
    """Measuring how screens are used."""
    DIGEST = "DIGEST"
    """A mail a week for each profile with what is new for it."""


class ConsentSource(StrEnum):
    """Where somebody decided."""

    SIGN_UP = "SIGN_UP"
    SETTINGS = "SETTINGS"
    MAIL = "MAIL"
    """The link in a mail."""


@dataclass(frozen=True, slots=True)
class PurposeTerms:
    """`version` counts the words that people see, from 1; `default` holds until somebody decides."""

    version: int
    default: bool


PURPOSES = {
    Purpose.MARKETING: PurposeTerms(version=1, default=False),
    Purpose.PERSONALISATION: PurposeTerms(version=1, default=True),
    Purpose.ANALYTICS: PurposeTerms(version=1, default=False),
    Purpose.DIGEST: PurposeTerms(version=1, default=False),
}
"""Every purpose. Change the words shown for one: raise its version."""


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One decision, as it was made."""

    purpose: Purpose
    is_granted: bool
    version: int
    source: ConsentSource
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """Where an account stands on a purpose; `record` None: by default."""

    purpose: Purpose
    is_granted: bool
    current_version: int
    record: ConsentRecord | None

    @property
    def is_outdated(self) -> bool:
        """Decided on older words than today's: ask again."""
        return self.record is not None and self.record.version < self.current_version


def standing_consents(records: Iterable[ConsentRecord]) -> tuple[Consent, ...]:
    """One per purpose, in their order, from all decisions, oldest first."""
    last = {record.purpose: record for record in records}
    return tuple(
        Consent(
            purpose=purpose,
            is_granted=terms.default if purpose not in last else last[purpose].is_granted,
            current_version=terms.version,
            record=last.get(purpose),
        )
        for purpose, terms in PURPOSES.items()
    )


def granted_purposes(consents: Iterable[Consent]) -> frozenset[Purpose]:
    """What is agreed to, by decision or by default."""
    return frozenset(consent.purpose for consent in consents if consent.is_granted)
