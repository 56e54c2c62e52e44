# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""Preferences, consent, messages and rating averages as GraphQL types."""

import strawberry

from subgraphs.kernel.pagination import Page, PageInfo, page_info
from subgraphs.profiles.domain import consents as consent_domain
from subgraphs.profiles.domain import notifications as notification_domain
from subgraphs.profiles.domain import preferences as preference_domain
from subgraphs.profiles.domain.consents import ConsentSource, Purpose
from subgraphs.profiles.domain.lists import RatingTotals, Thumb
from subgraphs.profiles.domain.notifications import MailCategory, NotificationKind
from subgraphs.profiles.domain.preferences import DataSaver, SubtitleMode

__all__ = [
    "Consent",
    "Notification",
    "NotificationConnection",
    "NotificationEdge",
    "Preferences",
    "RatingAverage",
]

strawberry.enum(Thumb, description="What a profile thinks of a title in one gesture.")
strawberry.enum(SubtitleMode, description="When subtitles are shown without being asked for.")
strawberry.enum(DataSaver, description="When less data is used than the plan gives.")
strawberry.enum(
    Purpose,
    name="ConsentPurpose",
    description="What data may be used for beyond giving the service. All but PERSONALISATION are off until agreed to. "
    "DIGEST: a mail a week for each profile with what is new for it.",
)
strawberry.enum(ConsentSource, description="Where somebody decided.")
strawberry.enum(
    MailCategory,
    description="What mails can be muted by; SECURITY never. MARKETING and RECOMMENDATIONS need consent.",
)
strawberry.enum(NotificationKind, description="What an account is told.")


@strawberry.type(description="All profiles' ratings of a title.")
class RatingAverage:
    """There is at least one."""

    average: float = strawberry.field(description="1.0 to 5.0, not rounded.")
    count: int = strawberry.field(description="How many profiles rated.")

    @classmethod
    def from_domain(cls, totals: RatingTotals) -> "RatingAverage":
        """From the sums."""
        return cls(average=totals.average, count=totals.count)


@strawberry.type(description="What a profile likes, on every screen.")
class Preferences:
    """Defaults where nothing was set."""

    audio_languages: list[str] = strawberry.field(description="BCP 47, most liked first; at most 8. Empty: original.")
    subtitle_languages: list[str] = strawberry.field(description="BCP 47, most liked first; at most 8.")
    subtitle_mode: SubtitleMode
    autoplay_next: bool
    autoplay_previews: bool
    data_saver: DataSaver
    interface_language: str | None = strawberry.field(description="BCP 47; null: the profile's language.")

    @classmethod
    def from_domain(cls, preferences: preference_domain.Preferences) -> "Preferences":
        """Field by field."""
        return cls(
            audio_languages=list(preferences.audio_languages),
            subtitle_languages=list(preferences.subtitle_languages),
            subtitle_mode=preferences.subtitle_mode,
            autoplay_next=preferences.autoplay_next,
            autoplay_previews=preferences.autoplay_previews,
            data_saver=preferences.data_saver,
            interface_language=preferences.interface_language,
        )


@strawberry.type(description="Where an account stands on one purpose.")
class Consent:
    """By its last decision, or by default."""

    purpose: Purpose
    granted: bool
    text_version: int = strawberry.field(description="Of the words to show now; send it with setConsent.")
    is_outdated: bool = strawberry.field(description="Decided on older words: ask again.")
    decided_at: str | None = strawberry.field(description="ISO 8601; null: never, granted is the default.")
    source: ConsentSource | None

    @classmethod
    def from_domain(cls, consent: consent_domain.Consent) -> "Consent":
        """Field by field."""
        record = consent.record
        return cls(
            purpose=consent.purpose,
            granted=consent.is_granted,
            text_version=consent.current_version,
            is_outdated=consent.is_outdated,
            decided_at=None if record is None else record.recorded_at.isoformat(),
            source=None if record is None else record.source,
        )


@strawberry.type(description="One message of an account's inbox.")
class Notification:
    """In the words of the mail, in the account's language."""

    id: strawberry.ID
    kind: NotificationKind
    subject: str
    body: str
    created_at: str
    read_at: str | None = strawberry.field(description="ISO 8601; null: unread.")


@strawberry.type(description="One message in a list.")
class NotificationEdge:
    """Relay's edge."""

    cursor: str
    node: Notification


@strawberry.type(description="A page of messages.")
class NotificationConnection:
    """Relay's connection."""

    edges: list[NotificationEdge]
    page_info: PageInfo

    @classmethod
    def from_page(cls, page: Page[tuple[notification_domain.Notification, str, str]]) -> "NotificationConnection":
        """Edges in the page's order, from messages with subject and body."""
        edges = [
            NotificationEdge(
                cursor=cursor,
                node=Notification(
                    id=strawberry.ID(message.id),
                    kind=message.kind,
                    subject=subject,
                    body=body,
                    created_at=message.created_at.isoformat(),
                    read_at=None if message.read_at is None else message.read_at.isoformat(),
                ),
            )
            for (message, subject, body), cursor in zip(page.items, page.cursors, strict=True)
        ]
        return cls(edges=edges, page_info=page_info(page))
