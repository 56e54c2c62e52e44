"""Common Media Client Data (CTA-5004, version 2 of 2026): what players tell about their requests. Pure parsing.

Rules for collectors: ignore unknown keys and bad values, accept any order, drop a whole set whose version is newer
than known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs

__all__ = ["CMCD_HEADERS", "read_cmcd_body", "read_cmcd_headers", "read_cmcd_query"]

CMCD_HEADERS = ("CMCD-Request", "CMCD-Object", "CMCD-Status", "CMCD-Session")
KNOWN_VERSION = 2
MAX_RECORD_CHARACTERS = 4096
MAX_RECORDS = 100
MAX_VALUE_CHARACTERS = 256

_VERSION_1_KEYS = "bl br bs cid d dl mtp nor nrr ot pr rtp sf sid st su tb v"
_VERSION_2_REQUEST_KEYS = "ab bg bsa bsd bsda cdn cs dfa ec lab lb ltc msd nr pb pt sn sta tab tbl tpb"
_VERSION_2_EVENT_KEYS = "cmsdd cmsds rc smrt ttfb ttfbb ttlb url cen e h ts"
_KNOWN_KEYS = frozenset(f"{_VERSION_1_KEYS} {_VERSION_2_REQUEST_KEYS} {_VERSION_2_EVENT_KEYS}".split())
_PAIR = re.compile(r'\s*([A-Za-z][A-Za-z0-9._-]*)(?:=("(?:[^"\\]|\\.)*"|\([^)]*\)|[^,]*))?\s*(?:,|$)')


def read_cmcd_query(query: str) -> dict[str, str]:
    """The set in a `CMCD=` query parameter; empty when there is none that counts."""
    values = parse_qs(query, max_num_fields=64).get("CMCD") if "CMCD=" in query else None
    return _read_set(values[0]) if values else {}


def read_cmcd_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The set in the four headers, taken together."""
    return _read_set(",".join(value for name in CMCD_HEADERS if (value := headers.get(name))))


def read_cmcd_body(body: bytes) -> list[dict[str, str]]:
    """One set per line, as reports are sent; at most MAX_RECORDS are read."""
    lines = body.decode("utf-8", errors="replace").splitlines()[:MAX_RECORDS]
    return [record for record in (_read_set(line) for line in lines) if record]


def _read_set(text: str) -> dict[str, str]:
    """Known keys with their values as text; a key alone is a boolean and true."""
    if not text or len(text) > MAX_RECORD_CHARACTERS:
        return {}
    record = dict(_pairs(text))
    version = record.get("v", "1")
    if not version.isdigit() or int(version) > KNOWN_VERSION:
        return {}
    return record


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    for match in _PAIR.finditer(text):
        key, value = match.group(1), match.group(2)
        if key not in _KNOWN_KEYS:
            continue
        value = "true" if value is None else value.strip()
        if value.startswith('"') and value.endswith('"') and len(value) >= 2:
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        if value and len(value) <= MAX_VALUE_CHARACTERS and value.isprintable():
            yield key, value
