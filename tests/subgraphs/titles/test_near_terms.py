"""Terms with typos, as the index keeps them: by a scan of all terms, and by the engine's own automaton."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tantivy
from hypothesis import given, settings
from hypothesis import strategies as st

from subgraphs.titles.adapters import near_terms
from subgraphs.titles.adapters.near_terms import NearTerms
from subgraphs.titles.adapters.tantivy_index import TantivyIndex
from subgraphs.titles.domain.completion import edits_between
from tests.subgraphs.titles.conftest import Parts
from tests.subgraphs.titles.engines import COPS, changed, found

LETTERS = "abcé日"
WORDS = st.text(LETTERS, min_size=1, max_size=9)
FIELD = "words"


def by_scan(terms: set[str], text: str, edits: int) -> set[str]:
    return {term for term in terms if edits_between(text, term, edits, is_beginning=False) <= edits}


@pytest.mark.parametrize("few_letters", [near_terms.FEW_LETTERS, 0])
def test_near_terms_are_those_of_a_scan(monkeypatch: pytest.MonkeyPatch, few_letters: int) -> None:
    """Whether candidates are compared one by one or all at once; a text may have letters that no term has."""
    monkeypatch.setattr(near_terms, "FEW_LETTERS", few_letters)

    @given(st.sets(WORDS, max_size=40), st.sets(WORDS, max_size=40), st.text(LETTERS + "xy", min_size=1, max_size=10))
    def check(first: set[str], second: set[str], text: str) -> None:
        terms = NearTerms((FIELD,)).with_terms({FIELD: first}).with_terms({FIELD: second})
        for edits in (1, 2):
            assert set(terms.near(FIELD, text, edits, 2)) == by_scan(first | second, text, edits)
        assert set(terms.near(FIELD, text, 1, 1)) == by_scan(first | second, text, 1)

    check()


@pytest.mark.parametrize("length", [1, 61, 64])
def test_long_texts_are_compared_to_their_ends(length: int) -> None:
    """An alignment has 64 bits; longer terms are nobody's neighbours, longer texts are refused."""
    text = ("abcdefgh" * 8)[:length]
    near = {text, text + "z", text[:-1] + "zz", text[:-1] + "z"}
    terms = NearTerms((FIELD,)).with_terms({FIELD: {*near, text + "zzz", "q" + text[:-2] + "qq"}})

    assert {term for term in near if len(term) <= near_terms.MAX_LENGTH} <= set(terms.near(FIELD, text, 2, 2))
    assert text + "zzz" not in terms.near(FIELD, text, 2, 2)
    with pytest.raises(ValueError, match="65 letters"):
        terms.near(FIELD, "a" * 65, 1, 1)


def test_a_field_has_its_own_terms() -> None:
    """A word of one field is no word of the other, and nothing is made anew for terms that are known."""
    terms = NearTerms(("name", "people")).with_terms({"name": ["kubrick", "shining"], "people": ["kubrik"]})

    assert terms.near("name", "kubrick", 1, 2) == ["kubrick"]
    assert terms.near("people", "kubrick", 1, 2) == ["kubrik"]
    assert terms.with_terms({"name": ["shining"]}) is terms
    assert terms.with_terms({"people": ["shining"]}).near("people", "shinign", 1, 1) == ["shining"]


@settings(max_examples=40, deadline=None)
@given(st.sets(WORDS, min_size=1, max_size=30), st.lists(WORDS, max_size=10))
def test_the_engine_counts_edits_alike(terms: set[str], texts: list[str]) -> None:
    """What its automata find is what is looked up here: which of the two is asked makes no difference."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field(FIELD, stored=True, tokenizer_name="raw", index_option="basic")
    schema = builder.build()
    index = tantivy.Index(schema)
    writer = index.writer(15_000_000, 1)
    for term in terms:
        document = tantivy.Document()
        document.add_text(FIELD, term)
        writer.add_document(document)
    writer.commit()
    index.reload()
    searcher, near = index.searcher(), NearTerms((FIELD,)).with_terms({FIELD: terms})
    for text in texts:
        for edits in (1, 2):
            hits = searcher.search(tantivy.Query.fuzzy_term_query(schema, FIELD, text, edits), limit=len(terms)).hits
            assert {searcher.doc(address)[FIELD][0] for _, address in hits} == set(near.near(FIELD, text, edits, 2))


async def test_names_of_updates_are_found_with_typos_at_once_and_after_a_restart(demo: Parts, tmp_path: Path) -> None:
    """Terms come from what is written, and from the dictionary of an index that is opened."""
    index = TantivyIndex(tmp_path)
    try:
        await index.update([await changed(demo, COPS, display_name="Zyxwvut Srqponm")])
        assert await found(index, "zyxvwut") == {COPS}
        title = await changed(demo, COPS, display_name="Jihgfed Cbalkmn")
        await index.update([replace(title, revision=title.revision + 1)])
        assert (await found(index, "jihgfde"), await found(index, "zyxvwut")) == ({COPS}, set())
    finally:
        await index.aclose()

    index = TantivyIndex(tmp_path)
    try:
        assert await found(index, "jihgefd cblakmn") == {COPS}
        assert await found(index, "jihgfedcbalmkn") == {COPS}
    finally:
        await index.aclose()
