"""Pathways from the environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.settings import SettingsInvalid, SharedSettings
from media_pipeline.steering.settings import SteeringSettings


def shared(tmp_path: Path) -> SharedSettings:
    return SharedSettings(state_dir=tmp_path, public_media_url="http://media.test/")


def test_two_edges_on_this_machine_without_settings(tmp_path: Path):
    pathways = SteeringSettings(shared=shared(tmp_path)).resolved_pathways
    assert [(pathway.id, pathway.base_url) for pathway in pathways] == [
        ("edge-a", "http://media.test/edge-a"),
        ("edge-b", "http://media.test/edge-b"),
    ]


def test_pathways_are_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    configured = [{"id": "cdn1", "base_url": "https://cdn1.test/", "regions": ["DE"], "weight": 3}]
    monkeypatch.setenv("MARQUEE_STEERING_PATHWAYS", json.dumps(configured))
    [pathway] = SteeringSettings.load(shared=shared(tmp_path)).resolved_pathways
    assert (pathway.id, pathway.base_url, pathway.regions, pathway.weight) == ("cdn1", "https://cdn1.test", {"DE"}, 3)


@pytest.mark.parametrize(
    "pathway",
    [
        {"id": "a b", "base_url": "https://x"},
        {"id": "a", "base_url": "ftp://x"},
        {"id": "a", "base_url": "https://x", "weight": 0},
    ],
)
def test_pathways_that_manifests_cannot_hold_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pathway: dict
):
    monkeypatch.setenv("MARQUEE_STEERING_PATHWAYS", json.dumps([pathway]))
    with pytest.raises(SettingsInvalid, match="MARQUEE_STEERING_PATHWAYS"):
        SteeringSettings.load(shared=shared(tmp_path))


def test_a_name_twice_is_refused(tmp_path: Path):
    twice = [{"id": "a", "base_url": "https://x"}] * 2
    with pytest.raises(ValueError, match="twice"):
        _ = SteeringSettings(shared=shared(tmp_path), pathways=twice).resolved_pathways
