"""The packager's MPD made ours: measured bandwidths, Clear Key signalling. Addresses stay relative to it.

`bandwidth` is the rate at which a player may start after `minBufferTime` and never run dry; the peak segment's rate
with one segment buffered guarantees that (ISO/IEC 23009-1 5.3.5.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from xml.etree import ElementTree as ET

from media_pipeline.transcoding.packaging.measured import MeasuredPackage

__all__ = ["MPD_NAMESPACE", "write_mpd"]

MPD_NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
CENC_NAMESPACE = "urn:mpeg:cenc:2013"
XSI_NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance"
MP4_PROTECTION = "urn:mpeg:dash:mp4protection:2011"
CLEAR_KEY_SCHEME = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"

_MPD = f"{{{MPD_NAMESPACE}}}"


def write_mpd(packager_mpd: str, package: MeasuredPackage, segment_s: float) -> bytes:
    """The MPD to publish; raises ValueError when the packager's names a rendition that was not measured."""
    _register_namespaces()
    root = ET.fromstring(packager_mpd)  # noqa: S314  # written by our own packager a moment ago
    root.set("minBufferTime", f"PT{segment_s:g}S")
    peaks_by_folder = {item.rendition.name: item.peak_bps for item in package.all}
    for adaptation_set in root.iter(f"{_MPD}AdaptationSet"):
        _add_clear_key(adaptation_set)
        _reduce_frame_rate(adaptation_set)
        for representation in adaptation_set.iter(f"{_MPD}Representation"):
            _set_bandwidth(representation, peaks_by_folder)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _set_bandwidth(representation: ET.Element, peaks_by_folder: Mapping[str, int]) -> None:
    template = representation.find(f"{_MPD}SegmentTemplate")
    folder = "" if template is None else template.get("media", "").partition("/")[0]
    if folder.endswith("-mp4"):
        return  # subtitles in MP4: the packager's figure holds, their few bytes are measured as WebVTT
    if folder not in peaks_by_folder:
        raise ValueError(f"the MPD names {folder!r}, which was not packaged")
    representation.set("bandwidth", str(peaks_by_folder[folder]))


def _reduce_frame_rate(adaptation_set: ET.Element) -> None:
    """The packager writes timescale over ticks per frame (12288/512); people and some players prefer 24."""
    numerator, found, denominator = adaptation_set.get("frameRate", "").partition("/")
    if found:
        adaptation_set.set("frameRate", str(Fraction(int(numerator), int(denominator))))


def _add_clear_key(adaptation_set: ET.Element) -> None:
    """Beside the general descriptor one for Clear Key; delivery adds the licence address, which is its own."""
    protections = adaptation_set.findall(f"{_MPD}ContentProtection")
    if not protections:
        return
    general = next(item for item in protections if item.get("schemeIdUri") == MP4_PROTECTION)
    clear_key = ET.Element(f"{_MPD}ContentProtection", {"schemeIdUri": CLEAR_KEY_SCHEME, "value": "ClearKey1.0"})
    adaptation_set.insert(list(adaptation_set).index(general) + 1, clear_key)


def _register_namespaces() -> None:
    """Prefixes as the packager writes them; without, the library invents ns0, which some players' parsers dislike."""
    ET.register_namespace("", MPD_NAMESPACE)
    ET.register_namespace("cenc", CENC_NAMESPACE)
    ET.register_namespace("xsi", XSI_NAMESPACE)
