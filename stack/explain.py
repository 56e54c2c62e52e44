"""`marquee explain`: why an answer is as it is, printed stage by stage."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(help="Print why an answer is as it is.", no_args_is_help=True)


@app.callback()
def explain() -> None:
    """Print why an answer is as it is."""


@app.command()
def search(
    text: Annotated[str, typer.Argument(help='What somebody types, as "80s french comedies".')],
    *,
    places: Annotated[bool, typer.Option("--places", help="And where each part may be found, with its worth.")] = False,
) -> None:
    """How a search is read: years, kinds, genres and origins, other spellings, and the names that may be meant."""
    from subgraphs.titles.domain.explaining import explain_places, explain_reading

    print(explain_reading(text))
    if places:
        print(*explain_places(text), sep="\n")
