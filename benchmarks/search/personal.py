"""Whether a taste helps searching: people's own films of MovieLens, held out, looked for in the real catalogue.

Ratings are joined to films by name and year. Of each person's liked films the last fifth is what they will look for;
all that they rated before is what is known of them. What all have in common is learned from other people, half of all.
Texts are what somebody types who wants such a film: a beginning, a word that many names have, a genre with a decade.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.search.data import JudgedQuery, name_and_year
from benchmarks.search.engines import VIEWER, OurIndex
from benchmarks.search.quality import DEPTH, ndcg
from subgraphs.kernel.ids import TitleId
from subgraphs.recommendations.domain.taste import Opinion, Taste, read_signals
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.domain.told_taste import told_taste
from subgraphs.recommendations.evaluation.intervals import Interval, mean_interval
from subgraphs.recommendations.models.blend import Models, score_titles
from subgraphs.recommendations.services.keep_models import build_models
from subgraphs.titles.adapters.tantivy_index import TantivyIndex
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.personal import REORDERED, ProfileTaste, personal_order
from subgraphs.titles.domain.relevance import SMALL_WORDS, words_of
from subgraphs.titles.domain.snapshot import snapshot
from subgraphs.titles.domain.title import Title

__all__ = ["Gain", "People", "judged_with_tastes", "measure_gains", "read_people"]

LIKED_STARS = 4.0
FEWEST_LIKES = 10
HELD_OUT_SHARE = 0.2
MOST_HELD_OUT = 8
BEGINNING = 4
"""Letters of a name that are typed, after its article."""
AMBIGUOUS_NAMES = 10
"""Names that a word must stand in."""
GOOD_PLACES = 5
YEARS_APART = 1
Ratings = list[tuple[float, TitleId, float]]
"""(instant, title, stars), in order of time."""


@dataclass(frozen=True, slots=True)
class People:
    """What each person rated, of films that are in the catalogue."""

    ratings: tuple[Ratings, ...]
    joined: int
    total: int


@dataclass(frozen=True, slots=True)
class Gain:
    """One kind of text: means over people without and with their taste, and the difference with its interval."""

    what: str
    count: int
    reciprocal: tuple[float, float, Interval]
    success: tuple[float, float, Interval]


def read_people(data: Path, films: Sequence[Title]) -> People:
    """MovieLens' small set, joined to the films by folded name and year, a year more or less."""
    by_name: dict[str, list[Title]] = defaultdict(list)
    for film in films:
        by_name[" ".join(words_of(film.display_name))].append(film)
    folder = data / "ratings" / "ml-latest-small"
    titles: dict[str, TitleId] = {}
    total = 0
    for row in _rows(folder / "movies.csv.gz"):
        total += 1
        name, year = name_and_year(row["title"])
        for film in by_name.get(" ".join(words_of(name)), ()):
            if year and film.release_year and abs(year - film.release_year) <= YEARS_APART:
                titles[row["movieId"]] = film.id
    ratings: dict[str, Ratings] = defaultdict(list)
    for row in _rows(folder / "ratings.csv.gz"):
        if row["movieId"] in titles:
            ratings[row["userId"]].append((float(row["timestamp"]), titles[row["movieId"]], float(row["rating"])))
    return People(tuple(sorted(each) for _, each in sorted(ratings.items())), len(titles), total)


async def measure_gains(films: Sequence[Title], people: People) -> list[Gain]:
    """Every second person searches; the others are whom it is learned from."""
    models = _models(films, people.ratings[1::2])
    by_id = {film.id: film for film in films}
    common = Counter(word for film in films for word in set(words_of(film.display_name)) if word not in SMALL_WORDS)
    found: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
    counts: Counter[str] = Counter()
    index = TantivyIndex(None)
    try:
        await OurIndex(index).fill(films)
        for ratings in people.ratings[::2]:
            known, held_out = _split(ratings)
            if not held_out:
                continue
            taste = _taste(models, known)
            of_kind: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
            for title_id in held_out:
                for what, text in _texts(by_id[title_id], common):
                    of_kind[what].append(await _places(index, by_id, text, title_id, taste))
            for what, each in of_kind.items():
                counts[what] += len(each)
                mean = np.array(each).mean(axis=0)
                found[what].append((float(mean[0]), float(mean[1]), float(mean[2]), float(mean[3])))
    finally:
        await index.aclose()
    return [_gain(what, counts[what], np.array(each)) for what, each in found.items()]


async def judged_with_tastes(
    titles: Sequence[Title], queries: Sequence[JudgedQuery], data: Path
) -> tuple[float, Interval]:
    """nDCG@10 of the judged queries by text alone, and the difference that tastes make, over people."""
    people = _people_of_names(data, titles)
    models = _models(titles, people[1::2])
    by_id = {title.id: title for title in titles}
    scope = CatalogueScope.of(VIEWER, datetime.now(UTC))
    index = TantivyIndex(None)
    try:
        await OurIndex(index).fill(titles)
        judged = [query for query in queries if any(query.grades.values())]
        hits = [(await index.search(each.text, scope, TitleFilter(), frozenset(), REORDERED)).hits for each in judged]
    finally:
        await index.aclose()
    plain = [
        ndcg([hit.title_id for hit in found[:DEPTH]], query.grades) for query, found in zip(judged, hits, strict=True)
    ]
    differences = []
    for ratings in people[::2]:
        taste = _taste(models, ratings)
        scores = []
        for query, found in zip(judged, hits, strict=True):
            listed = [by_id[hit.title_id] for hit in found]
            order = personal_order(query.text, listed, [hit.score for hit in found], taste)
            scores.append(ndcg([listed[place].id for place in order[:DEPTH]], query.grades))
        differences.append(float(np.mean(scores) - np.mean(plain)))
    return float(np.mean(plain)), mean_interval(np.array(differences))


def _models(titles: Sequence[Title], others: Sequence[Ratings]) -> Models:
    records = [record_from_snapshot(snapshot(title, None, None)) for title in titles]
    return build_models(records, [_rated(ratings) for ratings in others], 1, datetime.now(UTC).timestamp())


def _rated(ratings: Ratings) -> Taste:
    return Taste(opinions={title_id: Opinion(stars=max(1, round(stars))) for _, title_id, stars in ratings})


def _taste(models: Models, ratings: Ratings) -> ProfileTaste:
    """As recommendations tells it and titles hears it."""
    signals = read_signals(_rated(ratings), models.catalogue, datetime.now(UTC).timestamp())
    profile = score_titles(models, signals)
    told = told_taste(models.catalogue, signals, profile.scores if profile.has_taste else None)
    return ProfileTaste(told.genres, told.people, told.titles)


def _split(ratings: Ratings) -> tuple[Ratings, list[TitleId]]:
    liked = [title_id for _, title_id, stars in ratings if stars >= LIKED_STARS]
    if len(liked) < FEWEST_LIKES:
        return ratings, []
    held_out = liked[-min(MOST_HELD_OUT, max(1, int(len(liked) * HELD_OUT_SHARE))) :]
    first = min(at for at, title_id, _ in ratings if title_id in held_out)
    return [rating for rating in ratings if rating[0] < first and rating[1] not in held_out], held_out


def _texts(film: Title, common: Mapping[str, int]) -> list[tuple[str, str]]:
    words = words_of(film.display_name)
    bare = words[1:] if len(words) > 1 and words[0] in SMALL_WORDS else words
    texts = []
    if len(" ".join(bare)) > BEGINNING:
        texts.append((f"first {BEGINNING} letters", " ".join(bare)[:BEGINNING]))
    ambiguous = [word for word in bare if common[word] >= AMBIGUOUS_NAMES]
    if ambiguous and len(bare) > 1:
        texts.append(("a word of many names", max(ambiguous, key=lambda word: common[word])))
    if film.genres and film.release_year:
        texts.append(("genre and decade", f"{film.release_year // 10 * 10}s {film.genres[0].display_name}"))
    return texts


async def _places(
    index: TantivyIndex, by_id: Mapping[TitleId, Title], text: str, wanted: TitleId, taste: ProfileTaste
) -> tuple[float, float, float, float]:
    """Reciprocal rank without and with the taste, and whether it is among the first without and with."""
    scope = CatalogueScope.of(VIEWER, datetime.now(UTC))
    hits = (await index.search(text, scope, TitleFilter(), frozenset(), REORDERED)).hits
    ids = [hit.title_id for hit in hits]
    if wanted not in ids:
        return 0.0, 0.0, 0.0, 0.0
    order = personal_order(text, [by_id[each] for each in ids], [hit.score for hit in hits], taste)
    before, after = ids.index(wanted), [ids[place] for place in order].index(wanted)
    return 1 / (before + 1), 1 / (after + 1), float(before < GOOD_PLACES), float(after < GOOD_PLACES)


def _gain(what: str, count: int, means: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Gain:
    without, with_taste, good, good_with = means.T
    return Gain(
        what,
        count,
        (float(without.mean()), float(with_taste.mean()), mean_interval(with_taste - without)),
        (float(good.mean()), float(good_with.mean()), mean_interval(good_with - good)),
    )


def _people_of_names(data: Path, titles: Sequence[Title]) -> list[Ratings]:
    """Everybody of the small set, on the collection of names, whose ids are MovieLens'."""
    known = {title.id for title in titles}
    ratings: dict[str, Ratings] = defaultdict(list)
    for row in _rows(data / "ratings" / "ml-latest-small" / "ratings.csv.gz"):
        title_id = TitleId(f"mov_{row['movieId']}")
        if title_id in known:
            ratings[row["userId"]].append((float(row["timestamp"]), title_id, float(row["rating"])))
    return [each for _, each in sorted(ratings.items())]


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
