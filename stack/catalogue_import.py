"""`marquee import`: a catalogue file into the running titles service, with progress, counts and the unusable rows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from common.settings import SharedSettings
from common.tokens import ensure_key_file, sign_service_token
from subgraphs.titles.imports import CatalogueFormat, ImportJob, ImportRefused, JobState
from subgraphs.titles.imports.client import FollowedImport, ImportClient
from subgraphs.titles.settings import TitlesSettings

__all__ = ["ImportFailed", "ImportOrder", "run_import"]

SHOWN_REJECTS = 10
CANCEL_TIMEOUT_S = 10.0


class ImportFailed(Exception):
    """The file was not imported, or only in part; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """A file to import, or without one an import to resume: `import_id`, or the last that was broken off.

    `rejects` is a file for the report; `show` goes with TVmaze's episodes.
    """

    catalogue_format: CatalogueFormat | None = None
    file: Path | None = None
    show: str | None = None
    is_removal_allowed: bool = False
    import_id: str | None = None
    rejects: Path | None = None


async def run_import(console: Console, order: ImportOrder) -> int:
    """Import and tell the outcome; 0 also when rows were rejected, since the rest is loaded. Raises ImportFailed."""
    settings = TitlesSettings.load()
    key_path = SharedSettings.load().keys_dir / "viewer.pem"
    if not key_path.exists():
        raise ImportFailed(f"{key_path} is missing; run `make up` first, or set MARQUEE_STATE_DIR to its state folder")
    key = ensure_key_file(key_path)
    base_url = f"http://127.0.0.1:{settings.port}"

    def sign_token() -> str:
        return sign_service_token(key, "catalogue-import", datetime.now(UTC))

    begun: FollowedImport | None = None
    try:
        async with ImportClient.open(base_url, sign_token) as client:
            begun = await _begun(client, order)
            ended = await _followed(console, client, begun)
            _tell(console, ended)
            if order.rejects is not None:
                await client.save_rejects(ended.job.id, order.rejects)
                console.print(f"rejected and repaired rows with line and reason: {order.rejects}")
    except ImportRefused as error:
        raise ImportFailed(str(error)) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        if begun is None:
            raise ImportFailed(
                f"no titles service takes the file at {base_url} ({error or type(error).__name__}); is Marquee running "
                "(make up)?"
            ) from error
        raise ImportFailed(
            f"the titles service was lost sight of ({error or type(error).__name__}); what is loaded stays. Once it "
            f"runs, `marquee import --resume --id {begun.job.id}` goes on if the import has stopped"
        ) from error
    except OSError as error:
        raise ImportFailed(f"{error.filename}: {error.strerror}") from error
    return 0 if ended.job.held_removals is None else 1


async def _begun(client: ImportClient, order: ImportOrder) -> FollowedImport:
    if order.file is None or order.catalogue_format is None:
        return await client.resume(order.import_id)
    return await client.start(
        order.catalogue_format, order.file, show=order.show, is_removal_allowed=order.is_removal_allowed
    )


async def _followed(console: Console, client: ImportClient, begun: FollowedImport) -> FollowedImport:
    """The import's end; when this is cancelled (Ctrl-C), so is the import."""
    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    newest = begun
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task(begun.job.file_name, total=begun.job.size_bytes or None)
        try:
            async for newest in client.follow(begun.job.id):
                _show(bars, bar, newest.job)
        except asyncio.CancelledError:
            async with asyncio.timeout(CANCEL_TIMEOUT_S):
                newest = await client.cancel(begun.job.id)
    return newest


def _show(bars: Progress, bar: TaskID, job: ImportJob) -> None:
    seconds = ((job.ended_at or datetime.now(UTC)) - job.started_at).total_seconds()
    rate = (job.progress.read - job.rows_before) / max(seconds, 0.001)
    bars.update(
        bar,
        completed=job.progress.bytes_read,
        description=f"{job.progress.read:,} rows read, {job.progress.rejected:,} rejected, {rate:,.0f} rows/s",
    )


def _tell(console: Console, ended: FollowedImport) -> None:
    """Counts and the first rejects; raises ImportFailed for an import that is not done."""
    job = ended.job
    progress, taken = job.progress, job.progress.taken
    if job.state is JobState.REFUSED:
        raise ImportFailed(f"{job.file_name}: {job.message}")
    seconds = 0.0 if job.ended_at is None else (job.ended_at - job.started_at).total_seconds()
    word = "[green]done[/]" if job.state is JobState.DONE else f"[yellow]{job.state.lower()}[/]"
    console.print(
        f"{word} after {seconds:.1f} s: {taken.created:,} created, {taken.updated:,} updated, "
        f"{taken.unchanged:,} unchanged, {taken.matched:,} matched to known titles, {progress.removed:,} removed, "
        f"{progress.rejected:,} rejected, {progress.repaired:,} repaired"
    )
    for reject in ended.first_rejects[:SHOWN_REJECTS]:
        console.print(f"  line {reject.line} {reject.outcome}: {reject.reason}", style="dim", markup=False)
    if (more := progress.rejected + progress.repaired - SHOWN_REJECTS) > 0:
        console.print(f"  … and {more:,} more; --rejects FILE writes all of them", style="dim")
    if job.held_removals is not None:
        console.print(
            f"[yellow]nothing was removed:[/] {job.held_removals}. If that is meant, import it with --allow-removals"
        )
    if job.state is not JobState.DONE:
        raise ImportFailed(
            f"{job.message}; `marquee import --resume --id {job.id}` goes on behind row {progress.read:,}"
        )
