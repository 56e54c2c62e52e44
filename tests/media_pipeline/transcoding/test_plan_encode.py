"""The encode plan: which rungs a source gets, and what ffmpeg is told."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_pipeline.media.ladder import MIN_RATE_STEP
from media_pipeline.transcoding.plan_encode import EncoderChoices, audio_arguments, plan_encode, video_arguments
from media_pipeline.transcoding.source_facts import AudioFacts, SourceFacts, SubtitleFacts, VideoFacts

SOURCE, OUTPUT = Path("/scratch/source"), Path("/scratch/out.mp4")


def facts(width_px: int = 1280, height_px: int = 720, rate: str = "24", **fields: Any) -> SourceFacts:
    video = VideoFacts(0, "h264", width_px, height_px, Fraction(rate))
    return SourceFacts(**{"container": "mov", "duration_s": 24.0, "video": video, **fields})


def rungs(width_px: int, height_px: int) -> list[tuple[int, str]]:
    return [(item.lines, f"{item.width_px}x{item.height_px}") for item in plan_encode(facts(width_px, height_px)).video]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1280, 720), [(240, "426x240"), (480, "854x480"), (720, "1280x720")]),
        ((1920, 1080), [(240, "426x240"), (480, "854x480"), (720, "1280x720"), (1080, "1920x1080")]),
        # wide films are named by the box that they fill in width
        ((1920, 800), [(240, "426x178"), (480, "854x356"), (720, "1280x534"), (1080, "1920x800")]),
        # upright films stand in upright boxes
        ((1080, 1920), [(240, "240x426"), (480, "480x854"), (720, "720x1280"), (1080, "1080x1920")]),
        # smaller than every rung: its own size, once
        ((176, 144), [(240, "176x144")]),
        # between two rungs: its own size too, when that shows much more than the rung below
        ((1024, 576), [(240, "426x240"), (480, "854x480"), (720, "1024x576")]),
        ((860, 484), [(240, "426x240"), (480, "852x480")]),
        # odd sizes become even, downwards
        ((1279, 719), [(240, "426x240"), (480, "854x480"), (720, "1278x718")]),
    ],
)
def test_a_source_gets_the_rungs_that_it_fills(size: Any, expected: Any):
    assert rungs(*size) == expected


@given(st.integers(16, 8192), st.integers(16, 8192))
def test_rungs_are_never_larger_than_the_source_and_rise_in_useful_steps(width_px: int, height_px: int):
    """Lowest first, even sides, aspect kept to a pixel or two, rates apart by the least useful step."""
    video = plan_encode(facts(width_px, height_px)).video
    assert 1 <= len(video) <= 6
    for item in video:
        assert 2 <= item.width_px <= width_px
        assert 2 <= item.height_px <= height_px
        assert item.width_px % 2 == item.height_px % 2 == 0
        ratio = min(item.width_px / width_px, item.height_px / height_px)
        assert abs(item.width_px - width_px * ratio) <= 2 * max(1, width_px / height_px)
        assert abs(item.height_px - height_px * ratio) <= 2 * max(1, height_px / width_px)
    for lower, higher in pairwise(video):
        assert lower.lines < higher.lines
        assert higher.max_video_bps >= lower.max_video_bps * MIN_RATE_STEP


def arguments(plan_facts: SourceFacts, number: int = 0) -> list[str]:
    plan = plan_encode(plan_facts)
    return video_arguments(plan, plan.video[number], SOURCE, OUTPUT, EncoderChoices("veryfast", 2))


def value_of(arguments: list[str], flag: str) -> str:
    assert arguments.count(flag) == 1, f"{flag} in {arguments}"
    return arguments[arguments.index(flag) + 1]


@pytest.mark.parametrize(
    ("rate", "gop"), [("24", "48"), ("25", "50"), ("30000/1001", "60"), ("24000/1001", "48"), ("60", "120"), ("1", "2")]
)
def test_all_rungs_have_closed_groups_of_two_seconds_counted_in_frames(rate: str, gop: str):
    for number in range(3):
        told = arguments(facts(rate=rate), number)
        assert value_of(told, "-g") == value_of(told, "-keyint_min") == gop
        assert value_of(told, "-sc_threshold") == "0"
        assert value_of(told, "-x264-params") == "open-gop=0"
        assert f"fps=fps={Fraction(rate).numerator}/{Fraction(rate).denominator}:start_time=0" in value_of(told, "-vf")


def test_one_rate_control_square_pixels_and_the_source_left_in_its_jail():
    told = arguments(facts())
    assert "-b:v" not in told
    assert (value_of(told, "-crf"), value_of(told, "-maxrate"), value_of(told, "-bufsize")) == (
        "21",
        "400000",
        "600000",
    )
    assert "setsar=1" in value_of(told, "-vf").split(",")
    assert value_of(told, "-protocol_whitelist") == "file"
    assert told.index("-protocol_whitelist") < told.index("-i")
    assert told[told.index("-i") - 2 : told.index("-i")] == ["-f", "mov"]
    assert value_of(told, "-map_metadata") == "-1"


def test_interlaced_sources_are_deinterlaced_before_anything_else():
    video = VideoFacts(0, "mpeg2video", 720, 576, Fraction(25), is_interlaced=True)
    assert value_of(arguments(facts(video=video)), "-vf").startswith("bwdif=")
    assert "bwdif" not in value_of(arguments(facts()), "-vf")


def test_sound_keeps_up_to_two_channels_and_each_track_its_name():
    tracks = (
        AudioFacts(1, "ac3", 6, "en", ""),
        AudioFacts(2, "aac", 1, "en", "Commentary", is_default=True),
        AudioFacts(3, "aac", 2, "en", ""),
    )
    plan = plan_encode(facts(audio=tracks))
    assert [(item.channels, item.audio_bps) for item in plan.audio] == [(2, 128_000), (1, 64_000), (2, 128_000)]
    assert [item.is_default for item in plan.audio] == [False, True, False]
    assert len({item.label for item in plan.audio}) == 3
    told = audio_arguments(plan, plan.audio[0], SOURCE, OUTPUT)
    assert (value_of(told, "-map"), value_of(told, "-ac"), value_of(told, "-ar")) == ("0:1", "2", "48000")


def test_tracks_are_bounded():
    plan = plan_encode(
        facts(
            audio=tuple(AudioFacts(number, "aac", 2, "und", "") for number in range(30)),
            subtitles=tuple(SubtitleFacts(number, "subrip", "und", "") for number in range(90)),
        )
    )
    assert (len(plan.audio), len(plan.text)) == (8, 32)


def test_segments_are_two_groups_long():
    assert plan_encode(facts(rate="25")).timeline.segment_s == 4
    assert plan_encode(facts(rate="30000/1001")).timeline.segment_s == Fraction(120 * 1001, 30000)
