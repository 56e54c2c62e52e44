"""Names of languages for track menus, each in its own language."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["language_label"]

_LABELS: Mapping[str, str] = {
    "ar": "العربية",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "es": "Español",
    "fi": "Suomi",
    "fr": "Français",
    "he": "עברית",
    "hi": "हिन्दी",
    "hu": "Magyar",
    "id": "Bahasa Indonesia",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "nl": "Nederlands",
    "no": "Norsk",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "ru": "Русский",
    "sv": "Svenska",
    "th": "ไทย",
    "tr": "Türkçe",
    "uk": "Українська",
    "vi": "Tiếng Việt",
    "zh": "中文",
    "und": "Original",
    "zxx": "No dialogue",
}


def language_label(tag: str) -> str:
    """The language's own name, with its region as in `Português (BR)`; an unknown tag stands for itself."""
    primary, _, region = tag.partition("-")
    label = _LABELS.get(primary.lower())
    if label is None:
        return tag
    return f"{label} ({region.upper()})" if region else label
