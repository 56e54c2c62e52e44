"""Which keys hold personal data, and whose it is."""

from __future__ import annotations

from subgraphs.kernel.personal_data import Owner
from subgraphs.kernel.personal_keys import OWNER_MARK, PersonalKeys
from subgraphs.titles.adapters import search_events, search_tastes

__all__ = ["PERSONAL_KEYS"]

PERSONAL_KEYS = (
    PersonalKeys(f"{search_events.KEY_PREFIX}{OWNER_MARK}", Owner.ACCOUNT),
    PersonalKeys(f"{search_tastes.KEY_PREFIX}{OWNER_MARK}", Owner.PROFILE),
)
