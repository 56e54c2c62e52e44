"""Stored manifests become a session's: pathways, steering, licence, limit."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from media_pipeline.delivery.session_manifests import (
    SessionPathway,
    SessionView,
    write_session_master,
    write_session_mpd,
)

MASTER = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS

#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="English",DEFAULT=YES,AUTOSELECT=YES,URI="audio-0/playlist.m3u8"

#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.64001f,mp4a.40.2",AUDIO="audio"
video-480/playlist.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2,CODECS="avc1.64001f,mp4a.40.2",AUDIO="audio"
video-720/playlist.m3u8
"""

MPD = b"""<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period id="0">
<AdaptationSet id="0" contentType="video">
<ContentProtection schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e" value="ClearKey1.0"/>
<SupplementalProperty schemeIdUri="urn:mpeg:dash:adaptation-set-switching:2016" value="1"/>
<Representation id="0"><SegmentTemplate media="video-480/$Number%05d$.m4s"/></Representation></AdaptationSet>
<AdaptationSet id="1" contentType="video">
<SupplementalProperty schemeIdUri="urn:mpeg:dash:adaptation-set-switching:2016" value="0"/>
<Representation id="1"><SegmentTemplate media="video-720/$Number%05d$.m4s"/></Representation></AdaptationSet>
<AdaptationSet id="2" contentType="audio"><Representation id="2"><SegmentTemplate
media="audio-0/x"/></Representation></AdaptationSet>
</Period></MPD>"""


def view(*pathways: str, max_lines: int = 0) -> SessionView:
    return SessionView(
        [SessionPathway(name, f"http://{name}.test/media/T/assets/A/clear/") for name in pathways],
        "http://s.test/steering/T/hls.json",
        "http://s.test/steering/T/dash.json",
        "http://l.test/licence/clearkey",
        max_lines,
    )


def test_every_variant_is_there_on_every_pathway_best_first():
    """Groups are told apart by pathway, or a switch would move the picture and not the sound."""
    lines = write_session_master(MASTER, view("b", "a")).splitlines()
    steering = '#EXT-X-CONTENT-STEERING:SERVER-URI="http://s.test/steering/T/hls.json",PATHWAY-ID="b"'
    assert lines.count(steering) == 1
    urls = [line for line in lines if not line.startswith("#")]
    assert urls == [
        f"http://{name}.test/media/T/assets/A/clear/video-{size}/playlist.m3u8"
        for name in ("b", "a")
        for size in (480, 720)
    ]
    for name in ("a", "b"):
        assert sum(f'AUDIO="audio_{name}",PATHWAY-ID="{name}"' in line for line in lines) == 2
        assert sum(f'GROUP-ID="audio_{name}"' in line and f'URI="http://{name}.test/' in line for line in lines) == 1


def test_without_pathways_addresses_stay_relative():
    text = write_session_master(MASTER, view())
    assert "CONTENT-STEERING" not in text
    assert "\nvideo-480/playlist.m3u8\n" in text


def test_larger_renditions_are_not_listed():
    assert "video-720" not in write_session_master(MASTER, view("a", max_lines=480))
    text = write_session_mpd(MPD, view("a", max_lines=480)).decode()
    assert "video-720" not in text
    assert "video-480" in text
    assert "audio-0" in text
    assert "adaptation-set-switching" not in text


def test_the_mpd_has_pathways_then_steering_then_periods():
    root = ET.fromstring(write_session_mpd(MPD, view("b", "a")))
    tags = [child.tag.rpartition("}")[2] for child in root]
    assert tags == ["BaseURL", "BaseURL", "ContentSteering", "Period"]
    assert [child.get("serviceLocation") for child in root][:2] == ["b", "a"]
    assert root[2].text == "http://s.test/steering/T/dash.json"
    assert (root[2].get("defaultServiceLocation"), root[2].get("queryBeforeStart")) == ("b", "false")


def test_the_licence_address_is_named_in_both_ways_that_players_read():
    root = ET.fromstring(write_session_mpd(MPD, view()))
    found = [element for element in root.iter() if element.tag.endswith("Laurl")]
    assert {element.tag for element in found} == {
        "{https://dashif.org/CPS}Laurl",
        "{http://dashif.org/guidelines/clearKey}Laurl",
    }
    assert {element.text for element in found} == {"http://l.test/licence/clearkey"}
    assert {element.get("Lic_type") for element in found} == {"EME-1.0"}
