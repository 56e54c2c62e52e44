"""An evaluation from files to table, JSON and plots, on data small enough to know what must come out."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from stack.cli import app
from subgraphs.recommendations.evaluation import compare, report
from subgraphs.recommendations.evaluation.generated import generate_likes
from subgraphs.recommendations.evaluation.movielens import DataSetMissing, read_movielens
from subgraphs.recommendations.evaluation.splits import leave_last_out, strong_generalisation
from subgraphs.recommendations.models.implicit_als import AlsParameters
from subgraphs.recommendations.models.train import BLEND
from subgraphs.recommendations.models.trained import ALS


@pytest.fixture
def few_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """One or two settings of each model instead of the whole grid."""
    whole = compare._grid

    def few(content: object) -> object:
        seen: dict[str, int] = {}
        for contender in whole(content):  # type: ignore[arg-type]
            seen[contender.model] = seen.get(contender.model, 0) + 1
            if contender.model == ALS:
                if seen[contender.model] == 1:
                    small = partial(compare._fit_als, parameters=AlsParameters(factors=4, l2=0.5, steps=3))
                    yield compare.Contender(ALS, "4 factors", small)
            elif seen[contender.model] <= 2:
                yield contender

    monkeypatch.setattr(compare, "_grid", few)


def test_likes_are_ratings_of_four_stars(movielens_folder: Path) -> None:
    """People with fewer than five likes are left out; every title that is liked has a record and shares of genres."""
    data = read_movielens(movielens_folder)

    assert data.likes.profile_count == 60
    assert len(data.records) == data.likes.title_count == len(data.genres)
    counts = np.bincount(data.likes.profiles)
    assert counts.min() >= 11
    first = next(record for record in data.records if record.id == "mov_movielens-0")
    assert (first.display_name, first.release_year) == ("Film 0", 1950)
    assert "heist" in first.synopsis
    sums = data.genres.sum(axis=1)
    unlisted = [place for place, record in enumerate(data.records) if not record.genres]
    assert [record.id for record in (data.records[place] for place in unlisted)] == ["mov_movielens-10"]
    np.testing.assert_allclose(np.delete(sums, unlisted), 1.0, rtol=1e-6)


def test_a_missing_file_is_named(movielens_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataSetMissing, match=re.escape(str(tmp_path / "ratings.csv.gz"))):
        read_movielens(tmp_path)
    shutil.copy(movielens_folder / "ratings.csv.gz", tmp_path)
    with pytest.raises(DataSetMissing, match=r"tags\.csv\.gz"):
        read_movielens(tmp_path)


@pytest.mark.usefixtures("few_settings")
def test_a_trial_is_the_same_twice_and_finds_the_camps(movielens_folder: Path) -> None:
    """Personal models beat popularity by far, the blend is among the best; nothing depends on chance."""
    comparison = compare.prepare(read_movielens(movielens_folder))
    trial = next(strong_generalisation(comparison.data.likes, folds=5, seed=1))

    first, second = (compare.run_trial(comparison, trial, seed=1) for _ in range(2))

    assert set(first.values) == {*compare.MODEL_NAMES, BLEND}
    for model, by_metric in first.values.items():
        for metric, values in by_metric.items():
            assert values.shape == trial.profiles.shape
            np.testing.assert_array_equal(second.values[model][metric], values)
    assert first.weights == second.weights
    means = {model: float(by_metric["NDCG@100"].mean()) for model, by_metric in first.values.items()}
    assert means[BLEND] > means["popularity"] + 0.05
    assert all(0 < part <= 1 for part in first.coverage.values())


@pytest.mark.usefixtures("few_settings")
def test_what_is_held_out_chooses_nothing(movielens_folder: Path) -> None:
    """Settings and weights stay when the trial's held-out likes are others: they were chosen without them."""
    comparison = compare.prepare(read_movielens(movielens_folder))
    trial = next(strong_generalisation(comparison.data.likes, folds=5, seed=2))
    others = trial.held_out.copy()
    free = (trial.histories + trial.held_out).toarray() == 0
    for row in range(others.shape[0]):
        width = others.indptr[row + 1] - others.indptr[row]
        others.indices[others.indptr[row] : others.indptr[row + 1]] = np.flatnonzero(free[row])[:width]

    first = compare.run_trial(comparison, trial, seed=1)
    second = compare.run_trial(comparison, dataclasses.replace(trial, held_out=others), seed=1)

    assert (first.settings, first.weights) == (second.settings, second.weights)
    assert first.values[BLEND]["NDCG@100"].mean() > second.values[BLEND]["NDCG@100"].mean()


@pytest.mark.usefixtures("few_settings")
def test_a_summary_pools_trials_by_profile(movielens_folder: Path) -> None:
    comparison = compare.prepare(read_movielens(movielens_folder))
    trials = list(strong_generalisation(comparison.data.likes, folds=2, seed=3))
    results = [compare.run_trial(comparison, trial, seed=3) for trial in trials]

    summary = report.summarise("data", "split", [*results, *results])

    assert summary.profile_count == 60
    assert summary.trial_count == 4
    pooled = np.concatenate([result.values[BLEND]["recall@20"] for result in results])
    assert summary.means[BLEND]["recall@20"].mean == pytest.approx(pooled.mean())
    for row in summary.differences:
        expected = summary.means[BLEND][row.metric].mean - summary.means[row.model][row.metric].mean
        assert row.difference.mean == pytest.approx(expected)
        assert row.difference.low <= row.difference.mean <= row.difference.high
    table = report.markdown(summary)
    assert f"| {BLEND} |" in table
    assert json.loads(json.dumps(report.to_json(summary)))["profile_count"] == 60
    with pytest.raises(ValueError, match="no trial"):
        report.summarise("data", "split", [])


@pytest.mark.usefixtures("few_settings")
@pytest.mark.parametrize("split", ["strong-generalisation", "leave-last-out", "temporal"])
def test_the_command_writes_table_figures_and_plots(
    movielens_folder: Path, tmp_path: Path, split: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name; once more, as an example, they are the same byte by byte."""
    monkeypatch.setattr("stack.evaluate.FOLDS", 2)
    runs = []
    for folder in [tmp_path / "a", tmp_path / "b"][: 2 if split == "leave-last-out" else 1]:
        found = CliRunner().invoke(
            app, ["evaluate", "models", str(movielens_folder), "--split", split, "--output", str(folder)]
        )
        assert found.exit_code == 0, found.output
        runs.append({path.name: path.read_bytes() for path in folder.iterdir()})

    assert runs[0] == runs[-1]
    assert set(runs[0]) == {f"models-{split}.md", f"models-{split}.json", f"models-{split}.svg", f"blend-{split}.svg"}
    assert runs[0][f"models-{split}.svg"].startswith(b"<?xml")
    assert json.loads(runs[0][f"models-{split}.json"])["split"] == split


def test_the_command_names_what_is_missing(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["evaluate", "models", str(tmp_path)])

    assert found.exit_code == 1
    assert "ratings.csv.gz is not there" in found.output


def test_leave_last_out_asks_for_the_newest(movielens_folder: Path) -> None:
    likes = read_movielens(movielens_folder).likes
    trial = leave_last_out(likes)
    newest = {profile: likes.at_s[likes.profiles == profile].max() for profile in np.unique(likes.profiles).tolist()}

    assert len(trial.profiles) == 60
    for profile, title in zip(trial.profiles.tolist(), trial.held_out.indices.tolist(), strict=True):
        at_s = likes.at_s[(likes.profiles == profile) & (likes.titles == title)]
        assert at_s[0] == newest[profile]


def test_files_are_read_as_text(tmp_path: Path) -> None:
    """Names outside ASCII stay whole."""
    for name, text in {
        "ratings": "userId,movieId,rating,timestamp\n" + "".join(f"1,{movie},5,{movie}\n" for movie in range(5)),
        "movies": "movieId,title,genres\n" + "".join(f"{movie},Amélie {movie} (2001),Drama\n" for movie in range(5)),
        "tags": "userId,movieId,tag,timestamp\n",
    }.items():
        (tmp_path / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))

    assert read_movielens(tmp_path).records[0].display_name == "Amélie 0"


def test_a_generated_audience_has_few_favourites_and_clusters() -> None:
    """As many likes as asked, each once; a tenth of the titles has twice its share; the same seed gives the same."""
    log, again = (generate_likes(titles=400, likes=30_000, seed=4) for _ in range(2))

    np.testing.assert_array_equal(log.titles, again.titles)
    assert 30_000 <= len(log.profiles) < 30_000 + 500 * 400
    assert len(np.unique(log.profiles * 400 + log.titles)) == len(log.profiles)
    counts = np.sort(np.bincount(log.titles, minlength=400))[::-1]
    assert counts[:40].sum() > 2 * 0.1 * counts.sum()


def test_the_cost_of_training_is_printed(tmp_path: Path) -> None:
    found = CliRunner().invoke(
        app,
        ["evaluate", "training", "--titles", "120", "--likes", "2000", "--output", str(tmp_path / "cost.json")],
    )

    assert found.exit_code == 0, found.output
    figures = json.loads((tmp_path / "cost.json").read_text())
    assert figures["likes"] >= 2000
    steps = {"item neighbours", "EASE", "implicit ALS", "weights and metrics"}
    assert set(figures["cpu_seconds_by_step"]) == set(figures["peak_memory_mb_by_step"]) == steps
    assert min(figures["peak_memory_mb_by_step"].values()) > 0
    serving = figures["serving"]
    models = {"popularity", "content", "item neighbours", "EASE", "implicit ALS", "implicit ALS, second start"}
    assert set(serving["score_ms_by_model"]) == set(serving["memory_mb_by_model"]) == models
    assert serving["memory_mb_by_model"]["content"] >= 120 * 128 * 4 / 1e6
