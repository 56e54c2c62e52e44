"""`marquee import`: a catalogue file into the running titles service, with progress, counts and the unusable rows."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from common.settings import SharedSettings
from common.tokens import ensure_key_file, sign_service_token
from subgraphs.titles.imports.client import send_import
from subgraphs.titles.imports.run import ImportProgress, ImportRefused, ImportReport
from subgraphs.titles.settings import TitlesSettings

__all__ = ["ImportFailed", "run_import"]

SHOWN_REJECTS = 10


class ImportFailed(Exception):
    """The file was not imported, or only in part; the message says why and what to do."""


async def run_import(console: Console, catalogue_format: str, file: Path, rejects: Path | None) -> int:
    """Import and tell the outcome; 0 also when rows were rejected, since the rest is loaded. Raises ImportFailed."""
    settings = TitlesSettings.load()
    key_path = SharedSettings.load().keys_dir / "viewer.pem"
    if not key_path.exists():
        raise ImportFailed(f"{key_path} is missing; run `make up` first, or set MARQUEE_STATE_DIR to its state folder")
    token = sign_service_token(ensure_key_file(key_path), "catalogue-import", datetime.now(UTC))
    base_url = f"http://127.0.0.1:{settings.port}"
    started_at = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task(f"importing {file.name}", total=None)

        def show(progress: ImportProgress) -> None:
            bars.update(bar, description=f"{progress.read:,} rows read, {progress.rejected:,} rejected")

        try:
            report = await send_import(base_url, token, catalogue_format, file, show)
        except ImportRefused as error:
            raise ImportFailed(str(error)) from error
        except aiohttp.ClientConnectionError as error:
            raise ImportFailed(f"no titles service answers at {base_url}; is Marquee running (make up)?") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ImportFailed(
                f"the import broke off ({error or type(error).__name__}); start it again: what is loaded stays"
            ) from error
    _tell(console, report, time.monotonic() - started_at)
    if rejects is not None:
        listed = "".join(f"{line}\t{reason}\n" for line, reason in report.rejected)
        await asyncio.to_thread(rejects.write_text, listed)
        console.print(f"rejected rows with line and reason: {rejects}")
    return 0


def _tell(console: Console, report: ImportReport, seconds: float) -> None:
    console.print(
        f"[green]done[/] in {seconds:.1f} s: {report.created:,} created, {report.updated:,} updated, "
        f"{report.unchanged:,} unchanged, {report.matched:,} matched to known titles, "
        f"{report.rejected_count:,} rejected"
    )
    for line, reason in report.rejected[:SHOWN_REJECTS]:
        console.print(f"  line {line}: {reason}", style="dim")
    if report.rejected_count > SHOWN_REJECTS:
        console.print(f"  … and {report.rejected_count - SHOWN_REJECTS:,} more; --rejects FILE lists them", style="dim")
    if report.repaired:
        console.print(f"  {len(report.repaired):,} rows were repaired (for example a duration in the rating's column)")
