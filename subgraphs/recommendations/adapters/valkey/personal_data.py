"""Which keys hold personal data, and whose it is."""

from __future__ import annotations

from subgraphs.kernel.personal_data import Owner
from subgraphs.kernel.personal_keys import OWNER_MARK, PersonalKeys
from subgraphs.recommendations.adapters.valkey.artwork_contexts import CONTEXT_KEYS
from subgraphs.recommendations.adapters.valkey.measures import COUNTED_KEYS, MEASURE_KEYS, OVERRIDE_KEYS

__all__ = ["PERSONAL_KEYS"]

PERSONAL_KEYS = (
    PersonalKeys(f"marquee:taste:{OWNER_MARK}", Owner.PROFILE),
    PersonalKeys(f"marquee:interactions-refused:{OWNER_MARK}", Owner.ACCOUNT),
    # That a view was counted already; the counters themselves know nobody.
    PersonalKeys(f"marquee:view:{OWNER_MARK}:*", Owner.PROFILE, is_exported=False),
    PersonalKeys(f"{MEASURE_KEYS}{{{OWNER_MARK}}}", Owner.PROFILE),
    # Ids of events that were counted: the counts are above.
    PersonalKeys(f"{COUNTED_KEYS}{{{OWNER_MARK}}}", Owner.PROFILE, is_exported=False),
    PersonalKeys(f"{OVERRIDE_KEYS}{OWNER_MARK}", Owner.PROFILE),
    PersonalKeys(f"{CONTEXT_KEYS}{OWNER_MARK}:*", Owner.PROFILE),
    # A page says whose it is, and lives for minutes: made from the taste above.
    PersonalKeys("marquee:page:*", Owner.MENTIONED, is_exported=False),
)
