"""What is searched, and what should be found: films, judged queries, misspellings, of a folder of public data."""

from __future__ import annotations

import csv
import gzip
import math
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from subgraphs.kernel.ids import TitleId
from subgraphs.titles.domain.relevance import words_of
from subgraphs.titles.domain.title import Origin, Title, TitleKind, genre_named
from subgraphs.titles.imports.rows import ImportedRow
from subgraphs.titles.imports.seen import Seen
from subgraphs.titles.imports.wikipedia import read_wikipedia

__all__ = [
    "JudgedQuery",
    "Misspelled",
    "combined_titles",
    "judged_queries",
    "movielens_titles",
    "name_and_year",
    "real_misspellings",
    "typed_with_two_edits",
    "wikipedia_films",
]

ADDED_AT = datetime(2026, 1, 1, tzinfo=UTC)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_YEAR = re.compile(r"\s*\((\d{4})(?:[-\u2013]\d{0,4})?\)\s*$")
_OTHER_NAMES = re.compile(r"\s*\([^()]*\)")
_ARTICLE_BEHIND = re.compile(r"^(.*), (The|A|An|Les|Le|La|L'|Das|Der|Die|El|Il|Los)$")


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query and how good titles are for it, 0 to 4; `lost` good ones are not in the collection."""

    text: str
    grades: Mapping[TitleId, int]
    lost: int


@dataclass(frozen=True, slots=True)
class Misspelled:
    """What is typed, and the folded name of the title that is meant."""

    typed: str
    name: str


def wikipedia_films(data: Path) -> list[Title]:
    """Real films with cast, genres and synopses, open to grown-ups everywhere."""
    with (
        gzip.open(data / "catalog" / "wikipedia_movies_1900_2023.jsonl.gz", "rt", encoding="utf-8") as lines,
        Seen() as seen,
    ):
        return [row.title for row in read_wikipedia(lines, seen) if isinstance(row, ImportedRow)]


def combined_titles(films: Sequence[Title], count: int) -> list[Title]:
    """`count` titles: the films, and then names and synopses of two films each, with other people."""
    chance = random.Random(1)
    titles = list(films[:count])
    while len(titles) < count:
        first, second = chance.choice(films), chance.choice(films)
        half = max(1, len(first.display_name.split()) // 2)
        behind = second.display_name.split()[half:] or ["Returns"]
        name = " ".join((*first.display_name.split()[:half], *behind))
        titles.append(
            replace(
                first,
                id=TitleId(f"mov_combined-{len(titles)}"),
                display_name=name,
                synopsis=second.synopsis,
                credits=second.credits,
                popularity=chance.random() ** 4,
            )
        )
    return titles


def movielens_titles(data: Path) -> list[Title]:
    """MovieLens' 62,423 names with years and genres, and nothing else; popularity from the small set's ratings."""
    popularity = _popularity(data)
    titles: list[Title] = []
    for row in _rows(data / "ratings" / "ml-25m-titles" / "movies.csv.gz"):
        name, year = name_and_year(row["title"])
        if name:
            genres = [each for each in row["genres"].split("|") if not each.startswith("(")]
            titles.append(
                Title(
                    id=TitleId(f"mov_{row['movieId']}"),
                    kind=TitleKind.MOVIE,
                    display_name=name,
                    origin=Origin("movielens", row["movieId"]),
                    added_at=ADDED_AT,
                    release_year=year,
                    genres=tuple(genre_named("Science Fiction" if each == "Sci-Fi" else each) for each in genres),
                    popularity=popularity.get(row["movieId"], 0.0),
                )
            )
    return titles


def judged_queries(data: Path, titles: Sequence[Title]) -> list[JudgedQuery]:
    """The 40 queries judged by hand on TMDB's films, joined to MovieLens by its links."""
    by_tmdb = {
        row["tmdbId"]: TitleId(f"mov_{row['movieId']}")
        for row in _rows(data / "ratings" / "ml-25m-titles" / "links.csv.gz")
    }
    known = {title.id for title in titles}
    grades: dict[str, dict[TitleId, int]] = {}
    lost: Counter[str] = Counter()
    for line in (data / "search" / "tmdb_title_judgments_40q.txt").read_text("utf-8").splitlines():
        grade, tab, rest = line.partition("\tqid:")
        if not tab:
            continue
        _, _, judged = rest.partition("# ")
        tmdb_id, text = judged.split("\t", 1)
        title_id = by_tmdb.get(tmdb_id.strip())
        of_query = grades.setdefault(text.strip(), {})
        if title_id in known:
            of_query[title_id] = int(grade)
        elif int(grade):
            lost[text.strip()] += 1
    return [JudgedQuery(text, of_query, lost[text]) for text, of_query in grades.items()]


def typed_with_two_edits(titles: Sequence[Title], count: int) -> list[Misspelled]:
    """Names of eight letters or more with two random edits: a letter less, more, other, or two swapped."""
    chance = random.Random(2)
    found: list[Misspelled] = []
    while len(found) < count:
        words = words_of(chance.choice(titles).display_name)
        name = " ".join(words)
        typed = _edited(_edited(name, chance), chance)
        if sum(map(len, words)) >= 8 and typed != name and words_of(typed):
            found.append(Misspelled(typed, name))
    return found


def real_misspellings(data: Path, titles: Sequence[Title], count: int) -> list[Misspelled]:
    """Names in which one word is misspelled as people did: a random title for each word that titles have."""
    chance = random.Random(3)
    names_with: dict[str, list[list[str]]] = {}
    for title in titles:
        words = words_of(title.display_name)
        for word in set(words):
            names_with.setdefault(word, []).append(words)
    pairs = [(wrong, right) for wrong, right in _misspellings(data) if right in names_with and wrong not in names_with]
    found: list[Misspelled] = []
    for wrong, right in chance.sample(pairs, min(count, len(pairs))):
        words = chance.choice(names_with[right])
        found.append(Misspelled(" ".join(wrong if word == right else word for word in words), " ".join(words)))
    return found


def _misspellings(data: Path) -> Iterator[tuple[str, str]]:
    folder = data / "search"
    with gzip.open(folder / "codespell_dictionary_wikipedia_misspellings.txt.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            wrong, arrow, right = line.strip().partition("->")
            # Several corrections, or a remark behind them: nobody knows which one was meant.
            if arrow and wrong.isalpha() and right.isalpha() and len(wrong) > 2:
                yield wrong.lower(), right.lower()
    for line in (folder / "symspell_noisy_query_en_1000.txt").read_text("utf-8").splitlines():
        wrong, right, edits = line.split()
        if int(edits):
            yield wrong.lower(), right.lower()


def _edited(text: str, chance: random.Random) -> str:
    place = chance.choice([number for number, letter in enumerate(text) if letter != " "] or [0])
    before, letter, after = text[:place], text[place : place + 1], text[place + 1 :]
    match chance.randrange(4):
        case 0:
            return before + after
        case 1:
            return before + chance.choice(LETTERS) + letter + after
        case 2:
            return before + chance.choice(LETTERS) + after
        case _:
            return before + after[:1] + letter + after[1:] if after[:1].strip() else before + after


def _popularity(data: Path) -> dict[str, float]:
    counts = Counter(row["movieId"] for row in _rows(data / "ratings" / "ml-latest-small" / "ratings.csv.gz"))
    most = math.log1p(max(counts.values()))
    return {movie_id: math.log1p(count) / most for movie_id, count in counts.items()}


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def name_and_year(text: str) -> tuple[str, int | None]:
    """As "City of Lost Children;The (Cité des …) (1995)": The City of Lost Children, 1995."""
    text = text.replace(";", ", ").replace(",  ", ", ")
    match = _YEAR.search(text)
    name = _OTHER_NAMES.sub("", text[: match.start()] if match else text).strip() or text
    behind = _ARTICLE_BEHIND.match(name)
    return (f"{behind[2]} {behind[1]}" if behind else name), int(match[1]) if match else None
