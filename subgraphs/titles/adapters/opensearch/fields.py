"""The form of an index on OpenSearch: its fields, and titles as documents of it.

A change of what is here is a new FIELDS_VERSION: the alias carries it, so that a program finds indexes that it
understands or none, makes its own, and the program before goes on with the one that it had.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from subgraphs.titles.domain.relevance import MAX_WORD_LENGTH, SearchEntry

__all__ = ["BEGINNINGS", "FIELDS_VERSION", "document", "index_body"]

FIELDS_VERSION = 2
BEGINNINGS = "beginnings"
"""The sub-field of names with every beginning of every word: a typo in a beginning is a typo in one of them."""

_KEYWORD = {"type": "keyword"}
_WORDS = {"type": "text", "analyzer": "words", "index_options": "freqs"}
_STEMS = {"type": "text", "analyzer": "stems", "index_options": "freqs"}

_ANALYSIS = {
    # Words are made by `domain.relevance`, for every engine alike.
    "analyzer": {
        "words": {"type": "custom", "tokenizer": "whitespace"},
        "stems": {"type": "custom", "tokenizer": "whitespace", "filter": ["english_stems"]},
        BEGINNINGS: {"type": "custom", "tokenizer": "whitespace", "filter": [BEGINNINGS]},
    },
    "filter": {
        "english_stems": {"type": "stemmer", "language": "porter2"},
        BEGINNINGS: {"type": "edge_ngram", "min_gram": 1, "max_gram": MAX_WORD_LENGTH},
    },
}
_WORDS_AND_BEGINNINGS = {
    **_WORDS,
    "fields": {
        BEGINNINGS: {
            "type": "text",
            "analyzer": BEGINNINGS,
            "search_analyzer": "words",
            "index_options": "docs",
            "norms": False,
        }
    },
}
_PROPERTIES: dict[str, Any] = {
    "id": _KEYWORD,
    "revision": {"type": "long"},
    "kind": _KEYWORD,
    "name": _WORDS_AND_BEGINNINGS,
    "name_stems": _STEMS,
    "name_pairs": _WORDS,
    "name_key": _KEYWORD,
    "bare_name_key": _KEYWORD,
    # Longer ones than Lucene takes sort first.
    "sort_name": {"type": "keyword", "ignore_above": 8_000},
    "people": _WORDS_AND_BEGINNINGS,
    "genres": _WORDS,
    "synopsis": _STEMS,
    "genre_ids": _KEYWORD,
    "window_countries": _KEYWORD,
    "blocked_countries": _KEYWORD,
    "is_blocked": {"type": "boolean"},
    "release_year": {"type": "integer"},
    "minimum_age": {"type": "integer"},
    "is_kids": {"type": "boolean"},
    "original_language": _KEYWORD,
    "origin_country": _KEYWORD,
    "duration_band": _KEYWORD,
    "popularity": {"type": "double"},
}


def index_body(meta: dict[str, Any], *, is_serving: bool) -> dict[str, Any]:
    """Settings and mappings of a new index; one that is not serving yet is not made readable again and again."""
    return {
        "settings": {
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            "refresh_interval": "1s" if is_serving else "-1",
            # How long the revision of a removed title is remembered: a late write of an older one must not bring it
            # back.
            "gc_deletes": "1h",
            "analysis": _ANALYSIS,
        },
        "mappings": {"dynamic": "strict", "_meta": meta, "properties": _PROPERTIES},
    }


def document(entry: SearchEntry) -> dict[str, Any]:
    """What is sent of a title."""
    return {**asdict(entry), "name_stems": entry.name, "is_blocked": bool(entry.blocked_countries)}
