"""How a question is read: cases/understanding.txt, and what holds for any text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from stack.explain import app
from subgraphs.titles.domain.explaining import explain_places, explain_reading
from subgraphs.titles.domain.query_vocabulary import DECADES, GENRES, KINDS, MAX_PHRASE_LENGTH, ORIGINS, SYNONYMS
from subgraphs.titles.domain.relevance import MAX_WORDS, search_question, words_of
from subgraphs.titles.domain.understanding import understand

CASES = [
    (text, reading)
    for line in (Path(__file__).parent / "cases" / "understanding.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
    for text, _, reading in [line.partition(" => ")]
]
words = st.one_of(
    st.sampled_from([*GENRES, *KINDS, *DECADES, *ORIGINS, *SYNONYMS, "80s", "1979", "the"]).map(str.split),
    st.text(max_size=8).map(words_of),
)
texts = st.lists(words, max_size=8).map(lambda parts: [word for part in parts for word in part])


@pytest.mark.parametrize(("text", "reading"), CASES)
def test_reads_as_it_should(text: str, reading: str) -> None:
    """Years, decades, kinds, genres, origins, synonyms, umlauts and other scripts; names stay names."""
    assert reading == explain_reading(text)


@given(texts)
def test_no_word_is_lost_or_moved(typed: list[str]) -> None:
    """The parts are the text cut into pieces, and every remainder is the text with pieces left out."""
    understood = understand(typed)
    assert typed == [word for part in understood.parts for word in part.words]
    assert all(part.facts for part in understood.parts if len(part.words) > 1)
    for remainder in understood.remainders:
        rest = iter(typed)
        assert all(word in rest for word in remainder.split())
        assert len(remainder.split()) < len(typed)


@given(texts)
def test_what_is_read_only_adds(typed: list[str]) -> None:
    """Every part can be found by its own words in a name, whatever it was taken for."""
    question = search_question(" ".join(typed))
    for part in question.parts if question is not None else ():
        assert any((match.field, match.text) == ("name", part.text) for match in part.matches)
        assert len(part.text.split()) <= MAX_PHRASE_LENGTH
    assert question is None or sum(len(part.text.split()) for part in question.parts) <= MAX_WORDS


@pytest.mark.parametrize("table", [GENRES, KINDS, DECADES, ORIGINS, SYNONYMS])
def test_tables_are_written_as_texts_are_folded(table: dict[str, object]) -> None:
    """An entry that folding changes would never be looked up."""
    for phrase in table:
        assert phrase == " ".join(words_of(phrase))
        assert len(phrase.split()) <= MAX_PHRASE_LENGTH
    for others in SYNONYMS.values():
        assert all(other == " ".join(words_of(other)) for other in others)


def test_the_command_prints_it() -> None:
    """`marquee explain search`, with the places and their worth when asked for."""
    printed = CliRunner().invoke(app, ["search", "--places", "alien 1979"])
    assert printed.exit_code == 0
    reading, *places = printed.stdout.splitlines()
    assert reading == "alien 1979(YEARS=1979); or the name 'alien'"
    assert places == list(explain_places("alien 1979"))
    assert "  release_year: years 1979, a fixed 6" in places
    assert "  bare_name_key is 'alien': 55" in places
