"""Operations by hash: learnt from clients, bounded; or trusted from a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import RequestInvalid, RequestRefused
from gateway.pipeline.persisted import PersistedOperations, read_trusted_operations, sha256_of

TEXT = "{ a }"


def by_hash(sha: str = sha256_of(TEXT), version: object = 1) -> dict[str, object]:
    return {"persistedQuery": {"version": version, "sha256Hash": sha}}


def learning(**trusted: str) -> PersistedOperations:
    return PersistedOperations(trusted, remember=True, trusted_only=False)


def test_a_hash_is_known_after_its_text_was_sent_with_it() -> None:
    operations = learning()
    with pytest.raises(RequestInvalid) as raised:
        operations.resolve(None, by_hash(), None)
    assert raised.value.errors[0].code == "PERSISTED_QUERY_NOT_FOUND"
    assert operations.resolve(TEXT, by_hash(), None) == TEXT
    assert operations.resolve(None, by_hash(sha256_of(TEXT).upper()), None) == TEXT
    assert operations.resolve(None, {}, f"sha256:{sha256_of(TEXT)}") == TEXT


def test_nobody_can_put_another_text_under_a_known_hash() -> None:
    operations = learning()
    operations.resolve(TEXT, by_hash(), None)
    with pytest.raises(RequestRefused, match="not the hash"):
        operations.resolve("{ evil }", by_hash(), None)
    assert operations.resolve(None, by_hash(), None) == TEXT


@pytest.mark.parametrize(
    "extensions",
    [
        {"persistedQuery": 1},
        {"persistedQuery": {}},
        by_hash(version=2),
        by_hash("short"),
        by_hash("x" * 64),
        {"persistedQuery": {"version": 1, "sha256Hash": None}},
    ],
)
def test_malformed_ids_are_refused(extensions: dict[str, object]) -> None:
    with pytest.raises(RequestRefused):
        learning().resolve(None, extensions, None)


def test_a_request_without_query_and_hash_is_refused() -> None:
    with pytest.raises(RequestRefused, match="no query"):
        learning().resolve(None, {}, None)


def test_learning_can_be_off() -> None:
    operations = PersistedOperations({}, remember=False, trusted_only=False)
    with pytest.raises(RequestInvalid) as raised:
        operations.resolve(TEXT, by_hash(), None)
    assert raised.value.errors[0].code == "PERSISTED_QUERY_NOT_SUPPORTED"
    assert operations.resolve(TEXT, {}, None) == TEXT


def test_only_trusted_texts_where_so_set(tmp_path: Path) -> None:
    folder = tmp_path / "tv"
    folder.mkdir()
    (folder / "home.graphql").write_text(TEXT)
    (tmp_path / "note.txt").write_text("{ b }")
    trusted = read_trusted_operations(tmp_path)
    assert trusted == {sha256_of(TEXT): TEXT}
    operations = PersistedOperations(trusted, remember=True, trusted_only=True)
    assert operations.resolve(None, by_hash(), None) == TEXT
    assert operations.resolve(TEXT, {}, None) == TEXT
    for query, extensions in (("{ b }", {}), ("{ b }", by_hash(sha256_of("{ b }")))):
        with pytest.raises(RequestInvalid) as raised:
            operations.resolve(query, extensions, None)
        assert raised.value.errors[0].code == "OPERATION_NOT_TRUSTED"


def test_what_clients_teach_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.pipeline.persisted._MAX_REMEMBERED", 2)
    operations = learning()
    texts = [f"{{ a{index} }}" for index in range(3)]
    for text in texts:
        operations.resolve(text, by_hash(sha256_of(text)), None)
    with pytest.raises(RequestInvalid):
        operations.resolve(None, by_hash(sha256_of(texts[0])), None)
    assert operations.resolve(None, by_hash(sha256_of(texts[2])), None) == texts[2]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder of operations"):
        read_trusted_operations(tmp_path / "none")
