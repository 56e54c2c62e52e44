"""Text as the catalogue compares it: folded to plain letters, so that "Häxan", "Haxan" and "HÄXAN" meet."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["fold", "initial", "shorten", "slug", "sort_name"]

# Letters that Unicode does not decompose, as English keyboards write them.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "æ": "ae",
        "œ": "oe",
        "ß": "ss",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    }
)
_ARTICLES = re.compile(r"^(?:the|a|an)\s+(?=\S)")
_NOT_WORDS = re.compile(r"[^\w]+")


def fold(text: str) -> str:
    """Lower case, no accents, single spaces, no punctuation; letters of other scripts stay."""
    plain = text.lower() if text.isascii() else _without_marks(text)
    folded = _NOT_WORDS.sub(" ", plain.replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")).strip()
    # A name made of marks alone ("???") is still a name.
    return folded or " ".join(text.split())


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    # By kinds of letter, of which a text has few: asking each letter takes most of an import's time.
    marks = [ord(letter) for letter in set(decomposed) if unicodedata.combining(letter)]
    return decomposed.translate(dict.fromkeys(marks)) if marks else decomposed


def sort_name(display_name: str) -> str:
    """Where a name stands in an alphabet: folded, a leading English article set aside."""
    return _ARTICLES.sub("", fold(display_name))


def initial(display_name: str) -> str:
    """The letter under which a name stands in an alphabet, A to Z; "#" for all that begins otherwise."""
    first = sort_name(display_name)[:1].upper()
    return first if "A" <= first <= "Z" else "#"


def slug(text: str) -> str:
    """ASCII letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-") or "x"


def shorten(text: str, max_length: int) -> str:
    """At most `max_length` characters, cut between words, with an ellipsis where something is missing.

    `max_length` must be at least 1.
    """
    if len(text) <= max_length:
        return text
    head = text[: max_length - 1]
    if not text[max_length - 1].isspace():
        head = head.rsplit(" ", 1)[0] if " " in head else head
    return head.rstrip(" ,;:.-\N{EN DASH}\N{EM DASH}") + "…"
