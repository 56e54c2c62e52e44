"""What a stored manifest becomes for one session. Pure: text in, text out.

Added: every pathway with absolute addresses, the steering address, the licence address (DASH). Removed: renditions
above the session's limit. Stored manifests are written by this product, so only its own forms are read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from media_pipeline.media.asset_layout import rendition_lines

__all__ = ["SessionPathway", "SessionView", "write_session_master", "write_session_mpd"]

MPD_NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
DASHIF_NAMESPACE = "https://dashif.org/CPS"
CLEAR_KEY_NAMESPACE = "http://dashif.org/guidelines/clearKey"
CLEAR_KEY_SCHEME = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"
SWITCHING_SCHEME = "urn:mpeg:dash:adaptation-set-switching:2016"
_MPD = f"{{{MPD_NAMESPACE}}}"
_NAMESPACES = {
    "": MPD_NAMESPACE,
    "cenc": "urn:mpeg:cenc:2013",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "dashif": DASHIF_NAMESPACE,
    "ck": CLEAR_KEY_NAMESPACE,
}
_QUOTED_GROUP = re.compile(r'\b(GROUP-ID|AUDIO|SUBTITLES)="([^"]*)"')
_QUOTED_URI = re.compile(r'\bURI="([^"]*)"')


@dataclass(frozen=True, slots=True)
class SessionPathway:
    """One pathway of this session. `folder_url` is where the manifest's relative addresses begin; it ends in "/"."""

    id: str
    folder_url: str


@dataclass(frozen=True, slots=True)
class SessionView:
    """What to add and remove.

    `pathways` is ordered, best first; empty: nothing is known of them, addresses stay relative. `max_lines` 0: no
    limit.
    """

    pathways: Sequence[SessionPathway]
    hls_steering_url: str
    dash_steering_url: str
    licence_url: str
    max_lines: int = 0


def write_session_master(stored: str, view: SessionView) -> str:
    """The multivariant playlist for a session."""
    head, media, variants = _split_master(stored, view.max_lines)
    if not view.pathways:
        return "\n".join([*head, *media, *(line for pair in variants for line in pair)]) + "\n"
    lines = [*head]
    lines.append(f'#EXT-X-CONTENT-STEERING:SERVER-URI="{view.hls_steering_url}",PATHWAY-ID="{view.pathways[0].id}"')
    for pathway in view.pathways:
        lines += [_on_pathway(line, pathway) for line in media]
    for pathway in view.pathways:
        for stream_line, uri in variants:
            lines += [f'{_on_pathway(stream_line, pathway)},PATHWAY-ID="{pathway.id}"', f"{pathway.folder_url}{uri}"]
    return "\n".join(lines) + "\n"


def write_session_mpd(stored: bytes, view: SessionView) -> bytes:
    """The MPD for a session."""
    for prefix, namespace in _NAMESPACES.items():
        ET.register_namespace(prefix, namespace)
    root = ET.fromstring(stored)  # noqa: S314  # written by our own worker, entities are never expanded from outside
    _drop_larger(root, view.max_lines)
    for protection in root.iter(f"{_MPD}ContentProtection"):
        if protection.get("schemeIdUri") == CLEAR_KEY_SCHEME:
            # two names for one thing: players read one or the other
            for namespace in (DASHIF_NAMESPACE, CLEAR_KEY_NAMESPACE):
                element = ET.SubElement(protection, f"{{{namespace}}}Laurl", {"Lic_type": "EME-1.0"})
                element.text = view.licence_url
    if view.pathways:
        _add_pathways(root, view)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _split_master(stored: str, max_lines: int) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """General tags, EXT-X-MEDIA lines, and variants as (STREAM-INF, address) within the limit."""
    head: list[str] = []
    media: list[str] = []
    variants: list[tuple[str, str]] = []
    stream_line = ""
    for line in filter(None, stored.splitlines()):
        if line.startswith("#EXT-X-MEDIA:"):
            media.append(line)
        elif line.startswith("#EXT-X-STREAM-INF:"):
            stream_line = line
        elif line.startswith("#"):
            head.append(line)
        elif not max_lines or rendition_lines(line) <= max_lines:
            variants.append((stream_line, line))
    return head, media, variants


def _on_pathway(line: str, pathway: SessionPathway) -> str:
    """A tag on one pathway. Its groups get names of their own, or changing pathway would only move the picture."""
    line = _QUOTED_GROUP.sub(rf'\1="\2_{pathway.id}"', line)
    return _QUOTED_URI.sub(rf'URI="{pathway.folder_url}\1"', line)


def _add_pathways(root: ET.Element, view: SessionView) -> None:
    """BaseURLs in the MPD's first place, the steering element after them."""
    elements: list[ET.Element] = []
    for pathway in view.pathways:
        base_url = ET.Element(f"{_MPD}BaseURL", {"serviceLocation": pathway.id})
        base_url.text = pathway.folder_url
        elements.append(base_url)
    steering = ET.Element(
        f"{_MPD}ContentSteering",
        {"defaultServiceLocation": view.pathways[0].id, "queryBeforeStart": "false"},
    )
    steering.text = view.dash_steering_url
    for place, element in enumerate([*elements, steering]):
        root.insert(place, element)


def _drop_larger(root: ET.Element, max_lines: int) -> None:
    if not max_lines:
        return
    dropped_ids: set[str] = set()
    for period in root.iter(f"{_MPD}Period"):
        for adaptation_set in period.findall(f"{_MPD}AdaptationSet"):
            for representation in adaptation_set.findall(f"{_MPD}Representation"):
                template = representation.find(f"{_MPD}SegmentTemplate")
                if template is not None and rendition_lines(template.get("media", "")) > max_lines:
                    adaptation_set.remove(representation)
            if adaptation_set.find(f"{_MPD}Representation") is None:
                dropped_ids.add(adaptation_set.get("id", ""))
                period.remove(adaptation_set)
    for adaptation_set in root.iter(f"{_MPD}AdaptationSet"):
        for switching in adaptation_set.findall(f"{_MPD}SupplementalProperty"):
            if switching.get("schemeIdUri") == SWITCHING_SCHEME:
                left = [name for name in switching.get("value", "").split(",") if name not in dropped_ids]
                switching.set("value", ",".join(left))
                if not left:
                    adaptation_set.remove(switching)
