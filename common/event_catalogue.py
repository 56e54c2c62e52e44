"""Every kind of event with the shape of its data: the services' contract, checked where events are made and read.

A kind is a row of `EVENT_KINDS`; `docs/events.md` is printed from it. Data is JSON with names in camelCase. A reader
ignores members that it does not know, so that a kind may grow; members are never renamed, and a new one is optional.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

__all__ = [
    "EVENT_KINDS",
    "PERSONAL_TOPICS",
    "SEARCH_TRACKING",
    "SESSION_TOPICS",
    "TOPICS",
    "EventInvalid",
    "EventKind",
    "check_published",
    "check_received",
    "write_event_reference",
]

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Instant = Annotated[datetime, Meta(tz=True)]
Country = Annotated[str, Meta(min_length=1, max_length=2)]
Seconds = Annotated[float, Meta(ge=0)]
Age = Annotated[int, Meta(ge=0, le=18)]
MAX_TITLES = 200
SEARCH_TRACKING = "search."
"""What the tracking of a search's hits begins with; then come the search's id, a dot and the place from 1 on."""


class EventInvalid(ValueError):
    """An event whose kind or data is not in the catalogue; the message names the member and what was wanted."""


class AccountSignedUp(Struct, rename="camel"):
    """An account exists."""

    account_id: Id
    country: Country
    plan: str


class SubscriptionChanged(Struct, rename="camel"):
    """What an account pays for, as it is now."""

    account_id: Id
    country: Country
    plan: str
    status: str
    period_ends_at: Instant | None = None


class DeviceRemoved(Struct, rename="camel"):
    """A device is signed out and forgotten; `client_hash` is SHA-256 of account id, unit separator, the client's id."""

    account_id: Id
    device_id: Id
    client_hash: str


class ProfileEvent(Struct, rename="camel"):
    """A profile as it is, or as it was before it was deleted."""

    profile_id: Id
    account_id: Id
    is_kids: bool
    maturity: Age
    country: Country
    language: str
    personalisation: bool | None = None
    analytics: bool | None = None
    digest: bool | None = None


class AccountErased(Struct, rename="camel"):
    """Everything of these ids must be gone; the event itself goes when all have heard it."""

    account_id: Id
    profile_ids: Annotated[list[Id], Meta(max_length=1_000)]


class GenreOfTitle(Struct, rename="camel"):
    """Of a snapshot."""

    id: Id
    name: str


class WindowOfTitle(Struct, rename="camel"):
    """From `from` on and before `until`; country "*" is every country."""

    country: Country
    opens: Instant | None = msgspec.field(name="from", default=None)
    until: Instant | None = None


class AssetOfTitle(Struct, rename="camel"):
    """What can be played."""

    asset_id: Id
    hls: str
    dash: str
    duration_seconds: Seconds
    max_height_px: Annotated[int, Meta(ge=1)]
    encryption: str


class MarkerOfTitle(Struct, rename="camel"):
    """A part of the film."""

    kind: str
    start_seconds: Seconds
    end_seconds: Seconds


class ArtworkOfTitle(Struct, rename="camel"):
    """A variant of its pictures: what it looks like, and its share by hand; 0: not to be shown."""

    variant: Id
    weight: Annotated[int, Meta(ge=0)]
    palette: str
    composition: str
    typeface: str


class TitleSnapshot(Struct, rename="camel"):
    """A title as the other services need it."""

    id: Id
    kind: str
    display_name: str
    synopsis: str
    genres: list[GenreOfTitle]
    cast: Annotated[list[str], Meta(max_length=10)]
    directors: list[str]
    minimum_age: Age
    is_kids: bool
    windows: list[WindowOfTitle]
    blocked_countries: list[Country]
    popularity: Annotated[float, Meta(ge=0, le=1)]
    added_at: Instant
    markers: list[MarkerOfTitle]
    release_year: int | None = None
    duration_seconds: Seconds | None = None
    series_id: Id | None = None
    season_number: int | None = None
    episode_number: int | None = None
    next_episode_id: Id | None = None
    asset: AssetOfTitle | None = None
    video_of: Id | None = None
    video_kind: str | None = None
    origin_country: Country | None = None
    original_language: str | None = None
    artwork: Annotated[list[ArtworkOfTitle], Meta(max_length=10)] = []


class TitleChanged(Struct, rename="camel"):
    """Titles as they are now, at most 200."""

    titles: Annotated[list[TitleSnapshot], Meta(max_length=MAX_TITLES)]


class TitleChangedAsReceived(Struct, rename="camel"):
    """Readers take the good snapshots of an event and leave out the others."""

    titles: list[Any]


class TitleWithdrawn(Struct, rename="camel"):
    """Titles that are there for nobody any more."""

    title_ids: Annotated[list[Id], Meta(max_length=MAX_TITLES)]


class OpeningOfTitle(Struct, rename="camel"):
    """`country` is one that the title's windows name, or * for all others."""

    title_id: Id
    country: Country
    is_open: bool
    at: Instant


class AvailabilityChanged(Struct, rename="camel"):
    """Windows that opened or closed, told at their instant, at most 200."""

    changes: Annotated[list[OpeningOfTitle], Meta(max_length=MAX_TITLES)]


class ManifestPaths(Struct, rename="camel"):
    """Object paths of one version."""

    hls: str
    dash: str


class RenditionOfAsset(Struct, rename="camel"):
    """One rung of the ladder."""

    height_px: int
    bitrate_bps: int


class AssetPublished(Struct, rename="camel"):
    """A film is whole and playable."""

    title_id: Id
    asset_id: Id
    variants: dict[str, ManifestPaths]
    duration_seconds: Seconds
    max_height_px: Annotated[int, Meta(ge=1)]
    renditions: list[RenditionOfAsset] = []
    audio_languages: list[str] = []
    subtitle_languages: list[str] = []
    upload_id: str | None = None
    poster_frame_object: str | None = None
    thumbnails_object: str | None = None


class AssetFailed(Struct, rename="camel"):
    """An upload will not become a film."""

    title_id: Id
    upload_id: str
    reason: str
    code: str | None = None


class TitleWatched(Struct, rename="camel"):
    """Where a profile is in a title."""

    profile_id: Id
    account_id: Id
    title_id: Id
    position_seconds: Seconds
    duration_seconds: Seconds
    completed: bool
    occurred_at: Instant
    series_id: Id | None = None


class HistoryChanged(Struct, rename="camel"):
    """Titles that a profile took out of its history (HIDDEN) or of continue watching (DISMISSED), or put back.

    Hidden ones count for nothing any more; `title.watched` with a later instant ends both marks.
    """

    profile_id: Id
    account_id: Id
    title_ids: Annotated[list[Id], Meta(min_length=1, max_length=MAX_TITLES)]
    mark: Literal["HIDDEN", "DISMISSED"]
    is_set: bool
    occurred_at: Instant


class QualityOfPlaying(Struct, rename="camel"):
    """How playing went at one moment, as a player measured it; rebuffers are counted from the session's start."""

    session_id: Id
    asset_id: Id
    state: Annotated[str, Meta(max_length=20)]
    reported_at: Instant
    bitrate_bps: Annotated[int, Meta(ge=0)] | None = None
    buffer_seconds: Seconds | None = None
    rebuffer_count: Annotated[int, Meta(ge=0)] | None = None


class PlaybackReported(Struct, rename="camel"):
    """How playing goes, from several sessions; it names no account and no profile, and some may be missing."""

    reports: Annotated[list[QualityOfPlaying], Meta(min_length=1, max_length=200)]


class TitleRated(Struct, rename="camel"):
    """Stars 1 to 5; null: taken back."""

    profile_id: Id
    title_id: Id
    stars: Annotated[int, Meta(ge=1, le=5)] | None


class TitleThumbed(Struct, rename="camel"):
    """UP, DOWN or NOT_INTERESTED; null: taken back."""

    profile_id: Id
    title_id: Id
    thumb: Literal["UP", "DOWN", "NOT_INTERESTED"] | None


class PicksChanged(Struct, rename="camel"):
    """What a profile picked when it was new, in place of what it picked before; none: it picked nothing."""

    profile_id: Id
    title_ids: Annotated[list[Id], Meta(max_length=10)]


Affinity = Annotated[float, Meta(ge=0, le=1)]


class GenreWeight(Struct, rename="camel"):
    """How much more often a profile likes a genre than there are titles of it."""

    id: Id
    weight: Affinity


class PersonWeight(Struct, rename="camel"):
    """How much a profile watches for somebody, by the name on the credits."""

    name: Annotated[str, Meta(min_length=1, max_length=500)]
    weight: Affinity


class TitleScore(Struct, rename="camel"):
    """How much a profile would like a title; 0 for one that it refused."""

    id: Id
    score: Affinity


class TasteChanged(Struct, rename="camel"):
    """What a profile is drawn to, whole: it takes the place of what was told of the profile before `computedAt`.

    Told only where the account allows personalisation; who keeps it forgets it when that is withdrawn.
    """

    profile_id: Id
    genres: Annotated[list[GenreWeight], Meta(max_length=20)]
    people: Annotated[list[PersonWeight], Meta(max_length=50)]
    titles: Annotated[list[TitleScore], Meta(max_length=200)]
    computed_at: Instant


class ConsentChanged(Struct, rename="camel"):
    """What an account's data, and that of all its profiles, may be used for from now on."""

    account_id: Id
    profile_ids: Annotated[list[Id], Meta(max_length=1_000)]
    purpose: Literal["MARKETING", "PERSONALISATION", "ANALYTICS", "DIGEST"]
    granted: bool
    text_version: Annotated[int, Meta(ge=1)]


class ListChanged(Struct, rename="camel"):
    """On or off My List."""

    profile_id: Id
    title_id: Id
    in_list: bool


class TitleSearched(Struct, rename="camel"):
    """A search of a profile that allows its use: the text folded (small letters, no accents), never as it was typed.

    A hit that is opened is told as `card.clicked`, with tracking "search.<searchId>.<place from 1 on>".
    """

    profile_id: Id
    account_id: Id
    text: Annotated[str, Meta(max_length=200)]
    result_count: Annotated[int, Meta(ge=0)]
    occurred_at: Instant
    search_id: Annotated[str, Meta(max_length=64)] | None = None


class ArtworkOfCard(Struct, rename="camel"):
    """The picture that the profile was shown, and with which probability each variant would have been.

    `propensities` in the order main, second, third; `policy_id` is empty before the first policy; `genres` are the
    affinities that the choice knew of.
    """

    role: str
    variant: str
    propensities: Annotated[list[Annotated[float, Meta(ge=0, le=1)]], Meta(min_length=1, max_length=10)]
    policy_id: Annotated[str, Meta(max_length=64)]
    epoch: int
    genres: dict[str, float]


class CardShown(Struct, rename="camel"):
    """A card was on the screen; `tracking` as the page gave it."""

    profile_id: Id
    title_id: Id
    tracking: Annotated[str, Meta(max_length=400)]
    occurred_at: Instant
    artwork: ArtworkOfCard | None = None


class CardClicked(Struct, rename="camel"):
    """A card was opened."""

    profile_id: Id
    title_id: Id
    tracking: Annotated[str, Meta(max_length=400)]
    occurred_at: Instant
    artwork: ArtworkOfCard | None = None


class TitleOfDigest(Struct, rename="camel"):
    """`reason` is a sentence, in which a title of the profile's history may be named."""

    title_id: Id
    display_name: Annotated[str, Meta(min_length=1, max_length=500)]
    release_year: int | None = None
    reason: Annotated[str, Meta(max_length=600)] | None = None


class DigestComposed(Struct, rename="camel"):
    """What is new for a profile in a week (named by its first day), best first; one for each profile and week."""

    profile_id: Id
    account_id: Id
    week: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    titles: Annotated[list[TitleOfDigest], Meta(min_length=1, max_length=8)]


class ExposureLogged(Struct, rename="camel"):
    """A page was made by an experiment's arm for a profile, told once a day; arm "": by both, interleaved."""

    profile_id: Id
    experiment_id: Id
    version: Annotated[int, Meta(ge=1)]
    arm: Annotated[str, Meta(max_length=48)]
    occurred_at: Instant


class RepublishRequested(Struct, rename="camel"):
    """A group found that it missed events of a topic; the topic's owner tells all it has again, where it can."""

    topic: Id
    group: Id


@dataclass(frozen=True, slots=True)
class EventKind:
    """One row. `received` is the laxer shape that readers hold a kind to; None: the same."""

    topic: str
    kind: str
    producer: str
    data: type[Struct]
    received: type[Struct] | None = None


EVENT_KINDS: tuple[EventKind, ...] = (
    EventKind("accounts", "account.signed_up", "profiles", AccountSignedUp),
    EventKind("accounts", "account.erased", "profiles", AccountErased),
    EventKind("accounts", "consent.changed", "profiles", ConsentChanged),
    EventKind("accounts", "subscription.changed", "profiles", SubscriptionChanged),
    EventKind("accounts", "device.removed", "profiles", DeviceRemoved),
    EventKind("accounts", "profile.created", "profiles", ProfileEvent),
    EventKind("accounts", "profile.changed", "profiles", ProfileEvent),
    EventKind("accounts", "profile.deleted", "profiles", ProfileEvent),
    EventKind("titles", "title.changed", "titles", TitleChanged, TitleChangedAsReceived),
    EventKind("titles", "title.withdrawn", "titles", TitleWithdrawn),
    EventKind("titles", "availability.changed", "titles", AvailabilityChanged),
    EventKind("assets", "asset.published", "transcoding", AssetPublished),
    EventKind("assets", "asset.failed", "transcoding", AssetFailed),
    EventKind("viewing", "title.watched", "playback", TitleWatched),
    EventKind("viewing", "history.changed", "playback", HistoryChanged),
    EventKind("quality", "playback.reported", "playback", PlaybackReported),
    EventKind("feedback", "title.rated", "profiles", TitleRated),
    EventKind("feedback", "title.thumbed", "profiles", TitleThumbed),
    EventKind("feedback", "list.changed", "profiles", ListChanged),
    EventKind("feedback", "picks.changed", "recommendations", PicksChanged),
    EventKind("searches", "title.searched", "titles", TitleSearched),
    EventKind("tastes", "taste.changed", "recommendations", TasteChanged),
    EventKind("interactions", "card.shown", "recommendations", CardShown),
    EventKind("interactions", "card.clicked", "recommendations", CardClicked),
    EventKind("digests", "digest.composed", "recommendations", DigestComposed),
    EventKind("experiments", "exposure.logged", "recommendations", ExposureLogged),
    EventKind("requests", "republish.requested", "whoever missed something", RepublishRequested),
)

TOPICS: tuple[str, ...] = tuple(dict.fromkeys(row.topic for row in EVENT_KINDS))

_OWNER_FIELDS = {"account_id", "profile_id", "profile_ids"}
PERSONAL_TOPICS: tuple[str, ...] = tuple(
    dict.fromkeys(row.topic for row in EVENT_KINDS if _OWNER_FIELDS & set(row.data.__struct_fields__))
)
"""Topics with a kind that says whose it is: an erasure looks through them."""
SESSION_TOPICS: tuple[str, ...] = ("quality",)
"""Topics that name playback sessions and nobody else; who knows an account's sessions can erase them."""

_KINDS: Mapping[tuple[str, str], EventKind] = {(row.topic, row.kind): row for row in EVENT_KINDS}


def check_published(topic: str, kind: str, data: Mapping[str, Any]) -> None:
    """Raises EventInvalid when the kind is unknown in this topic or its data has another shape."""
    row = _KINDS.get((topic, kind))
    if row is None:
        known = ", ".join(sorted(each for other, each in _KINDS if other == topic)) or "none"
        raise EventInvalid(
            f"topic {topic!r} has no kind {kind!r}; add it to common/event_catalogue.py (known: {known})"
        )
    _check(row, data, row.data)


def check_received(topic: str, kind: str, data: Mapping[str, Any]) -> None:
    """Raises EventInvalid when a known kind's data has another shape; a kind that is not known is a newer service's."""
    row = _KINDS.get((topic, kind))
    if row is not None:
        _check(row, data, row.received or row.data)


def _check(row: EventKind, data: Mapping[str, Any], shape: type[Struct]) -> None:
    try:
        msgspec.convert(dict(data), shape)
    except msgspec.ValidationError as error:
        raise EventInvalid(f"{row.kind} in topic {row.topic}: {error}") from error


def write_event_reference() -> str:
    """The catalogue as Markdown: `docs/events.md` is this text below its introduction."""
    lines: list[str] = []
    for topic in TOPICS:
        lines += [f"### Topic `{topic}`", ""]
        for row in EVENT_KINDS:
            if row.topic == topic:
                lines += [f"**`{row.kind}`** — from {row.producer}. {_summary(row.data)}", ""]
                lines += [f"- `{name}`: {kind}" for name, kind in _members(row.data)] + [""]
    return "\n".join(lines)


def _summary(data: type[Struct]) -> str:
    return " ".join((data.__doc__ or "").split())


def _members(data: type[Struct]) -> list[tuple[str, str]]:
    """Names as on the wire with their types in words; members of members follow dotted."""
    members: list[tuple[str, str]] = []
    for field in msgspec.structs.fields(data):
        inner, words = _in_words(msgspec.inspect.type_info(field.type))
        members.append((field.encode_name, words if field.required else f"{words}, optional"))
        if inner is not None:
            members += [(f"{field.encode_name}.{name}", kind) for name, kind in _members(inner)]
    return members


def _in_words(kind: msgspec.inspect.Type) -> tuple[type[Struct] | None, str]:
    """The struct inside, if any, and the type in words."""
    match kind:
        case msgspec.inspect.StructType(cls=cls):
            return cls, "object"
        case msgspec.inspect.ListType(item_type=item, max_length=most):
            inner, words = _in_words(item)
            return inner, f"list of {words}" + ("" if most is None else f", at most {most}")
        case msgspec.inspect.DictType(value_type=value):
            inner, words = _in_words(value)
            return inner, f"map of {words}"
        case msgspec.inspect.UnionType(types=types):
            parts = [_in_words(each) for each in types]
            return next((inner for inner, _ in parts if inner is not None), None), " or ".join(
                words for _, words in parts
            )
        case msgspec.inspect.IntType(ge=low, le=high) | msgspec.inspect.FloatType(ge=low, le=high):
            word = "whole number" if isinstance(kind, msgspec.inspect.IntType) else "number"
            return None, word + _bounds(low, high)
        case msgspec.inspect.StrType():
            return None, "text"
        case msgspec.inspect.LiteralType(values=values):
            return None, " or ".join(repr(value) for value in values)
        case msgspec.inspect.BoolType():
            return None, "true or false"
        case msgspec.inspect.DateTimeType():
            return None, "instant (ISO 8601 with a zone)"
        case msgspec.inspect.NoneType():
            return None, "null"
        case _:
            return None, "any"


def _bounds(low: float | None, high: float | None) -> str:
    if low is None:
        return ""
    return f" from {low:g}" + ("" if high is None else f" to {high:g}")
