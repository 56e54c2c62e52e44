"""Which of the tables hold personal data, and whose it is. Tables that others refer to come after those."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.personal_data import Owner
from subgraphs.kernel.personal_tables import Ending, PersonalTable, SqlPersonalData
from subgraphs.profiles.adapters.sqlalchemy import tables, tables_billing, tables_people
from subgraphs.profiles.adapters.sqlalchemy.tables_privacy import export_parts, privacy_requests

__all__ = ["PERSONAL_TABLES", "personal_data_of"]

_SESSION_OWNER = (tables.sessions.c.id, tables.sessions.c.account_id)
_PROFILE_OWNER = (tables.profiles.c.id, tables.profiles.c.account_id)
_EXPORT_OWNER = (privacy_requests.c.id, privacy_requests.c.account_id)
_CUSTOMER_OWNER = (tables_billing.billing_customers.c.customer_id, tables_billing.billing_customers.c.account_id)

PERSONAL_TABLES = (
    PersonalTable(tables.refresh_tokens.c.session_id, Owner.ACCOUNT, _SESSION_OWNER, hidden=frozenset({"hash"})),
    PersonalTable(tables.sessions.c.account_id, Owner.ACCOUNT),
    PersonalTable(tables.list_entries.c.profile_id, Owner.PROFILE),
    # One by one, the database's triggers take the ratings out of the totals.
    PersonalTable(tables.ratings.c.profile_id, Owner.PROFILE),
    PersonalTable(tables_people.thumbs.c.profile_id, Owner.PROFILE),
    PersonalTable(tables_people.preferences.c.profile_id, Owner.PROFILE),
    PersonalTable(tables_people.profile_pins.c.profile_id, Owner.PROFILE, hidden=frozenset({"pin_hash", "tries"})),
    PersonalTable(tables_people.consents.c.account_id, Owner.ACCOUNT),
    PersonalTable(tables_people.mail_preferences.c.account_id, Owner.ACCOUNT),
    PersonalTable(tables_people.notifications.c.account_id, Owner.ACCOUNT, hidden=frozenset({"key", "attempts"})),
    PersonalTable(tables_people.one_time_tokens.c.account_id, Owner.ACCOUNT, hidden=frozenset({"hash"})),
    PersonalTable(tables_people.reset_requests.c.email, Owner.EMAIL),
    PersonalTable(tables_billing.devices.c.account_id, Owner.ACCOUNT, hidden=frozenset({"client_hash"})),
    # Payments and the ledger stay, as the law wants: under a customer's id that means nothing without the third row.
    PersonalTable(
        tables_billing.payments.c.customer_id,
        Owner.ACCOUNT,
        _CUSTOMER_OWNER,
        hidden=frozenset({"operation_key", "fence", "leased_until", "authorisation_id", "capture_id"}),
        ending=Ending.UNLINKED,
    ),
    PersonalTable(tables_billing.ledger_entries.c.customer_id, Owner.ACCOUNT, _CUSTOMER_OWNER, ending=Ending.UNLINKED),
    PersonalTable(tables_billing.billing_customers.c.account_id, Owner.ACCOUNT, hidden=frozenset({"method_token"})),
    # The texts of exports that lie there for collection: a copy of the others, not to be exported again.
    PersonalTable(export_parts.c.request_id, Owner.ACCOUNT, _EXPORT_OWNER, is_exported=False),
    PersonalTable(tables.profiles.c.account_id, Owner.ACCOUNT),
    PersonalTable(tables.accounts.c.id, Owner.ACCOUNT, hidden=frozenset({"password_hash"})),
    PersonalTable(tables.OUTBOX.table.c.data, Owner.MENTIONED, is_exported=False),
)


def personal_data_of(engine: AsyncEngine) -> SqlPersonalData:
    """All of profiles' tables."""
    return SqlPersonalData(engine, PERSONAL_TABLES)
