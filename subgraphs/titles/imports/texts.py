"""Texts of foreign catalogues: markup turned into plain text, and signs that no store keeps."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from subgraphs.titles.domain.title import Title
from subgraphs.titles.imports.rows import ImportedRow, RowUnusable

__all__ = ["has_markup", "plain_text", "require_storable_row", "require_storable_text"]

_MARKUP = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|<!--|&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,6});")
_UNSEEN_ELEMENTS = frozenset({"script", "style", "title"})
# Control characters have no place in a text, and PostgreSQL keeps no NUL. Lone surrogates are what is left of bytes
# that are no UTF-8.
_UNSTORABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")


class _TextCollector(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen_depth = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN_ELEMENTS:
            self._unseen_depth += 1
        elif tag in {"p", "br", "div", "li"}:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN_ELEMENTS and self._unseen_depth:
            self._unseen_depth -= 1
        elif tag in {"p", "div", "li"}:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._unseen_depth:
            self.pieces.append(data)


def has_markup(text: str) -> bool:
    """Whether there is an HTML element or a character reference in a text; "Tom & Jerry <3" has neither."""
    return _MARKUP.search(text) is not None


def plain_text(text: str) -> str:
    """What a reader would see of HTML: no elements, no scripts, references resolved, white space made single."""
    collector = _TextCollector()
    collector.feed(text)
    collector.close()
    return " ".join("".join(collector.pieces).split())


def require_storable_text(name: str, text: str) -> None:
    """Raise RowUnusable when a text holds what no store keeps."""
    if found := _UNSTORABLE.search(text):
        code = ord(found[0])
        if 0xDC80 <= code <= 0xDCFF:
            raise RowUnusable(f"{name} is no UTF-8: byte 0x{code - 0xDC00:02x} at character {found.start() + 1}")
        raise RowUnusable(f"{name} holds the sign U+{code:04X} at character {found.start() + 1}, which is no text")


def require_storable_row(row: ImportedRow) -> None:
    """Raise RowUnusable when any text of a row holds what no store keeps."""
    for name, text in _texts_of(row.title):
        require_storable_text(name, text)
    for season in row.seasons:
        require_storable_text("the season's name", season.display_name)


def _texts_of(title: Title) -> list[tuple[str, str]]:
    return [
        ("the title", title.display_name),
        ("the key", title.origin.key),
        ("the synopsis", title.synopsis),
        *(("a genre", genre.display_name) for genre in title.genres),
        *(("a name in the credits", credit.person.display_name) for credit in title.credits),
        *(("a character's name", credit.character or "") for credit in title.credits),
    ]
