"""`marquee explain`: why an answer is as it is, printed stage by stage."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import typer

__all__ = ["app"]

Screen = Literal["tv", "phone", "tablet", "browser"]
Kind = Literal["home", "movies", "series", "kids", "genre", "more_like_this"]

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


@app.command()
def page(
    *,
    profile: Annotated[str, typer.Option(help="Id of the profile, as prof_….")],
    device: Annotated[Screen, typer.Option(help="A common screen of this kind.")] = "tv",
    kind: Annotated[Kind, typer.Option(help="Which page.")] = "home",
    genre: Annotated[str | None, typer.Option(help="Id of the genre, for genre pages.")] = None,
    title: Annotated[str | None, typer.Option(help="Id of the title, for more_like_this pages.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with all cards' numbers.")] = False,
) -> None:
    """Why a profile's page is as it is: each row's worth and rules, each card's scores and cause, and what lost.

    Asks the running service, by the keys and the store of profiles of this machine (MARQUEE_STATE_DIR).
    """
    import msgspec

    from common.settings import SettingsInvalid
    from stack.explain_page import ExplainFailed, PageQuestion, ask_for_explanation
    from subgraphs.recommendations.pages.explanation_in_words import write_explanation

    question = PageQuestion(profile, device, kind.upper(), genre, title)
    try:
        explained = asyncio.run(ask_for_explanation(question))
    except (ExplainFailed, SettingsInvalid) as error:
        typer.echo(f"marquee: {error}", err=True)
        raise typer.Exit(1) from error
    print(msgspec.json.format(msgspec.json.encode(explained)).decode() if as_json else write_explanation(explained))
