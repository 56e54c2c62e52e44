"""Digests: what recommendations chose for a profile becomes a mail, when it may and is still wanted as it leaves.

A digest is asked for by the account (purpose DIGEST), composed elsewhere, and written here as a message that waits for
sending, once for each profile and week. All that may have changed since then is looked at again when the mail is made:
the consent (as for every mail that needs one), the subscription, the profile and its limits, and each title.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any

import structlog

from common.clock import Clock
from common.events import Event
from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.kernel.policy import decide
from subgraphs.profiles.domain.accounts import Account, Profile
from subgraphs.profiles.domain.consents import Purpose
from subgraphs.profiles.domain.notifications import Notification, NotificationKind
from subgraphs.profiles.ports import AccountStore, PinStore, TitleFactsStore
from subgraphs.profiles.services.notices import Notices, one_line
from subgraphs.profiles.services.unsubscribing import UnsubscribeLinks

__all__ = ["MIN_TITLES", "DigestParts", "Digests"]

log = structlog.get_logger(__name__)

MIN_TITLES = 3
"""Less is not worth a mail."""
NEWS_FOR = timedelta(days=3)
"""What waited longer in a stream or the outbox is no news of the week any more."""


@dataclass(frozen=True, slots=True)
class DigestParts:
    """What a mail is made of: `text` fills its words, `html` the same words for programs that show HTML."""

    text: Mapping[str, str]
    html: Mapping[str, str]
    unsubscribe_url: str


@dataclass(frozen=True, slots=True)
class Digests:
    """The handler of topic `digests`, and the maker of its mails."""

    accounts: AccountStore
    titles: TitleFactsStore
    pins: PinStore
    notices: Notices
    links: UnsubscribeLinks
    clock: Clock

    async def handle(self, event: Event) -> None:
        """Write the message; the same profile and week again changes nothing, nor does what nobody asked for."""
        if event.kind != "digest.composed":
            return
        data, now = event.data, self.clock.now()
        profile_id, account_id = ProfileId(data["profileId"]), AccountId(data["accountId"])
        if now - event.occurred_at > NEWS_FOR:
            log.info("digest.too_late", profile_id=profile_id, week=data["week"])
            return
        account = (await self.accounts.accounts_by_id([account_id])).get(account_id)
        profile = (await self.accounts.profiles_by_id([profile_id])).get(profile_id)
        if account is None or profile is None or profile.account_id != account_id:
            return
        await self.notices.tell(
            account,
            NotificationKind.DIGEST,
            now,
            key=f"digest:{profile_id}:{data['week']}",
            # As they are: coded, names in other alphabets would be six times as long, and too long to be kept.
            details={
                "profileId": profile_id,
                "picks": json.dumps(list(map(_pick, data["titles"])), ensure_ascii=False),
            },
            language=profile.language,
        )

    async def parts(self, notification: Notification, now: datetime) -> DigestParts | None:
        """What the mail says if it is sent now; None when it must not be sent any more."""
        if now - notification.created_at > NEWS_FOR:
            return None
        account_id, profile_id = notification.account_id, ProfileId(notification.details["profileId"])
        account = (await self.accounts.accounts_by_id([account_id])).get(account_id)
        profile = (await self.accounts.profiles_by_id([profile_id])).get(profile_id)
        if account is None or profile is None or profile.account_id != account_id or profile.is_kids:
            return None
        picks = await self._allowed(account, profile, json.loads(notification.details["picks"]), now)
        if len(picks) < MIN_TITLES:
            return None
        if await self.pins.locked_profiles([profile_id]):
            # A PIN keeps what is watched from the others in the house, who may read the account's mails.
            picks = [{**pick, "reason": None} for pick in picks]
        name, url = one_line(profile.name), self.links.link(account_id, Purpose.DIGEST, now)
        return DigestParts(
            text={"profile": name, "titles": "\n\n".join(map(_in_text, picks)), "unsubscribe": url},
            html={
                "profile": escape(name),
                "titles": f"<ul>{''.join(map(_in_html, picks))}</ul>",
                # Without the token: hundreds of letters that say nothing to anybody.
                "unsubscribe": f'<a href="{escape(url)}">{escape(url.rpartition("/")[0])}</a>',
            },
            unsubscribe_url=url,
        )

    async def _allowed(
        self, account: Account, profile: Profile, picks: Sequence[Mapping[str, Any]], now: datetime
    ) -> list[Mapping[str, Any]]:
        """Those that the profile may see and play now; what is not known here may not."""
        viewer = Viewer(
            account_id=account.id,
            country=account.country,
            subscription=account.subscription.status_at(now).value,
            profile_id=profile.id,
            is_kids=profile.is_kids,
            maturity=profile.maturity_limit,
        )
        known = await self.titles.titles_by_id([TitleId(pick["titleId"]) for pick in picks])
        allowed = {id_ for id_, title in known.items() if decide(viewer, title.facts, now).may_play}
        return [pick for pick in picks if pick["titleId"] in allowed]


def _pick(title: Mapping[str, Any]) -> dict[str, Any]:
    """As it is kept; texts come from catalogues, and stay on one line."""
    reason = title.get("reason")
    return {
        "titleId": title["titleId"],
        "name": one_line(title["displayName"]),
        "year": title.get("releaseYear"),
        "reason": None if reason is None else one_line(reason),
    }


def _named(pick: Mapping[str, Any]) -> str:
    return str(pick["name"]) if pick["year"] is None else f"{pick['name']} ({pick['year']})"


def _in_text(pick: Mapping[str, Any]) -> str:
    return f"  * {_named(pick)}" + ("" if pick["reason"] is None else f"\n    {pick['reason']}")


def _in_html(pick: Mapping[str, Any]) -> str:
    reason = "" if pick["reason"] is None else f"<br><small>{escape(pick['reason'])}</small>"
    return f"<li><strong>{escape(_named(pick))}</strong>{reason}</li>"
