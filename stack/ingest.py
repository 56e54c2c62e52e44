"""`marquee ingest`: one film from a file to the catalogue, with a progress bar for the upload and one for the job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from common.settings import SharedSettings
from stack.demo import open_studio
from stack.studio import JobView

__all__ = ["IngestRequest", "run_ingest"]


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """What to bring in, and as what. Exactly one of `title` and `title_id` is set."""

    file: Path
    title: str | None
    title_id: str | None
    synopsis: str
    release_year: int | None
    genres: tuple[str, ...]
    is_kids: bool


async def run_ingest(console: Console, request: IngestRequest) -> int:
    """Upload, follow the job, tell the outcome; 0 when the film is published. Raises StudioError."""
    async with open_studio() as studio:
        title_id = request.title_id or await studio.create_title(
            displayName=request.title,
            synopsis=request.synopsis,
            releaseYear=request.release_year,
            genres=list(request.genres),
            isKids=request.is_kids,
        )
        columns = (TextColumn("{task.description:<44}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        with Progress(*columns, DownloadColumn(), console=console) as bars:
            upload_bar = bars.add_task(f"uploading {request.file.name}", total=request.file.stat().st_size)
            upload_id = await studio.upload(
                request.file, title_id, lambda sent, size: bars.update(upload_bar, completed=sent, total=size)
            )
        with Progress(*columns, console=console) as bars:
            job_bar = bars.add_task("waiting for a worker", total=1.0)

            def show(job: JobView) -> None:
                bars.update(job_bar, completed=job.progress_ratio, description=(job.activity or job.state)[:44])

            job = await studio.follow_job(title_id, upload_id, show)
    if job.state != "PUBLISHED":
        console.print(f"[red]not published:[/] {job.failure_reason or job.state}", soft_wrap=True)
        return 1
    shared = SharedSettings.load()
    console.print(f"[green]published[/] as {title_id}; play it at {shared.public_gateway_url}/tv/#/title/{title_id}")
    return 0
