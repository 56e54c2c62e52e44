"""Operations known by the SHA-256 of their text: sent before by a client, or laid down in a folder of trusted ones."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.errors import RequestInvalid, RequestRefused, ResponseError

__all__ = ["PersistedOperations", "read_trusted_operations", "sha256_of"]

_MAX_REMEMBERED = 5_000
_MAX_REMEMBERED_CHARACTERS = 32_000_000
_HASH = re.compile(r"[0-9a-f]{64}")


def sha256_of(text: str) -> str:
    """The id of an operation: SHA-256 of its UTF-8 text, lower-case hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_trusted_operations(folder: Path) -> dict[str, str]:
    """Text by id of every *.graphql file below the folder; raises FileNotFoundError when there is no such folder."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder of operations")
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.graphql"))]
    return {sha256_of(text): text for text in texts}


class PersistedOperations:
    """Finds the text of a request. `remember`: clients may teach (automatic persisted queries), bounded, oldest out."""

    def __init__(self, trusted: Mapping[str, str], *, remember: bool, trusted_only: bool) -> None:
        self._trusted = dict(trusted)
        self._trusted_texts = frozenset(self._trusted.values())
        self._remember = remember and not trusted_only
        self._trusted_only = trusted_only
        self._remembered: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    def resolve(self, query: str | None, extensions: Mapping[str, Any], document_id: str | None) -> str:
        """The operation's text. Raises RequestRefused, or RequestInvalid (code PERSISTED_QUERY_NOT_FOUND: send it)."""
        wanted = self._wanted_hash(extensions, document_id)
        if wanted is None:
            if query is None:
                raise RequestRefused(400, "the request has no query; send the operation's text as `query`")
            return self._admit(query)
        known = self._trusted.get(wanted) or self._remembered.get(wanted)
        if query is None:
            if known is None:
                message = "PersistedQueryNotFound"  # clients of the usual libraries look for this very text
                raise RequestInvalid([ResponseError(message, "PERSISTED_QUERY_NOT_FOUND")])
            return known
        if known is None or known != query:
            if sha256_of(query) != wanted:
                raise RequestRefused(400, "the persisted query's sha256Hash is not the hash of the query sent with it")
            self._store(wanted, query)
        return self._admit(query)

    def _admit(self, query: str) -> str:
        if self._trusted_only and query not in self._trusted_texts:
            raise RequestInvalid(
                [ResponseError("only trusted operations are answered here; register this one", "OPERATION_NOT_TRUSTED")]
            )
        return query

    def _wanted_hash(self, extensions: Mapping[str, Any], document_id: str | None) -> str | None:
        if document_id is not None:
            wanted: str = document_id.removeprefix("sha256:").lower()
        else:
            persisted = extensions.get("persistedQuery")
            if persisted is None:
                return None
            if not self._remember and not self._trusted:
                message = "PersistedQueryNotSupported"
                raise RequestInvalid([ResponseError(message, "PERSISTED_QUERY_NOT_SUPPORTED")])
            if not isinstance(persisted, dict) or persisted.get("version") != 1:
                raise RequestRefused(400, "extensions.persistedQuery must be an object with version 1 and sha256Hash")
            given = persisted.get("sha256Hash")
            wanted = given.lower() if isinstance(given, str) else ""
        if not _HASH.fullmatch(wanted):
            raise RequestRefused(400, "an operation's id must be a SHA-256 in hexadecimal, 64 characters")
        return wanted

    def _store(self, wanted: str, query: str) -> None:
        if not self._remember or wanted in self._remembered:
            return
        self._remembered[wanted] = query
        self._characters += len(query)
        while len(self._remembered) > _MAX_REMEMBERED or self._characters > _MAX_REMEMBERED_CHARACTERS:
            _, text = self._remembered.popitem(last=False)
            self._characters -= len(text)
