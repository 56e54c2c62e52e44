"""Signing up, logging in, refreshing, selecting a profile and logging out.

Every way in ends in an open session: an access token for the gateway and a refresh token that works once. Tries are
counted before the password is looked at, and an unknown address takes as long as a wrong password.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from common.telemetry import name_of_the_day
from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, new_id
from subgraphs.kernel.rate_limit import RateLimit, RateLimiter
from subgraphs.profiles.domain.accounts import (
    Account,
    PlanId,
    Profile,
    Subscription,
    SubscriptionStatus,
)
from subgraphs.profiles.domain.consents import granted_purposes, standing_consents
from subgraphs.profiles.domain.notifications import NotificationKind
from subgraphs.profiles.domain.outcomes import (
    EmailTaken,
    Invalid,
    InvalidRefreshToken,
    Limited,
    NotSignedIn,
    ProfileMissing,
    WrongCredentials,
)
from subgraphs.profiles.domain.rules import (
    MAX_PASSWORD_LENGTH,
    HouseholdRules,
    ProfileDraft,
    check_profile,
    check_sign_up,
    normalise_email,
    normalise_name,
)
from subgraphs.profiles.domain.sessions import RefreshToken, Session, TokenState, new_refresh_token, token_hash
from subgraphs.profiles.domain.subscriptions import trial
from subgraphs.profiles.ports import AccountStore, PasswordHasher, SessionStore
from subgraphs.profiles.services.access_tokens import AccessTokens
from subgraphs.profiles.services.devices import DeviceDraft, Devices, check_device
from subgraphs.profiles.services.events import profile_created, signed_up
from subgraphs.profiles.services.households import DEFAULT_AVATAR, DEFAULT_LANGUAGE, DEFAULT_MATURITY
from subgraphs.profiles.services.notices import Notices
from subgraphs.profiles.services.pins import PinRefusal, Pins

__all__ = ["LogIn", "OpenSession", "SignUp", "SigningIn", "SigningInLimits"]

log = structlog.get_logger(__name__)

MAX_DEVICE_NAME_LENGTH = 100
UNPAID = Subscription(SubscriptionStatus.EXPIRED, None)


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody who signs up tells."""

    email: str
    password: str
    country: str
    plan_id: PlanId
    profile_name: str
    device: DeviceDraft | None = None


@dataclass(frozen=True, slots=True)
class LogIn:
    """What somebody who logs in tells."""

    email: str
    password: str
    device_name: str = ""
    device: DeviceDraft | None = None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """What a client needs to go on; both tokens replace those that it had."""

    access_token: str
    access_token_expires_at: datetime
    refresh_token: str
    account: Account
    profile: Profile | None


@dataclass(frozen=True, slots=True)
class SigningInLimits:
    """How often and how long."""

    log_ins: RateLimit
    log_ins_per_account: RateLimit
    sign_ups: RateLimit
    refresh_token_life: timedelta
    max_sessions: int


@dataclass(frozen=True, slots=True)
class SigningIn:
    """The service; `on_commit` is called after a write that left events in the outbox."""

    accounts: AccountStore
    sessions: SessionStore
    hasher: PasswordHasher
    rate_limiter: RateLimiter
    tokens: AccessTokens
    limits: SigningInLimits
    rules: HouseholdRules
    on_commit: Callable[[], None]
    pins: Pins
    notices: Notices
    devices: Devices
    trial: timedelta

    async def sign_up(
        self, wanted: SignUp, address: str, now: datetime
    ) -> OpenSession | EmailTaken | Invalid | Limited:
        """Make an account with one profile and log it in, account level; forms with mistakes do not count as tries."""
        problems = self._problems(wanted)
        if problems:
            return Invalid(problems)
        retry_after_s = await self.rate_limiter.take(self.limits.sign_ups, address)
        if retry_after_s is not None:
            return Limited(retry_after_s)
        outcome = await self.register(wanted, now)
        if not isinstance(outcome, Account):
            return outcome
        await self.notices.tell(outcome, NotificationKind.WELCOME, now, key="welcome")
        return await self._open(outcome, "", wanted.device, now)

    async def register(
        self, wanted: SignUp, now: datetime, *, scopes: frozenset[str] = frozenset(), has_trial: bool = True
    ) -> Account | EmailTaken | Invalid:
        """Make an account with one profile, unlimited and without a session: what sign-up and the demo share.

        `scopes` are rights beyond a customer's; no client can ask for any. Without a trial the account has to
        subscribe before it can watch.
        """
        problems = self._problems(wanted)
        if problems:
            return Invalid(problems)
        email = normalise_email(wanted.email)
        if await self.accounts.credentials(email) is not None:
            return EmailTaken()
        account = Account(
            id=AccountId(new_id("acc", now)),
            email=email,
            country=_country(wanted),
            plan_id=wanted.plan_id,
            subscription=trial(wanted.plan_id, now, self.trial).subscription if has_trial else UNPAID,
            scopes=scopes,
            created_at=now,
        )
        profile = _first_profile(account, _first_draft(wanted), now)
        events = [
            signed_up(account, now),
            profile_created(profile, account, now, granted_purposes(standing_consents(()))),
        ]
        password_hash = await self.hasher.hash(wanted.password)
        if not await self.accounts.create_account(account, password_hash, profile, events):
            return EmailTaken()
        self.on_commit()
        log.info("account.signed_up", account_id=account.id, plan=account.plan_id.value)
        return account

    async def log_in(
        self, wanted: LogIn, address: str, now: datetime
    ) -> OpenSession | WrongCredentials | Limited | Invalid:
        """Open an account-level session; a lapsed subscription can log in, and its token says that it lapsed."""
        problems = {} if wanted.device is None else check_device(wanted.device)
        if problems:
            return Invalid(problems)
        email = normalise_email(wanted.email)
        # The address is counted by its hash: what somebody typed there may have been a password.
        by_account = hashlib.sha256(email.encode()).hexdigest()[:32]
        for limit, caller in ((self.limits.log_ins, address), (self.limits.log_ins_per_account, by_account)):
            retry_after_s = await self.rate_limiter.take(limit, caller)
            if retry_after_s is not None:
                log.warning("log_in.limited", limit=limit.name, address=name_of_the_day("ip", address))
                return Limited(retry_after_s)
        found = await self.accounts.credentials(email)
        stored = None if found is None else found.password_hash
        matches = await self.hasher.verify(wanted.password[: MAX_PASSWORD_LENGTH + 1], stored)
        if found is None or not matches:
            log.info("log_in.refused", address=name_of_the_day("ip", address))
            return WrongCredentials()
        if self.hasher.needs_rehash(found.password_hash):
            renewed = await self.hasher.hash(wanted.password)
            await self.accounts.replace_password_hash(found.account.id, found.password_hash, renewed)
        is_known = await self.sessions.knows_device(found.account.id, _device_name(wanted.device_name))
        opened = await self._open(found.account, wanted.device_name, wanted.device, now)
        if not is_known:
            await self._tell_sign_in(found.account, wanted, now)
        return opened

    async def refresh(self, refresh_token: str, now: datetime) -> OpenSession | InvalidRefreshToken:
        """Exchange a refresh token; one that was used before ends its session."""
        successor = new_refresh_token(now, self.limits.refresh_token_life)
        state, session = await self.sessions.rotate(token_hash(refresh_token), successor, now)
        if state is TokenState.USED and session is not None:
            log.warning("session.refresh_token_reused", session_id=session.id, account_id=session.account_id)
        if state is not TokenState.FRESH or session is None:
            return InvalidRefreshToken()
        await self._touch(session, now)
        answer = await self._answer(session, successor, now)
        return answer or InvalidRefreshToken()

    async def select_profile(
        self, viewer: Viewer, profile_id: ProfileId, refresh_token: str | None, pin: str | None, now: datetime
    ) -> OpenSession | ProfileMissing | NotSignedIn | PinRefusal:
        """Tokens that carry a profile. Both tokens are new; the refresh tokens from before are used up.

        The session is that of the access token, or that of `refresh_token` where there is no access token.
        """
        session = await self._session(viewer, refresh_token, now)
        if session is None:
            return NotSignedIn()
        profile = (await self.accounts.profiles_by_id([profile_id])).get(profile_id)
        if profile is None or profile.account_id != session.account_id:
            return ProfileMissing(profile_id)
        pin_refusal = await self._check_pin(session, profile, pin, now)
        if pin_refusal is not None:
            return pin_refusal
        successor = new_refresh_token(now, self.limits.refresh_token_life)
        if refresh_token is None:
            is_done = await self.sessions.replace_tokens(session.id, successor, now)
        else:
            state, _ = await self.sessions.rotate(token_hash(refresh_token), successor, now)
            is_done = state is TokenState.FRESH
        if not is_done:
            return NotSignedIn()
        await self.sessions.select_profile(session.id, profile_id)
        await self._touch(session, now)
        selected = replace(session, profile_id=profile_id)
        answer = await self._answer(selected, successor, now)
        return answer or NotSignedIn()

    async def log_out(self, viewer: Viewer, now: datetime, *, everywhere: bool) -> bool:
        """End this session or all of the account's; False when nobody was signed in."""
        if viewer.account_id is None or viewer.session_id is None:
            return False
        if everywhere and await self.sessions.live_session(SessionId(viewer.session_id)) is not None:
            return await self.sessions.revoke_all(AccountId(viewer.account_id), now) > 0
        return await self.sessions.revoke(SessionId(viewer.session_id), now)

    async def _touch(self, session: Session, now: datetime) -> None:
        if session.device_id is not None:
            await self.devices.store.touch(session.id, now)

    def _problems(self, wanted: SignUp) -> dict[str, str]:
        problems = check_sign_up(normalise_email(wanted.email), wanted.password, _country(wanted))
        if wanted.device is not None:
            problems |= check_device(wanted.device)
        return problems | check_profile(_first_draft(wanted), self.rules, name_path="input.profileName")

    async def _check_pin(self, session: Session, wanted: Profile, pin: str | None, now: datetime) -> PinRefusal | None:
        """By what the session has selected, whatever an older access token of it says."""
        account = (await self.accounts.accounts_by_id([session.account_id]))[session.account_id]
        current = None
        if session.profile_id is not None:
            current = (await self.accounts.profiles_by_id([session.profile_id])).get(session.profile_id)
        return await self.pins.check_selection(account, current, wanted, pin, now)

    async def _tell_sign_in(self, account: Account, wanted: LogIn, now: datetime) -> None:
        details = {"device": _device_name(wanted.device_name) or "-", "at": f"{now:%Y-%m-%d %H:%M} UTC"}
        key = f"sign-in:{now.isoformat()}"
        await self.notices.tell(account, NotificationKind.NEW_SIGN_IN, now, key=key, details=details)

    async def _session(self, viewer: Viewer, refresh_token: str | None, now: datetime) -> Session | None:
        """The live session that both tokens agree on."""
        by_access = None
        if viewer.session_id is not None:
            by_access = await self.sessions.live_session(SessionId(viewer.session_id))
            if by_access is None:
                return None
        if refresh_token is None:
            return by_access
        state, by_refresh = await self.sessions.token_session(token_hash(refresh_token), now)
        if state is TokenState.USED:
            # Let rotate() do what it does with a token that comes back.
            await self.refresh(refresh_token, now)
            return None
        if by_refresh is None or (by_access is not None and by_access.id != by_refresh.id):
            return None
        return by_refresh

    async def _open(self, account: Account, device_name: str, draft: DeviceDraft | None, now: datetime) -> OpenSession:
        device = None if draft is None else await self.devices.see(account.id, draft, now)
        session = Session(
            id=SessionId(new_id("ses", now)),
            account_id=account.id,
            profile_id=None,
            device_name=_device_name(device_name or ("" if device is None else device.name)),
            created_at=now,
            device_id=None if device is None else device.id,
        )
        refresh_token = new_refresh_token(now, self.limits.refresh_token_life)
        await self.sessions.open(session, refresh_token, max_sessions=self.limits.max_sessions)
        return self._opened(session, account, None, refresh_token, now)

    async def _answer(self, session: Session, refresh_token: RefreshToken, now: datetime) -> OpenSession | None:
        """The session with its account and profile as they are now; None when the account is gone."""
        account = (await self.accounts.accounts_by_id([session.account_id])).get(session.account_id)
        if account is None:
            return None
        profile = None
        if session.profile_id is not None:
            profile = (await self.accounts.profiles_by_id([session.profile_id])).get(session.profile_id)
        return self._opened(session, account, profile, refresh_token, now)

    def _opened(
        self, session: Session, account: Account, profile: Profile | None, refresh_token: RefreshToken, now: datetime
    ) -> OpenSession:
        access_token, expires_at = self.tokens.issue(session, account, profile, now)
        return OpenSession(access_token, expires_at, refresh_token.text, account, profile)


def _device_name(text: str) -> str:
    return normalise_name(text)[:MAX_DEVICE_NAME_LENGTH]


def _country(wanted: SignUp) -> str:
    return wanted.country.strip().upper()


def _first_draft(wanted: SignUp) -> ProfileDraft:
    return ProfileDraft(
        name=normalise_name(wanted.profile_name),
        avatar=DEFAULT_AVATAR,
        is_kids=False,
        maturity_limit=DEFAULT_MATURITY,
        language=DEFAULT_LANGUAGE,
    )


def _first_profile(account: Account, draft: ProfileDraft, now: datetime) -> Profile:
    return Profile(
        id=ProfileId(new_id("prof", now)),
        account_id=account.id,
        name=draft.name,
        avatar=draft.avatar,
        is_kids=draft.is_kids,
        maturity_limit=draft.maturity_limit,
        language=draft.language,
        created_at=now,
    )
