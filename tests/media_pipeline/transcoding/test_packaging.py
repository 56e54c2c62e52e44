"""Manifests from measured packages: rates, order, key tags, and the proof that they hold together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_pipeline.media.protection import KeyClass
from media_pipeline.media.rendition import AudioRendition, TextRendition, VideoRendition
from media_pipeline.media.segment import Segment, average_bps, peak_bps
from media_pipeline.transcoding.packaging.check import check_package
from media_pipeline.transcoding.packaging.dash import write_mpd
from media_pipeline.transcoding.packaging.hls import write_master, write_media_playlist
from media_pipeline.transcoding.packaging.measured import MeasuredPackage, MeasuredRendition, measure_package
from media_pipeline.transcoding.packaging.playlist_text import (
    MediaPlaylist,
    PlaylistSegment,
    read_attributes,
    read_media_playlist,
)

SD, HD = VideoRendition(480, 854, 480, 1_000_000), VideoRendition(720, 1280, 720, 2_500_000)
ENGLISH = AudioRendition(0, "en", 2, 128_000, "English", is_default=True)
FRENCH = AudioRendition(1, "fr", 2, 128_000, "Français")
GERMAN_TEXT = TextRendition(0, "de", "Deutsch")


def measured(rendition: Any, *sizes_bytes: int, seconds: float = 4.0) -> MeasuredRendition:
    names = [f"{number:05d}.m4s" for number in range(1, len(sizes_bytes) + 1)]
    playlist = MediaPlaylist("init.mp4", tuple(PlaylistSegment(name, seconds, f"{seconds:.3f}") for name in names))
    segments = tuple(Segment(name, seconds, size) for name, size in zip(names, sizes_bytes, strict=True))
    codecs = "avc1.64001f,mp4a.40.2" if isinstance(rendition, VideoRendition) else ""
    return MeasuredRendition(rendition, playlist, segments, codecs, "24.000")


PACKAGE = MeasuredPackage(
    video=(measured(SD, 100_000, 200_000), measured(HD, 400_000, 800_000)),
    audio=(measured(ENGLISH, 60_000, 64_000), measured(FRENCH, 50_000, 70_000)),
    text=(measured(GERMAN_TEXT, 100, 50),),
)


def stream_lines(master: str) -> dict[str, dict[str, str]]:
    lines = master.splitlines()
    return {
        lines[number + 1]: read_attributes(line)
        for number, line in enumerate(lines)
        if line.startswith("#EXT-X-STREAM-INF")
    }


def test_bandwidth_is_the_measured_peak_of_the_largest_combination():
    """Peak picture + largest peak sound + subtitles; the average likewise."""
    streams = stream_lines(write_master(PACKAGE))
    assert streams["video-720/playlist.m3u8"]["BANDWIDTH"] == str((800_000 + 70_000 + 100) * 8 // 4)
    assert streams["video-720/playlist.m3u8"]["AVERAGE-BANDWIDTH"] == str((1_200_000 + 124_000 + 150) * 8 // 8)
    assert streams["video-480/playlist.m3u8"]["BANDWIDTH"] == str((200_000 + 70_000 + 100) * 8 // 4)


def test_the_master_names_true_sizes_and_begins_with_a_safe_rung():
    streams = stream_lines(write_master(PACKAGE))
    assert list(streams) == ["video-480/playlist.m3u8", "video-720/playlist.m3u8"]
    assert streams["video-480/playlist.m3u8"]["RESOLUTION"] == "854x480"
    assert streams["video-480/playlist.m3u8"]["FRAME-RATE"] == "24.000"
    assert streams["video-480/playlist.m3u8"]["CODECS"] == '"avc1.64001f,mp4a.40.2"'


def test_renditions_are_grouped_with_one_default():
    media = [read_attributes(line) for line in write_master(PACKAGE).splitlines() if line.startswith("#EXT-X-MEDIA:")]
    sound = [attributes for attributes in media if attributes["TYPE"] == "AUDIO"]
    assert [attributes["DEFAULT"] for attributes in sound] == ["YES", "NO"]
    assert len({attributes["NAME"] for attributes in sound}) == 2
    assert {attributes["GROUP-ID"] for attributes in sound} == {'"audio"'}
    assert all(attributes["AUTOSELECT"] == "YES" for attributes in media)


def test_a_media_playlist_is_finished_and_its_target_covers_every_segment():
    playlist = write_media_playlist(measured(SD, 1, 1, seconds=4.5), {})
    assert "#EXT-X-TARGETDURATION:5\n" in playlist
    assert "#EXT-X-KEY" not in playlist
    assert playlist.endswith("#EXT-X-ENDLIST\n")
    assert read_media_playlist(playlist) == measured(SD, 1, 1, seconds=4.5).playlist


def test_encrypted_playlists_name_their_key_as_players_read_it():
    """One tag per playlist, before the init segment, with the key id of its class."""
    key_ids = {KeyClass.SD: b"\x01" * 16, KeyClass.HD: b"\x02" * 16, KeyClass.AUDIO: b"\x03" * 16}
    for item, key_id in ((PACKAGE.video[0], b"\x01"), (PACKAGE.video[1], b"\x02"), (PACKAGE.audio[0], b"\x03")):
        playlist = write_media_playlist(item, key_ids)
        assert playlist.index("#EXT-X-KEY") < playlist.index("#EXT-X-MAP")
        attributes = read_attributes(next(line for line in playlist.splitlines() if line.startswith("#EXT-X-KEY")))
        assert attributes["METHOD"] == "SAMPLE-AES-CTR"
        assert attributes["KEYFORMAT"] == '"org.w3.clearkey"'
        assert attributes["KEYID"] == "0x" + (key_id * 16).hex().upper()
    assert "#EXT-X-KEY" not in write_media_playlist(PACKAGE.text[0], key_ids)


MPD = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:cenc="urn:mpeg:cenc:2013" minBufferTime="PT2S"><Period>
<AdaptationSet contentType="video">
<ContentProtection value="cenc" schemeIdUri="urn:mpeg:dash:mp4protection:2011"
cenc:default_KID="00000000-0000-0000-0000-000000000001"/> <Representation id="0" bandwidth="1"><SegmentTemplate
media="video-480/$Number%05d$.m4s"/></Representation> </AdaptationSet>
<AdaptationSet contentType="text"><Representation id="1" bandwidth="7"><SegmentTemplate
media="text-0-mp4/x.m4s"/></Representation></AdaptationSet>
</Period></MPD>"""


def test_the_mpd_gets_measured_rates_and_clear_key():
    text = write_mpd(MPD, PACKAGE, 4.0).decode()
    assert 'bandwidth="400000"' in text
    assert 'bandwidth="7"' in text
    assert 'minBufferTime="PT4S"' in text
    assert '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"' in text
    assert text.count('schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e" value="ClearKey1.0"') == 1
    assert ET.fromstring(text) is not None


def test_an_mpd_with_an_unknown_rendition_is_refused():
    with pytest.raises(ValueError, match="video-999"):
        write_mpd(MPD.replace("video-480", "video-999"), PACKAGE, 4.0)


def test_problems_are_found_before_publication(tmp_path: Path):
    (tmp_path / "video-480").mkdir()
    (tmp_path / "video-480" / "init.mp4").touch()
    good = MeasuredPackage((measured(SD, 10, 10),), (), ())
    assert check_package(tmp_path, good) == []
    empty = MeasuredPackage((measured(SD, 10, 0),), (), ())
    uneven = MeasuredPackage((measured(SD, 10, 10), measured(SD, 10)), (), ())
    shifted = MeasuredPackage((measured(SD, 10, 10), measured(SD, 10, 10, seconds=4.1)), (), ())
    no_init = MeasuredPackage((measured(HD, 10),), (), ())
    for package, word in (
        (empty, "empty"),
        (uneven, "segments"),
        (shifted, "lasts"),
        (no_init, "init"),
        (MeasuredPackage((), (), ()), "no video"),
    ):
        assert any(word in problem for problem in check_package(tmp_path, package)), word


def test_a_package_is_measured_from_its_files(tmp_path: Path):
    (tmp_path / "video-480").mkdir()
    (tmp_path / "video-480" / "00001.m4s").write_bytes(b"x" * 500)
    (tmp_path / "video-480" / "playlist.m3u8").write_text(
        '#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4.000,\n00001.m4s\n'
    )
    (tmp_path / "master.m3u8").write_text(
        '#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.4d401f,mp4a.40.2",FRAME-RATE=25.000\nvideo-480/playlist.m3u8\n'
    )
    [video] = measure_package(tmp_path, [SD]).video
    assert (video.codecs, video.frame_rate, video.peak_bps, video.duration_s) == (
        "avc1.4d401f,mp4a.40.2",
        "25.000",
        1000,
        4.0,
    )


segments = st.lists(
    st.builds(Segment, st.just("s"), st.floats(0.1, 10), st.integers(0, 10**7)), min_size=1, max_size=30
)


@given(segments)
def test_no_segment_long_enough_to_be_rated_exceeds_the_peak(segments: list[Segment]):
    longest_s = max(segment.duration_s for segment in segments)
    peak = peak_bps(segments)
    rated = [segment for segment in segments if segment.duration_s >= longest_s / 2]
    assert all(segment.size_bytes * 8 / segment.duration_s <= peak for segment in rated)
    assert peak <= max(segment.size_bytes * 8 / segment.duration_s for segment in rated) + 1
    assert average_bps(segments) >= 0


def test_attribute_lists_survive_commas_in_quotes():
    assert read_attributes('#EXT-X-X:A="1,2",B=3') == {"A": '"1,2"', "B": "3"}
    assert re.fullmatch(r"\d+", read_attributes("#EXT-X-X:BANDWIDTH=12")["BANDWIDTH"])
