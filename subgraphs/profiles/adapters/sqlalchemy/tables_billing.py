"""The tables of prices, payments, the ledger and devices, as the newest migration leaves them.

What the ledger promises is held by the database: the migration's triggers let no entry change or disappear, seal a
transaction when its header is written after its entries, and refuse a header whose entries don't sum to zero.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    column,
)

from subgraphs.kernel.sql import UtcDateTime
from subgraphs.profiles.adapters.sqlalchemy.tables import ID, metadata

__all__ = [
    "billing_customers",
    "devices",
    "ledger_entries",
    "ledger_transactions",
    "payments",
    "plan_prices",
    "provider_simulator_operations",
]

CURRENCY = String(3)
REFERENCE = String(64)
_IS_OPEN = column("status") == "PENDING"

plan_prices = Table(
    "plan_prices",
    metadata,
    Column("plan_id", String(16), ForeignKey("plans.id"), primary_key=True),
    # "*" is the price of every country that has none of its own.
    Column("country", String(2), primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", CURRENCY, nullable=False),
)

billing_customers = Table(
    "billing_customers",
    metadata,
    Column("account_id", ID, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    # The name under which ledger, payments and provider know the account; it means nothing without this row.
    Column("customer_id", ID, nullable=False, unique=True),
    Column("method_token", String(200), nullable=False),
    Column("method_brand", String(40), nullable=False),
    Column("method_last_four", String(4), nullable=False),
    Column("method_added_at", UtcDateTime, nullable=False),
)

payments = Table(
    "payments",
    metadata,
    Column("id", ID, primary_key=True),
    # Erasing an account leaves its payments, which books must keep, without saying whose they were.
    Column("account_id", ID, ForeignKey("accounts.id", ondelete="SET NULL")),
    Column("customer_id", ID, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("plan_id", String(16), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", CURRENCY, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("failure", String(200)),
    Column("refunded_payment_id", ID, ForeignKey("payments.id"), index=True),
    Column("operation_key", String(64), nullable=False),
    Column("steps_done", Integer, nullable=False),
    Column("is_undoing", Boolean, nullable=False),
    Column("authorisation_id", REFERENCE),
    Column("capture_id", REFERENCE),
    Column("fence", Integer, nullable=False),
    Column("leased_until", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    UniqueConstraint("customer_id", "operation_key", name="uq_payments_operation_key"),
    Index("ix_payments_newest", "account_id", "created_at", "id"),
    Index("uq_payments_open", "account_id", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    Index("ix_payments_open_due", "next_try_at", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
)

ledger_transactions = Table(
    "ledger_transactions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("operation_key", String(120), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("payment_id", ID, nullable=False, index=True),
    Column("occurred_at", UtcDateTime, nullable=False),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    # Deferred: the header comes after its entries and seals them.
    Column(
        "transaction_id",
        ID,
        ForeignKey("ledger_transactions.id", deferrable=True, initially="DEFERRED"),
        primary_key=True,
    ),
    Column("line", Integer, primary_key=True),
    Column("ledger_account", String(32), nullable=False),
    Column("customer_id", ID, nullable=False),
    # Debits above zero, credits below.
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", CURRENCY, nullable=False),
)

provider_simulator_operations = Table(
    "provider_simulator_operations",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("operation_key", String(120), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("reference", REFERENCE, nullable=False, unique=True),
    Column("parent_reference", REFERENCE, index=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", CURRENCY, nullable=False),
    Column("refusal", String(200)),
)

devices = Table(
    "devices",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("client_hash", String(64), nullable=False),
    Column("name", String(100), nullable=False),
    Column("form_factor", String(16), nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    UniqueConstraint("account_id", "client_hash", name="uq_devices_client_hash"),
    Index("ix_devices_newest", "account_id", "last_seen_at", "id"),
)
