# ruff: noqa: RUF001 - letters that look like Latin ones and are not are what this is about
"""Words of other scripts as an English keyboard writes them: "сталкер" and "stalker" are one word to search.

Cyrillic and Greek go letter by letter (about as on passports), Korean syllable by syllable with the names that Unicode
gives them. Other scripts stay as they are. Limits: letters that languages read differently have
one reading here, and what is left between two spellings is an edit or two, which search forgives.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["spelled_in_latin"]

_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "і": "i",
    "ј": "j", "к": "k", "л": "l", "љ": "lj", "м": "m", "н": "n", "њ": "nj", "о": "o", "п": "p", "р": "r", "с": "s",
    "т": "t", "ћ": "c", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "џ": "dz", "ш": "sh", "щ": "shch",
    "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya", "є": "ye", "ђ": "dj",
}  # fmt: skip
_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l",
    "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f",
    "χ": "ch", "ψ": "ps", "ω": "o",
}  # fmt: skip
_LETTERS = str.maketrans({**_CYRILLIC, **_GREEK})
_IN_TABLE = re.compile("[\N{GREEK SMALL LETTER ALPHA}-\N{GREEK SMALL LETTER OMEGA}\u0400-\u04ff]")
# Folding takes Korean syllables apart into their letters; put together again they have names.
_KOREAN = re.compile("[\u1100-\u11ff\uac00-\ud7a3]")
_KOREAN_NAME = "HANGUL SYLLABLE "


def spelled_in_latin(word: str) -> str:
    """A folded word in Latin letters, as far as it has letters that are known here."""
    if word.isascii():
        return word
    if _IN_TABLE.search(word):
        word = word.translate(_LETTERS)
    if _KOREAN.search(word):
        word = "".join(_syllable(letter) for letter in unicodedata.normalize("NFC", word))
    return word


def _syllable(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return name.removeprefix(_KOREAN_NAME).lower() if name.startswith(_KOREAN_NAME) else letter
