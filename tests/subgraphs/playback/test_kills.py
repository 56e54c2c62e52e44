"""The subgraph as a process: killed under load, it has lost nothing that it had acknowledged."""

from __future__ import annotations

from benchmarks.heartbeats.kills import kill_playback


def test_what_was_acknowledged_survives_kills() -> None:
    """Three times SIGKILL under eight reporting players; the full run is python -m benchmarks.heartbeats.kills."""
    outcome = kill_playback(3, 8, None, seed=3)

    assert outcome.kills == 3
    assert outcome.acknowledged > 0
    assert (outcome.lost, outcome.wrong) == (0, 0)
