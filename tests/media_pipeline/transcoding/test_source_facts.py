"""What ffprobe says becomes facts, or a refusal that an uploader understands."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_pipeline.transcoding.domain import MediaRejected
from media_pipeline.transcoding.source_facts import SourceLimits, container_of, read_facts

LIMITS = SourceLimits()


def probe(*streams: dict[str, Any], duration: str | None = "24.0") -> dict[str, Any]:
    return {
        "format": {"duration": duration} if duration else {},
        "streams": [{"index": number, **stream} for number, stream in enumerate(streams)],
    }


def video(**fields: Any) -> dict[str, Any]:
    base = {"codec_type": "video", "codec_name": "h264", "width": 1280, "height": 720, "avg_frame_rate": "24/1"}
    return {**base, **fields}


AUDIO = {"codec_type": "audio", "codec_name": "aac", "channels": 2}


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"\0\0\0\x20ftypisom", "mov"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "mov"),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0", "matroska"),
        (b"RIFF\x10\0\0\0AVI LIST", "avi"),
    ],
)
def test_containers_are_known_by_their_first_bytes(head: bytes, container: str):
    assert container_of(head) == container


@pytest.mark.parametrize(
    "head",
    [b"", b"#EXTM3U\n", b"ffconcat version 1.0\n", b"RIFF\x10\0\0\0WAVEfmt ", b"OggS", b"\x47" * 64, b"<?xml version"],
)
def test_everything_else_is_no_film(head: bytes):
    """Playlists, sound, transport streams: refused before ffmpeg sees them."""
    with pytest.raises(MediaRejected) as refused:
        container_of(head)
    assert refused.value.code == "NOT_A_VIDEO"


def test_the_picture_is_as_it_is_shown():
    """Rotation swaps the sides, pixels become square, the default track wins over a cover picture."""
    upright = video(width=1920, height=1080, side_data_list=[{"rotation": -90}])
    assert (read_facts(probe(upright), "mov", LIMITS).video.width_px) == 1080
    anamorphic = video(width=720, height=576, sample_aspect_ratio="64:45")
    assert read_facts(probe(anamorphic), "mov", LIMITS).video.width_px == 1024
    cover = video(width=500, height=500, disposition={"attached_pic": 1})
    chosen = read_facts(probe(cover, video(), video(disposition={"default": 1}, width=640, height=360)), "mov", LIMITS)
    assert (chosen.video.index, chosen.video.width_px) == (2, 640)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ("24/1", "24"),
        ("24000/1001", "24000/1001"),
        ("2997/100", "30000/1001"),
        ("119/4", "119/4"),
        ("120/1", "60"),
        ("25/2", "25/2"),
        ("0/0", "25"),
    ],
)
def test_frame_rates_become_standard_ones_where_they_nearly_are(rate: str, expected: str):
    assert read_facts(probe(video(avg_frame_rate=rate)), "mov", LIMITS).video.frame_rate == Fraction(expected)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (probe(AUDIO), "NO_PICTURE"),
        (probe(), "NO_PICTURE"),
        (probe(video(disposition={"attached_pic": 1}), AUDIO), "NO_PICTURE"),
        (probe(video(codec_name="unknown")), "UNREADABLE_PICTURE"),
        (probe(video(width=0, height=0)), "UNREADABLE_PICTURE"),
        (probe(video(width=16384, height=16384)), "PICTURE_TOO_LARGE"),
        (probe(video(avg_frame_rate="10000/1")), "FRAME_RATE_TOO_HIGH"),
        (probe(video(color_transfer="smpte2084")), "HDR_UNSUPPORTED"),
        (probe(video(), duration="36000"), "TOO_LONG"),
        (probe(video(), duration="0.04"), "TOO_SHORT"),
        (probe(video(), duration=None), "NO_DURATION"),
        (probe(video(), duration="N/A"), "NO_DURATION"),
        (probe(*[video()] * 40), "TOO_MANY_TRACKS"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(document: dict[str, Any], code: str):
    with pytest.raises(MediaRejected) as refused:
        read_facts(document, "mov", LIMITS)
    assert refused.value.code == code
    assert len(refused.value.reason) > 20


def test_tracks_keep_language_and_a_name_that_manifests_can_hold():
    tagged = {**AUDIO, "tags": {"language": "GER", "title": 'Director\'s "cut", part=1\n'}}
    odd = {**AUDIO, "tags": {"language": "../../etc"}}
    picture_subtitles = {"codec_type": "subtitle", "codec_name": "hdmv_pgs_subtitle"}
    text_subtitles = {"codec_type": "subtitle", "codec_name": "subrip", "disposition": {"forced": 1}}
    found = read_facts(probe(video(), tagged, odd, picture_subtitles, text_subtitles), "matroska", LIMITS)
    assert [track.language for track in found.audio] == ["de", "und"]
    assert found.audio[0].label == "Director's cut part1"
    assert [(track.index, track.is_forced) for track in found.subtitles] == [(4, True)]


@given(st.none() | st.integers(-10, 10**9) | st.floats() | st.text(max_size=8))
def test_odd_texts_where_numbers_should_be_are_refused_or_ignored(value: Any):
    """Rates, aspects and durations of damaged files are any text; nothing but facts or a refusal comes of it."""
    text = str(value)
    stream = video(avg_frame_rate=text, r_frame_rate=text, sample_aspect_ratio=text, duration=text)
    try:
        found = read_facts(probe(stream, duration=text), "mov", LIMITS)
    except MediaRejected:
        return
    assert 1 <= found.video.frame_rate <= 60
    assert 0 < found.duration_s <= LIMITS.max_duration_s
