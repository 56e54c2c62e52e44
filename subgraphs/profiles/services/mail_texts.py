"""What mails say: one TOML file per language, a table per kind with its subject and body.

A language without a file of its own falls back to its shorter form (`pt-BR` → `pt`), then to English. `$name` stands
for a detail of the message.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template

from subgraphs.profiles.domain.notifications import NotificationKind

__all__ = ["MailText", "MailTexts", "TextsInvalid"]

FALLBACK_LANGUAGE = "en"


class TextsInvalid(Exception):
    """A file lacks a kind, or holds something else than texts; the message names file and kind."""


@dataclass(frozen=True, slots=True)
class MailText:
    """The text of one mail, filled in."""

    subject: str
    body: str
    language: str


@dataclass(frozen=True, slots=True)
class MailTexts:
    """All languages."""

    by_language: Mapping[str, Mapping[NotificationKind, tuple[Template, Template]]]

    @classmethod
    def read(cls) -> MailTexts:
        """From the package's files; raises TextsInvalid."""
        folder = resources.files("subgraphs.profiles") / "mail_texts"
        return cls(
            {
                file.name.removesuffix(".toml"): _templates(file.name, tomllib.loads(file.read_text("utf-8")))
                for file in folder.iterdir()
                if file.name.endswith(".toml")
            }
        )

    def write(self, kind: NotificationKind, language: str, details: Mapping[str, str]) -> MailText:
        """The text in the nearest language there is; raises KeyError when a detail is missing."""
        nearest = self._nearest(language)
        subject, body = self.by_language[nearest][kind]
        return MailText(subject.substitute(details), body.substitute(details), nearest)

    def write_html(self, kind: NotificationKind, language: str, details: Mapping[str, str]) -> str:
        """The body as an HTML document with the same words; `details` are HTML already. Raises KeyError as `write`."""
        nearest = self._nearest(language)
        _, body = self.by_language[nearest][kind]
        # A paragraph that is one detail is a block of its own, such as a list.
        blocks = [
            text if text.startswith("$") and " " not in text else f"<p>{escape(text, quote=False)}</p>"
            for text in body.template.strip().split("\n\n")
        ]
        filled = Template("\n".join(blocks)).substitute(details)
        return f'<!doctype html>\n<html lang="{nearest}"><meta charset="utf-8">\n<body>\n{filled}\n</body></html>\n'

    def _nearest(self, language: str) -> str:
        parts = language.split("-")
        for length in range(len(parts), 0, -1):
            shorter = "-".join(parts[:length])
            if shorter in self.by_language:
                return shorter
        return FALLBACK_LANGUAGE


def _templates(file: str, tables: Mapping[str, object]) -> Mapping[NotificationKind, tuple[Template, Template]]:
    texts: dict[NotificationKind, tuple[Template, Template]] = {}
    for kind in NotificationKind:
        match tables.get(kind.value):
            case {"subject": str(subject), "body": str(body)}:
                texts[kind] = (Template(subject), Template(body))
            case other:
                raise TextsInvalid(f"{file}: [{kind.value}] is {other!r}; give it a subject and a body")
    return texts
