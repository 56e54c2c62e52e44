"""Three subgraphs that answer `_entities` of the same thousand films: ours, a plain strawberry one, bare graphql-core.

The peers do what their documentation shows and no more: no policy, no cache, no store, no verified viewer. Each is an
ASGI application; ours is the titles subgraph as it is deployed, on a file, with the viewer's token verified.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import strawberry
import strawberry.federation
from graphql import build_schema, graphql
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from strawberry.asgi import GraphQL

from common.settings import SharedSettings
from common.tokens import VIEWER_HEADER, Viewer, ensure_key_file, sign_viewer_context
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.sql import sqlite_url
from subgraphs.titles.adapters.sql import SqlTitleStore
from subgraphs.titles.app import create_app
from subgraphs.titles.artwork.design import placeholder_color
from subgraphs.titles.domain.artwork_reference import ArtworkReference, ArtworkRole, ImageFormat
from subgraphs.titles.domain.title import Credit, CreditRole, Origin, Title, TitleKind, genre_named, person_named
from subgraphs.titles.settings import TitlesSettings

__all__ = ["CONTESTANTS", "SELECTIONS", "Opened", "expected_answer", "films"]

VIEWER = Viewer(account_id="acc_1", country="US", profile_id="prof_1", maturity=18, subscription="ACTIVE")
MEDIA_URL = "http://127.0.0.1:4010"
SELECTIONS = {
    "a name": "displayName",
    "a card": "displayName kind releaseYear durationSeconds isKids certificate { code minimumAge }",
    "a card with its picture": "displayName kind releaseYear certificate { code } "
    "artwork(role: BACKDROP, widthPx: 416, format: WEBP) { url widthPx heightPx altText placeholderColor }",
}
GENRES = ("Drama", "Comedy", "Horror", "Western")


@dataclass(frozen=True, slots=True)
class Opened:
    """An application that runs, and the headers that it wants."""

    app: Any
    headers: dict[str, str]


def films(count: int) -> list[Title]:
    """The films."""
    return [
        Title(
            id=TitleId(f"mov_{number:05d}"),
            kind=TitleKind.MOVIE,
            display_name=f"Film number {number}",
            origin=Origin("bench", str(number)),
            added_at=datetime(2026, 1, 1, tzinfo=UTC),
            synopsis="What happens in it, at some length. " * 10,
            release_year=1920 + number % 100,
            duration_seconds=5_400 + number,
            genres=(genre_named(GENRES[number % len(GENRES)]),),
            credits=tuple(Credit(person_named(f"Actor {number % 300 + n}"), CreditRole.CAST) for n in range(6)),
            minimum_age=13,
        )
        for number in range(count)
    ]


def plain(film: Title) -> dict[str, Any]:
    """A film as every contestant must answer it."""
    reference = ArtworkReference.nearest(film.id, ArtworkRole.BACKDROP, 416, ImageFormat.WEBP)
    return {
        "__typename": "Movie",
        "id": film.id,
        "displayName": film.display_name,
        "kind": film.kind.value,
        "releaseYear": film.release_year,
        "durationSeconds": film.duration_seconds,
        "isKids": film.is_kids,
        "certificate": {"code": "PG-13", "minimumAge": film.minimum_age},
        "artwork": {
            "url": reference.url(MEDIA_URL),
            "widthPx": reference.width_px,
            "heightPx": reference.height_px,
            "altText": f"Backdrop of {film.display_name} ({film.release_year})",
            "placeholderColor": placeholder_color(film.id, tuple(genre.display_name for genre in film.genres)),
        },
    }


def expected_answer(known: list[Title], selection: str) -> list[dict[str, Any]]:
    """What `_entities` must hold for a selection of SELECTIONS."""
    answer = []
    for film in known:
        row = plain(film)
        entity = {"__typename": "Movie"} | {name: row[name] for name in row if name in selection and name != "id"}
        if "certificate { code }" in selection:
            entity["certificate"] = {"code": row["certificate"]["code"]}
        answer.append(entity)
    return answer


@asynccontextmanager
async def open_ours(known: list[Title], folder: Path, valkey_url: str) -> AsyncIterator[Opened]:
    """The titles subgraph."""
    shared = SharedSettings(state_dir=folder, valkey_url=valkey_url, public_media_url=MEDIA_URL)
    key = ensure_key_file(shared.keys_dir / "viewer.pem")
    settings = TitlesSettings(shared=shared, artwork_prerendered_titles=0)
    store = await SqlTitleStore.open(sqlite_url(settings.store_dir / "titles.sqlite"))
    await store.save(known)
    await store.aclose()
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        token = sign_viewer_context(key, VIEWER.to_claims(), datetime.now(UTC))
        yield Opened(app, {VIEWER_HEADER: token})


@strawberry.type
class Certificate:
    """Of the plain subgraph."""

    code: str
    minimum_age: int


@strawberry.type
class Artwork:
    """Of the plain subgraph."""

    url: str
    width_px: int
    height_px: int
    alt_text: str
    placeholder_color: str


_ROWS: dict[str, dict[str, Any]] = {}


@strawberry.federation.type(keys=["id"])
class Movie:
    """Of the plain subgraph: fields from a row, the others by resolvers."""

    id: strawberry.ID
    display_name: str
    kind: str
    release_year: int
    duration_seconds: int
    is_kids: bool

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Movie":  # noqa: A002
        """From memory."""
        row = _ROWS[id]
        return cls(
            id=id,
            display_name=row["displayName"],
            kind=row["kind"],
            release_year=row["releaseYear"],
            duration_seconds=row["durationSeconds"],
            is_kids=row["isKids"],
        )

    @strawberry.field
    def certificate(self) -> Certificate:
        """From memory."""
        return Certificate(**{_snake(name): value for name, value in _ROWS[self.id]["certificate"].items()})

    @strawberry.field
    def artwork(self, role: ArtworkRole, width_px: int, format: ImageFormat) -> Artwork:  # noqa: A002
        """From memory, the one that is asked for."""
        assert (role, width_px, format) == (ArtworkRole.BACKDROP, 416, ImageFormat.WEBP)
        return Artwork(**{_snake(name): value for name, value in _ROWS[self.id]["artwork"].items()})


@strawberry.type
class Query:
    """A schema needs one."""

    @strawberry.field
    def movie(self) -> Movie | None:
        """None."""
        return None


@asynccontextmanager
async def open_strawberry(known: list[Title], _folder: Path, _valkey_url: str) -> AsyncIterator[Opened]:
    """Strawberry's own federation schema behind its own ASGI application."""
    _ROWS.update({film.id: plain(film) for film in known})
    schema = strawberry.federation.Schema(query=Query, types=[Movie], federation_version="2.11")
    yield Opened(GraphQL[object, object](schema), {})


_SDL = """
scalar _Any
union _Entity = Movie
enum Role { BACKDROP }
enum Format { WEBP }
type Certificate { code: String! minimumAge: Int! }
type Artwork { url: String! widthPx: Int! heightPx: Int! altText: String! placeholderColor: String! }
type Movie { id: ID! displayName: String! kind: String! releaseYear: Int! durationSeconds: Int! isKids: Boolean!
  certificate: Certificate! artwork(role: Role!, widthPx: Int!, format: Format!): Artwork! }
type Query { _entities(representations: [_Any!]!): [_Entity]! }
"""


@asynccontextmanager
async def open_graphql_core(known: list[Title], _folder: Path, _valkey_url: str) -> AsyncIterator[Opened]:
    """graphql-core alone: rows from memory by its default resolvers."""
    rows = {film.id: plain(film) for film in known}
    schema = build_schema(_SDL)

    def entities(_root: object, _info: object, representations: list[Any]) -> list[Any]:
        return [rows[representation["id"]] for representation in representations]

    query = schema.query_type
    assert query is not None
    query.fields["_entities"].resolve = entities

    async def endpoint(request: Request) -> JSONResponse:
        body = await request.json()
        result = await graphql(schema, body["query"], variable_values=body["variables"])
        assert result.errors is None, result.errors
        return JSONResponse({"data": result.data})

    yield Opened(Starlette(routes=[Route("/graphql", endpoint, methods=["POST"])]), {})


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


CONTESTANTS = {"marquee titles": open_ours, "strawberry": open_strawberry, "graphql-core": open_graphql_core}
