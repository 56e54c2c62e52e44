"""Which of the tables hold personal data: the audit log says who edited what."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.personal_data import Owner
from subgraphs.kernel.personal_tables import Ending, PersonalTable, SqlPersonalData
from subgraphs.titles.adapters.sql.tables import audit

__all__ = ["PERSONAL_TABLES", "personal_data_of"]

PERSONAL_TABLES = (
    # What was done to the catalogue stays known, and by whom no longer.
    PersonalTable(audit.c.account_id, Owner.ACCOUNT, ending=Ending.ANONYMISED),
)


def personal_data_of(engine: AsyncEngine) -> SqlPersonalData:
    """The audit log."""
    return SqlPersonalData(engine, PERSONAL_TABLES)
