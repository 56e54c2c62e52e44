"""Prices by country, subscriptions that renew, payments, the ledger with its triggers, and devices."""

import sqlalchemy as sa
from alembic import op

from subgraphs.kernel.sql import UtcDateTime

revision = "0002_billing"
down_revision = "0001"

EURO_COUNTRIES = "AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK"
PRICES = {
    # country: (currency, BASIC, STANDARD, PREMIUM), in the currency's minor unit; "*" is everywhere else
    "*": ("USD", 799, 1549, 2299),
    "GB": ("GBP", 599, 1099, 1799),
    "CH": ("CHF", 1190, 1890, 2490),
    "JP": ("JPY", 890, 1590, 2290),
    "IN": ("INR", 14900, 49900, 64900),
    "BR": ("BRL", 2090, 4490, 5990),
    "CA": ("CAD", 799, 1899, 2399),
    "AU": ("AUD", 799, 1899, 2599),
    "KW": ("KWD", 2400, 4700, 7000),
    **dict.fromkeys(EURO_COUNTRIES.split(), ("EUR", 799, 1399, 1999)),
}
USD = {"BASIC": 799, "STANDARD": 1549, "PREMIUM": 2299}
SUBSCRIPTION_COLUMNS = (
    "is_trial",
    "period_starts_at",
    "pending_plan_id",
    "grace_ends_at",
    "next_attempt_at",
    "failed_attempts",
)
IMMUTABLE = ("ledger_transactions", "ledger_entries")


def upgrade() -> None:
    """The plan table's prices move to a table of their own; subscriptions learn to renew."""
    _create_prices()
    _extend_subscriptions()
    _create_payments()
    _create_ledger()
    if op.get_bind().dialect.name == "postgresql":
        _guard_ledger_on_postgresql()
    else:
        _guard_ledger_on_sqlite()
    _create_simulator()
    _create_devices()


def downgrade() -> None:
    """Payments, the ledger and devices are lost; prices go back to dollars."""
    op.drop_index("ix_sessions_device_id", "sessions")
    op.drop_column("sessions", "device_id")
    for table in ("devices", "provider_simulator_operations", "ledger_entries", "ledger_transactions"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for function in ("ledger_is_immutable", "ledger_entry_is_early", "ledger_is_balanced"):
            op.execute(f"DROP FUNCTION {function}()")
    for table in ("payments", "billing_customers", "plan_prices"):
        op.drop_table(table)
    op.drop_index("ix_accounts_billing_due_at", "accounts")
    for column in (*SUBSCRIPTION_COLUMNS, "billing_due_at"):
        op.drop_column("accounts", column)
    op.add_column("plans", sa.Column("price_cents", sa.Integer, nullable=False, server_default="0"))
    op.add_column("plans", sa.Column("currency", sa.String(3), nullable=False, server_default="USD"))
    for plan_id, cents in USD.items():
        op.execute(sa.text("UPDATE plans SET price_cents = :cents WHERE id = :id").bindparams(cents=cents, id=plan_id))


def _create_prices() -> None:
    prices = op.create_table(
        "plan_prices",
        sa.Column("plan_id", sa.String(16), sa.ForeignKey("plans.id", name="fk_plan_prices_plan_id"), primary_key=True),
        sa.Column("country", sa.String(2), primary_key=True),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="ck_plan_prices_amount_minor"),
    )
    op.bulk_insert(
        prices,
        [
            {"plan_id": plan_id, "country": country, "amount_minor": amount, "currency": currency}
            for country, (currency, *amounts) in PRICES.items()
            for plan_id, amount in zip(USD, amounts, strict=True)
        ],
    )
    for column in ("price_cents", "currency"):
        op.drop_column("plans", column)


def _extend_subscriptions() -> None:
    op.add_column("accounts", sa.Column("is_trial", sa.Boolean, nullable=False, server_default=sa.true()))
    for name in ("period_starts_at", "grace_ends_at", "next_attempt_at", "billing_due_at"):
        op.add_column("accounts", sa.Column(name, UtcDateTime))
    op.add_column("accounts", sa.Column("pending_plan_id", sa.String(16)))
    op.add_column("accounts", sa.Column("failed_attempts", sa.Integer, nullable=False, server_default="0"))
    op.execute(
        "UPDATE accounts SET billing_due_at = period_ends_at WHERE subscription_status IN ('ACTIVE', 'CANCELLED')"
    )
    op.create_index("ix_accounts_billing_due_at", "accounts", ["billing_due_at"])


def _create_payments() -> None:
    op.create_table(
        "billing_customers",
        _account("billing_customers", "CASCADE", primary_key=True),
        sa.Column("customer_id", sa.String(64), nullable=False),
        sa.Column("method_token", sa.String(200), nullable=False),
        sa.Column("method_brand", sa.String(40), nullable=False),
        sa.Column("method_last_four", sa.String(4), nullable=False),
        sa.Column("method_added_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("customer_id", name="uq_billing_customers_customer_id"),
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.String(64), primary_key=True),
        _account("payments", "SET NULL"),
        sa.Column("customer_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("plan_id", sa.String(16), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("settled_at", UtcDateTime),
        sa.Column("failure", sa.String(200)),
        sa.Column(
            "refunded_payment_id", sa.String(64), sa.ForeignKey("payments.id", name="fk_payments_refunded_payment_id")
        ),
        sa.Column("operation_key", sa.String(64), nullable=False),
        sa.Column("steps_done", sa.Integer, nullable=False),
        sa.Column("is_undoing", sa.Boolean, nullable=False),
        sa.Column("authorisation_id", sa.String(64)),
        sa.Column("capture_id", sa.String(64)),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("leased_until", UtcDateTime, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("customer_id", "operation_key", name="uq_payments_operation_key"),
        sa.CheckConstraint("amount_minor > 0", name="ck_payments_amount_minor"),
    )
    op.create_index("ix_payments_refunded_payment_id", "payments", ["refunded_payment_id"])
    op.create_index("ix_payments_newest", "payments", ["account_id", "created_at", "id"])
    is_open = sa.text("status = 'PENDING'")
    op.create_index(
        "uq_payments_open", "payments", ["account_id"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_index("ix_payments_open_due", "payments", ["next_try_at"], sqlite_where=is_open, postgresql_where=is_open)


def _create_ledger() -> None:
    op.create_table(
        "ledger_transactions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("operation_key", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("payment_id", sa.String(64), nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("operation_key", name="uq_ledger_transactions_operation_key"),
    )
    op.create_index("ix_ledger_transactions_payment_id", "ledger_transactions", ["payment_id"])
    header = sa.ForeignKey(
        "ledger_transactions.id", name="fk_ledger_entries_transaction_id", deferrable=True, initially="DEFERRED"
    )
    op.create_table(
        "ledger_entries",
        sa.Column("transaction_id", sa.String(64), header, primary_key=True),
        sa.Column("line", sa.Integer, primary_key=True),
        sa.Column("ledger_account", sa.String(32), nullable=False),
        sa.Column("customer_id", sa.String(64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name="ck_ledger_entries_amount_minor"),
    )


_UNBALANCED = """
    (SELECT count(*) FROM ledger_entries WHERE transaction_id = NEW.id) < 2
    OR EXISTS (SELECT 1 FROM ledger_entries WHERE transaction_id = NEW.id
               GROUP BY currency HAVING sum(amount_minor) <> 0)
"""
_SEALED = "EXISTS (SELECT 1 FROM ledger_transactions WHERE id = NEW.transaction_id)"


def _guard_ledger_on_sqlite() -> None:
    for table in IMMUTABLE:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the ledger is immutable; post a reversal'); END"
            )
    op.execute(
        f"CREATE TRIGGER ledger_entries_early BEFORE INSERT ON ledger_entries WHEN {_SEALED} "
        "BEGIN SELECT RAISE(ABORT, 'the ledger transaction is sealed'); END"
    )
    op.execute(
        f"CREATE TRIGGER ledger_transactions_balanced BEFORE INSERT ON ledger_transactions WHEN {_UNBALANCED} "
        "BEGIN SELECT RAISE(ABORT, 'the ledger transaction does not sum to zero'); END"
    )


def _guard_ledger_on_postgresql() -> None:
    _create_function("ledger_is_immutable", "RAISE EXCEPTION 'the ledger is immutable; post a reversal'")
    for table in IMMUTABLE:
        op.execute(
            f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION ledger_is_immutable()"
        )
    _create_function(
        "ledger_entry_is_early",
        f"IF {_SEALED} THEN RAISE EXCEPTION 'the ledger transaction is sealed'; END IF; RETURN NEW",
    )
    op.execute(
        "CREATE TRIGGER ledger_entries_early BEFORE INSERT ON ledger_entries "
        "FOR EACH ROW EXECUTE FUNCTION ledger_entry_is_early()"
    )
    _create_function(
        "ledger_is_balanced",
        f"IF {_UNBALANCED} THEN RAISE EXCEPTION 'the ledger transaction does not sum to zero'; END IF; RETURN NEW",
    )
    op.execute(
        "CREATE TRIGGER ledger_transactions_balanced BEFORE INSERT ON ledger_transactions "
        "FOR EACH ROW EXECUTE FUNCTION ledger_is_balanced()"
    )


def _create_function(name: str, body: str) -> None:
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$")


def _create_simulator() -> None:
    op.create_table(
        "provider_simulator_operations",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("operation_key", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("parent_reference", sa.String(64)),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("refusal", sa.String(200)),
        sa.UniqueConstraint("operation_key", name="uq_provider_simulator_operations_operation_key"),
        sa.UniqueConstraint("reference", name="uq_provider_simulator_operations_reference"),
    )
    op.create_index(
        "ix_provider_simulator_operations_parent_reference", "provider_simulator_operations", ["parent_reference"]
    )


def _create_devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.String(64), primary_key=True),
        _account("devices", "CASCADE", nullable=False),
        sa.Column("client_hash", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("form_factor", sa.String(16), nullable=False),
        sa.Column("first_seen_at", UtcDateTime, nullable=False),
        sa.Column("last_seen_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("account_id", "client_hash", name="uq_devices_client_hash"),
    )
    op.create_index("ix_devices_newest", "devices", ["account_id", "last_seen_at", "id"])
    op.add_column("sessions", sa.Column("device_id", sa.String(64)))
    op.create_index("ix_sessions_device_id", "sessions", ["device_id"])


def _account(table: str, on_delete: str, *, primary_key: bool = False, nullable: bool = True) -> "sa.Column[str]":
    key = sa.ForeignKey("accounts.id", ondelete=on_delete, name=f"fk_{table}_account_id")
    return sa.Column("account_id", sa.String(64), key, primary_key=primary_key, nullable=nullable and not primary_key)
