"""How packaged media is protected, and which content key protects which track."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ContentKey", "Encryption", "KeyClass", "key_class_of_lines"]


class Encryption(StrEnum):
    """The packaged versions of an asset; the value is its folder."""

    CLEAR = "clear"
    CLEARKEY = "clearkey"
    """Common encryption, scheme cenc, because Clear Key implementations need not know cbcs."""


class KeyClass(StrEnum):
    """Tracks that share a content key. Distinct keys keep a licence for 480p from opening 4K."""

    AUDIO = "AUDIO"
    SD = "SD"
    HD = "HD"
    UHD = "UHD"


@dataclass(frozen=True, slots=True, repr=False)
class ContentKey:
    """A key and its public id, 16 bytes each. It has no repr, so that no log can show it."""

    key_id: bytes
    value: bytes
    key_class: KeyClass


def key_class_of_lines(lines: int) -> KeyClass:
    """The class of a video rung: up to 480 lines SD, up to 1080 HD, above UHD."""
    if lines <= 480:
        return KeyClass.SD
    return KeyClass.HD if lines <= 1080 else KeyClass.UHD
