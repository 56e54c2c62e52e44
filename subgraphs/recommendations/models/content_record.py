"""What titles are about, as one record: made by a process of its own, kept as an object, taken over by serving.

Learning a space reads tens of thousands of titles for seconds; serving reads the record for a fraction of one. A title
is taken from the record while it says what it said then, which a digest of its metadata tells; others are placed anew
in the record's space.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from subgraphs.recommendations.domain.titles import TitleRecord
from subgraphs.recommendations.models.archive import opened_archive, write_archive
from subgraphs.recommendations.models.content import Content, ContentSpace, carry_over, words_of

__all__ = ["StoredContent", "read_content", "take_over", "write_content"]

FORMAT = 1
"""Of the bytes; another number is refused."""
DIGEST_BYTES = 8


@dataclass(frozen=True)
class StoredContent:
    """`content` of the titles `title_ids`, in their order; `digests` of what they said."""

    title_ids: tuple[str, ...]
    digests: tuple[bytes, ...]
    content: Content


def take_over(stored: StoredContent, records: Sequence[TitleRecord]) -> Content:
    """The content of the records: from the store where they say the same, else placed anew."""
    rows = {title_id: row for row, title_id in enumerate(stored.title_ids)}
    places = np.full(len(records), -1, np.int32)
    for place, record in enumerate(records):
        row = rows.get(record.id, -1)
        if row >= 0 and stored.digests[row] == _digest(record):
            places[place] = row
    return carry_over(stored.content, places, records)


def write_content(records: Sequence[TitleRecord], content: Content) -> bytes:
    """As an archive; vectors in half precision, which moves no title noticeably."""
    about = {
        "title_ids": [record.id for record in records],
        "known_tokens": sorted(content.space.columns, key=content.space.columns.__getitem__),
        "learned_titles": content.space.title_count,
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        "digests": np.frombuffer(b"".join(map(_digest, records)), np.uint8),
        "rarities": content.space.rarities,
        "directions": content.space.directions.astype(np.float16),
        "token_starts": content.tokens.indptr,
        "token_columns": content.tokens.indices,
        "token_weights": content.tokens.data,
        "vectors": content.vectors.astype(np.float16),
    }
    return write_archive(FORMAT, about, arrays)


def read_content(data: bytes) -> StoredContent:
    """The inverse of `write_content`; raises ModelUnreadable."""
    with opened_archive(data, "content", FORMAT) as (about, arrays):
        title_ids = tuple(str(each) for each in about["title_ids"])
        columns = {str(token): column for column, token in enumerate(about["known_tokens"])}
        rarities = arrays["rarities"].astype(np.float32)
        tokens: csr_array[np.float32, tuple[int, int]] = csr_array(
            (arrays["token_weights"], arrays["token_columns"], arrays["token_starts"]),
            shape=(len(title_ids), len(rarities)),
        )
        digests = arrays["digests"].reshape(len(title_ids), DIGEST_BYTES)
        vectors = arrays["vectors"].astype(np.float32).reshape(len(title_ids), -1)
        space = ContentSpace(columns, rarities, arrays["directions"].astype(np.float32), int(about["learned_titles"]))
        return StoredContent(title_ids, tuple(row.tobytes() for row in digests), Content(space, tokens, vectors))


def _digest(record: TitleRecord) -> bytes:
    return hashlib.blake2b(repr(words_of(record)).encode(), digest_size=DIGEST_BYTES).digest()
