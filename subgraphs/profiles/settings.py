"""The profiles subgraph's settings (MARQUEE_PROFILES_…): the only place of it that reads the environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from subgraphs.kernel.rate_limit import RateLimit
from subgraphs.kernel.settings import SubgraphSettings
from subgraphs.kernel.sql import sqlite_url
from subgraphs.profiles.adapters.mail.message import check_sender
from subgraphs.profiles.adapters.mail.smtp import read_smtp_url
from subgraphs.profiles.domain.pins import PinRules
from subgraphs.profiles.domain.rules import HouseholdRules
from subgraphs.profiles.domain.subscriptions import Dunning
from subgraphs.profiles.services.passwords import PasswordLimits
from subgraphs.profiles.services.payment_saga import SagaLimits

__all__ = ["ProfilesSettings"]

PositiveInt = Annotated[int, Field(gt=0)]
HOUR_S = 3600


class ProfilesSettings(SubgraphSettings):
    """One profiles process."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_PROFILES_")

    port: Annotated[int, Field(ge=0, le=65535)] = 4001
    """TCP port of the subgraph; 0 lets the system choose."""
    database_url: SecretStr | None = None
    """`postgresql+asyncpg://…` or `sqlite+aiosqlite:///…`; without it SQLite below the state folder."""
    access_token_s: PositiveInt = 15 * 60
    """How long an access token is good."""
    refresh_token_days: PositiveInt = 30
    """How long a refresh token is good when it is not used."""
    max_sessions: PositiveInt = 100
    """Sessions of one account at once; the oldest end beyond that."""

    argon2_memory_kib: Annotated[int, Field(ge=8)] = 19 * 1024
    """Memory that hashing one password takes."""
    argon2_passes: PositiveInt = 2
    """Times that hashing goes over that memory."""
    argon2_lanes: PositiveInt = 1
    """Parallel lanes of one hash."""
    hashing_threads: PositiveInt = 2
    """Passwords hashed at once; each takes `argon2_memory_kib` and a core for about 30 ms."""
    max_waiting_hashes: PositiveInt = 100
    """Log-ins and sign-ups that may wait for a hashing thread; further ones are told to come back."""

    log_ins_per_hour: PositiveInt = 20
    """Per client address."""
    log_ins_per_account_per_hour: PositiveInt = 100
    """Per e-mail address, so that many addresses can't guess one account's password together."""
    sign_ups_per_hour: PositiveInt = 10
    """Per client address."""

    mails_per_hour: PositiveInt = 10
    """Mails that may be asked for (password resets), per client address."""
    mails_per_email_per_hour: PositiveInt = 3
    """Mails that may be asked for, per e-mail address."""
    pin_tries: PositiveInt = 5
    """Guesses at one profile's PIN in any `pin_window_s`."""
    pin_window_s: PositiveInt = 15 * 60
    """See `pin_tries`."""

    mail_url: SecretStr | None = None
    """`smtp://user:password@host:587` (STARTTLS) or `smtps://…`; without it mails are files below the state folder."""
    mail_sender: str = "noreply@marquee.example"
    """The address that mails come from."""

    trial_days: PositiveInt = 30
    """Free days of a new account."""
    grace_days: PositiveInt = 7
    """After a renewal was declined: how long a payment still brings the subscription back."""
    dunning_retry_days: tuple[PositiveInt, ...] = (1, 2, 3)
    """Days from one declined renewal to the next try, as JSON; tries after the grace are left out."""
    billing_round_s: Annotated[float, Field(gt=0)] = 30.0
    """Pause between two looks for payments left open and subscriptions that are due."""
    payment_call_timeout_s: Annotated[float, Field(gt=0, le=20)] = 5.0
    """How long one call of the payment provider may take before its outcome counts as unknown."""
    payment_patience_s: Annotated[float, Field(gt=0, le=5)] = 3.0
    """How long a request waits for its payment's end; then it hears that the payment is under way."""
    payments_per_hour: PositiveInt = 20
    """Charges and new payment methods of one account."""
    max_devices: PositiveInt = 20
    """Devices of one account; beyond that the one that was not seen for longest is signed out and forgotten."""

    personal_data_urls: dict[str, str] = Field(
        default_factory=lambda: {
            "playback": "http://127.0.0.1:4003",
            "recommendations": "http://127.0.0.1:4004",
            "titles": "http://127.0.0.1:4002",
        }
    )
    """The services that hold personal data, by name, as JSON: an export asks them all, an erasure goes through them."""
    personal_data_timeout_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    """How long one of them may take for one account."""
    export_days: PositiveInt = 7
    """How long an export can be collected."""
    exports_per_day: PositiveInt = 3
    """Exports of one account."""
    erasure_grace_s: Annotated[float, Field(ge=0)] = 7 * 24 * 3600
    """How long an erasure waits and can be cancelled."""
    erasure_settle_s: Annotated[float, Field(ge=0)] = 20 * 60
    """From the end of the grace to the last sweep: longer than access tokens from before it live."""
    privacy_lease_s: Annotated[float, Field(gt=0)] = 120.0
    """How long a step of an export or an erasure may take before another process takes it up."""

    max_profiles: PositiveInt = 5
    """Of one account."""
    max_name_length: PositiveInt = 50
    """Characters of a profile's name."""
    kids_max_maturity: Annotated[int, Field(ge=0, le=18)] = 7
    """The highest age limit that a kids profile may have."""
    max_list_length: PositiveInt = 500
    """Titles on one profile's My List."""

    @property
    def store_url(self) -> str:
        """The database's URL; the default file's folder is made."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return sqlite_url(self.shared.state_dir / "profiles" / "profiles.sqlite")

    @field_validator("mail_url")
    @classmethod
    def _check_mail_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            read_smtp_url(url.get_secret_value())
        return url

    @field_validator("mail_sender")
    @classmethod
    def _check_mail_sender(cls, address: str) -> str:
        return check_sender(address)

    @property
    def mail_folder(self) -> Path:
        """Where mails go without a server."""
        return self.shared.state_dir / "profiles" / "mail"

    @property
    def pin_rules(self) -> PinRules:
        """How often a PIN may be guessed."""
        return PinRules(self.pin_tries, timedelta(seconds=self.pin_window_s))

    @property
    def access_key_path(self) -> Path:
        """The key that signs access tokens; older ones beside it, as access-*.pem, stay published."""
        return self.shared.keys_dir / "access.pem"

    @property
    def mail_key_path(self) -> Path:
        """The key that signs the links in mails."""
        return self.shared.keys_dir / "mail.pem"

    @property
    def access_token_life(self) -> timedelta:
        """How long an access token is good."""
        return timedelta(seconds=self.access_token_s)

    @property
    def refresh_token_life(self) -> timedelta:
        """How long a refresh token is good when it is not used."""
        return timedelta(days=self.refresh_token_days)

    @property
    def rules(self) -> HouseholdRules:
        """The bounds of one account."""
        return HouseholdRules(
            max_profiles=self.max_profiles,
            max_name_length=self.max_name_length,
            kids_max_maturity=self.kids_max_maturity,
            max_list_length=self.max_list_length,
        )

    @property
    def trial(self) -> timedelta:
        """A new account's free period."""
        return timedelta(days=self.trial_days)

    @property
    def dunning(self) -> Dunning:
        """What follows a declined renewal."""
        return Dunning(
            grace=timedelta(days=self.grace_days),
            retry_after=tuple(timedelta(days=days) for days in self.dunning_retry_days),
        )

    @property
    def saga_limits(self) -> SagaLimits:
        """How long payments wait."""
        return SagaLimits(patience_s=self.payment_patience_s, call_timeout_s=self.payment_call_timeout_s)

    @property
    def payment_limit(self) -> RateLimit:
        """Per account."""
        return RateLimit("payment", self.payments_per_hour, HOUR_S)

    @property
    def log_in_limit(self) -> RateLimit:
        """Per client address."""
        return RateLimit("log-in", self.log_ins_per_hour, HOUR_S)

    @property
    def account_log_in_limit(self) -> RateLimit:
        """Per e-mail address."""
        return RateLimit("log-in-account", self.log_ins_per_account_per_hour, HOUR_S)

    @property
    def password_limits(self) -> PasswordLimits:
        """Checks of a password share their counts with log-ins, so that neither door adds tries to the other."""
        return PasswordLimits(
            checks=self.log_in_limit,
            checks_per_account=RateLimit("password", self.log_ins_per_hour, HOUR_S),
            mails=RateLimit("mail", self.mails_per_hour, HOUR_S),
            mails_per_email=RateLimit("mail-address", self.mails_per_email_per_hour, HOUR_S),
        )

    @property
    def export_limit(self) -> RateLimit:
        """Per account."""
        return RateLimit("export", self.exports_per_day, 24 * HOUR_S)

    @property
    def sign_up_limit(self) -> RateLimit:
        """Per client address."""
        return RateLimit("sign-up", self.sign_ups_per_hour, HOUR_S)
