"""`marquee`: everything that a person types; the gateway's own commands (compose, plan, …) are mounted as they are."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from common.settings import SettingsInvalid
from gateway.cli import app as gateway_app
from stack.artwork_commands import app as artwork_app
from stack.evaluate import app as evaluate_app
from stack.event_commands import app as events_app
from stack.experiment_commands import app as experiments_app
from stack.explain import app as explain_app
from stack.failing import fail
from stack.key_commands import keys
from stack.model_commands import app as models_app
from stack.model_commands import train
from stack.search_report import search_log

if TYPE_CHECKING:
    from stack.processes import ProcessRow

__all__ = ["app", "main"]

app = typer.Typer(
    name="marquee",
    help="A federated GraphQL backend for the screens of a streaming service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in gateway_app.registered_commands:
    app.registered_commands.append(command)
app.add_typer(artwork_app, name="artwork")
app.add_typer(events_app, name="events")
app.add_typer(keys)
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(experiments_app, name="experiments")
app.add_typer(explain_app, name="explain")
app.add_typer(models_app, name="models")
app.command()(train)
app.command(name="search-log")(search_log)

console = Console(highlight=False, soft_wrap=True)


@app.command()
def up(
    demo: Annotated[bool, typer.Option(help="Seed the demo catalogue, accounts and film.")] = True,
    servers: Annotated[
        bool,
        typer.Option(
            "--servers",
            help="On PostgreSQL, MongoDB, OpenSearch and Redis instead of the embedded stores: yours where their "
            "addresses are set (MARQUEE_PROFILES_DATABASE_URL, …), else what is installed, in the state folder.",
        ),
    ] = False,
) -> None:
    """Start everything on this machine and stay until Ctrl-C."""
    from stack.servers import ServersMissing
    from stack.supervisor import PortTaken, StartFailed
    from stack.up import run_up

    try:
        raise typer.Exit(run_up(console, demo=demo, servers=servers))
    except (PortTaken, StartFailed, SettingsInvalid, ServersMissing) as error:
        fail(str(error))


@app.command()
def run(process: Annotated[str, typer.Argument(help="One of those that `marquee up` starts, e.g. profiles.")]) -> None:
    """Run one process alone, as on a machine of its own, until SIGTERM; see `marquee settings PROCESS`."""
    from stack.entries import run_alone

    try:
        run_alone(_row(process))
    except SettingsInvalid as error:
        fail(str(error))


@app.command()
def health(
    process: Annotated[str, typer.Argument(help="One of those that `marquee up` starts, e.g. profiles.")],
    timeout: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds to wait for its answer.")] = 3.0,
) -> None:
    """Ask a process on this machine whether it can work: exit code 0 or 1, for health checks."""
    from stack.health import NotHealthy, check_health

    try:
        print(asyncio.run(check_health(_row(process), timeout)))
    except (NotHealthy, SettingsInvalid) as error:
        fail(f"{process}: {error}")


@app.command()
def gateway(
    supergraph: Annotated[Path | None, typer.Option(help="Supergraph SDL, of any composer.")] = None,
    subgraphs: Annotated[Path | None, typer.Option(help="JSON list of {name, url, sdl} to compose instead.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535)] = 4000,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
) -> None:
    """Run the gateway alone, in front of anybody's subgraphs."""
    from gateway.cli import serve

    serve(supergraph=supergraph, subgraphs=subgraphs, port=port, host=host)


@app.command()
def ingest(
    file: Annotated[Path, typer.Argument(help="The film: MP4, MOV, MKV or AVI, at most 10 GB.")],
    title: Annotated[str | None, typer.Option(help="Name of the title to create.")] = None,
    title_id: Annotated[str | None, typer.Option(help="Give the film to this title instead of creating one.")] = None,
    synopsis: Annotated[str, typer.Option(help="What it is about.")] = "",
    year: Annotated[int | None, typer.Option(help="Year of release.")] = None,
    genre: Annotated[list[str] | None, typer.Option(help="May be given several times.")] = None,
    kids: Annotated[bool, typer.Option(help="Suitable for kids profiles.")] = False,
) -> None:
    """Upload a film, transcode it and publish it, with progress.

    Logs in as MARQUEE_STACK_STUDIO_EMAIL with MARQUEE_STACK_STUDIO_PASSWORD; unset, as the demo's studio account.
    """
    from stack.ingest import IngestRequest, run_ingest
    from stack.studio import StudioError

    if (title is None) == (title_id is None):
        fail("give either --title NAME (a new title) or --title-id ID (an existing one)")
    if not file.is_file():
        fail(f"{file} is no file")
    request = IngestRequest(file, title, title_id, synopsis, year, tuple(genre or ()), kids)
    try:
        raise typer.Exit(asyncio.run(run_ingest(console, request)))
    except (StudioError, SettingsInvalid) as error:
        fail(str(error))


@app.command(name="import")
def import_catalogue(
    catalogue_format: Annotated[
        str | None,
        typer.Argument(
            metavar="FORMAT", help="feed (docs/feed_format.md), wikipedia, netflix, tvmaze, tvmaze-episodes"
        ),
    ] = None,
    file: Annotated[Path | None, typer.Argument(help="The file, plain or .gz")] = None,
    show: Annotated[str | None, typer.Option(help="TVmaze's number of the show that tvmaze-episodes are of.")] = None,
    allow_removals: Annotated[
        bool, typer.Option("--allow-removals", help="Also when a full feed lacks many titles, or may be cut off.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Instead of a file: go on with the last import that was broken off.")
    ] = False,
    import_id: Annotated[str | None, typer.Option("--id", help="With --resume: this import.")] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Write every rejected or repaired row with line and reason here, as JSON lines.")
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a feed's lines and end.")] = False,
) -> None:
    """Import a catalogue into the running titles service; a second import of the same file changes nothing.

    Ctrl-C cancels it; what is loaded by then stays.
    """
    from stack.catalogue_import import ImportFailed, ImportOrder, run_import
    from subgraphs.titles.imports import CatalogueFormat
    from subgraphs.titles.imports.feed_records import feed_schema

    if schema:
        print(json.dumps(feed_schema(), indent=2))
        return
    known = list(CatalogueFormat)
    if resume and (catalogue_format is not None or show is not None or allow_removals):
        fail("--resume goes on with the same file and options; give an --id or nothing beside it")
    if not resume and (catalogue_format is None or file is None or import_id is not None):
        fail("give a FORMAT and a FILE, or --resume; see `marquee import --help`")
    if catalogue_format is not None and catalogue_format not in known:
        fail(f"format is {catalogue_format!r}; known are {', '.join(known)}")
    if file is not None and not file.is_file():
        fail(f"{file} is no file")
    chosen = None if catalogue_format is None else CatalogueFormat(catalogue_format)
    order = ImportOrder(chosen, file, show, allow_removals, import_id, rejects)
    try:
        raise typer.Exit(asyncio.run(run_import(console, order)))
    except (ImportFailed, SettingsInvalid) as error:
        fail(str(error))


@app.command()
def reindex() -> None:
    """Rebuild the running titles service's search index, with progress; searches go on meanwhile."""
    from stack.reindex import ReindexFailed, run_reindex

    try:
        print(f"indexed {asyncio.run(run_reindex(console)):,} titles")
    except (ReindexFailed, SettingsInvalid) as error:
        fail(str(error))


@app.command()
def token(
    minutes: Annotated[int, typer.Option(min=1, max=60, help="Life of the token.")] = 10,
) -> None:
    """Print a service token for the internal gRPC services (metadata `authorization: Bearer …`)."""
    from common.settings import SharedSettings
    from common.tokens import ensure_key_file, sign_service_token

    try:
        path = SharedSettings.load().keys_dir / "viewer.pem"
    except SettingsInvalid as error:
        fail(str(error))
    if not path.exists():
        fail(f"{path} is missing; run `make up` once, or set MARQUEE_STATE_DIR to its state folder")
    print(sign_service_token(ensure_key_file(path), "operator", datetime.now(UTC), timedelta(minutes=minutes)))


@app.command()
def secrets(folder: Annotated[Path, typer.Argument(help="As docker-compose.yml names it: deploy/secrets.")]) -> None:
    """Make the passwords and keys that docker-compose.yml mounts; those that are there stay as they are."""
    from stack.deployment_secrets import make_secrets

    try:
        added = make_secrets(folder)
    except OSError as error:
        fail(f"{folder}: {error.strerror or error}")
    print(f"{folder}: made {', '.join(added)}" if added else f"{folder}: nothing was missing")
    print("Keep a copy of master.key elsewhere: without it encrypted films never play again.")


@app.command()
def settings(
    process: Annotated[str | None, typer.Argument(help="Of one process only, e.g. gateway.")] = None,
) -> None:
    """Print every environment variable with its default and meaning, as Markdown."""
    from stack.settings_reference import PROCESS_SETTINGS, write_settings_reference

    if process is not None and process not in PROCESS_SETTINGS:
        fail(f"no process is called {process!r}; known are {', '.join(PROCESS_SETTINGS)}")
    print(write_settings_reference(process), end="")


def _row(process: str) -> ProcessRow:
    from stack.processes import PROCESS_TABLE

    row = next((each for each in PROCESS_TABLE if each.name == process), None)
    if row is None:
        fail(f"no process is called {process!r}; known are {', '.join(each.name for each in PROCESS_TABLE)}")
    return row


def main() -> None:
    """The console script."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
