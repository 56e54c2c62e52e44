"""What a profile likes: languages, subtitles, autoplay, data use. Typed, bounded, and the same on every screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from subgraphs.profiles.domain.languages import normalise_language

__all__ = [
    "DEFAULT_PREFERENCES",
    "MAX_LANGUAGES",
    "DataSaver",
    "Preferences",
    "PreferencesChange",
    "SubtitleMode",
    "change_preferences",
]

MAX_LANGUAGES = 8
"""Of one ordered list: more than a player tries."""


class SubtitleMode(StrEnum):
    """When subtitles are shown without being asked for."""

    OFF = "OFF"
    FORCED_ONLY = "FORCED_ONLY"
    """Only where somebody speaks another language than the audio's."""
    ALWAYS = "ALWAYS"


class DataSaver(StrEnum):
    """How much data playing may take, below what the plan gives."""

    OFF = "OFF"
    MOBILE_ONLY = "MOBILE_ONLY"
    ALWAYS = "ALWAYS"


@dataclass(frozen=True, slots=True)
class Preferences:
    """`audio_languages` and `subtitle_languages` in order of liking, without repetitions; empty: the title's own.

    `interface_language` None is the profile's language.
    """

    audio_languages: tuple[str, ...] = ()
    subtitle_languages: tuple[str, ...] = ()
    subtitle_mode: SubtitleMode = SubtitleMode.FORCED_ONLY
    autoplay_next: bool = True
    autoplay_previews: bool = True
    data_saver: DataSaver = DataSaver.OFF
    interface_language: str | None = None


DEFAULT_PREFERENCES = Preferences()


@dataclass(frozen=True, slots=True)
class PreferencesChange:
    """What to change; None leaves it. An empty `interface_language` goes back to the profile's language."""

    audio_languages: tuple[str, ...] | None = None
    subtitle_languages: tuple[str, ...] | None = None
    subtitle_mode: SubtitleMode | None = None
    autoplay_next: bool | None = None
    autoplay_previews: bool | None = None
    data_saver: DataSaver | None = None
    interface_language: str | None = None


def change_preferences(before: Preferences, change: PreferencesChange) -> Preferences | dict[str, str]:
    """The preferences afterwards, or the problems by field path."""
    problems: dict[str, str] = {}
    audio = _languages(change.audio_languages, before.audio_languages, "input.audioLanguages", problems)
    subtitles = _languages(change.subtitle_languages, before.subtitle_languages, "input.subtitleLanguages", problems)
    interface = before.interface_language
    if change.interface_language is not None:
        interface = normalise_language(change.interface_language)
        if interface is None and change.interface_language:
            problems["input.interfaceLanguage"] = _no_language(change.interface_language)
    if problems:
        return problems
    return replace(
        before,
        audio_languages=audio,
        subtitle_languages=subtitles,
        subtitle_mode=before.subtitle_mode if change.subtitle_mode is None else change.subtitle_mode,
        autoplay_next=before.autoplay_next if change.autoplay_next is None else change.autoplay_next,
        autoplay_previews=before.autoplay_previews if change.autoplay_previews is None else change.autoplay_previews,
        data_saver=before.data_saver if change.data_saver is None else change.data_saver,
        interface_language=interface,
    )


def _languages(
    wanted: tuple[str, ...] | None, before: tuple[str, ...], path: str, problems: dict[str, str]
) -> tuple[str, ...]:
    """The list in normal form; what is wrong with it goes into `problems`."""
    if wanted is None:
        return before
    if len(wanted) > MAX_LANGUAGES:
        problems[path] = f"has {len(wanted)} languages; give at most {MAX_LANGUAGES}, the most liked first"
        return before
    tags: list[str] = []
    for position, text in enumerate(wanted):
        tag = normalise_language(text)
        if tag is None:
            problems[f"{path}.{position}"] = _no_language(text)
        elif tag not in tags:
            tags.append(tag)
    return tuple(tags)


def _no_language(text: str) -> str:
    return f"is {text[:20]!r}; give a BCP 47 tag such as en, pt-BR or zh-Hant"
