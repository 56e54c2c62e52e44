"""Nothing of a title that is not for a viewer comes before their eyes, whatever they ask.

Random operations, seeds fixed: MARQUEE_TEST_OPERATIONS says how many for each kind of viewer (usually few enough for
every run; 1000 takes some minutes).
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLSchema, build_schema

from common.tokens import Viewer
from subgraphs.titles.domain.title import Title, TitleKind
from tests.support.authorization_targets import DEVICE
from tests.support.households import SignedIn, add_profile, log_in, select, sign_up, watch
from tests.support.planted_catalogue import PlantedCatalogue
from tests.support.random_questions import Question, QuestionMaker, Words
from tests.support.valkey_server import valkey_server
from tests.support.whole_graph import GraphAnswer, WholeGraph, whole_graph

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPERATIONS = int(os.environ.get("MARQUEE_TEST_OPERATIONS", "200"))
SHARES = {"kids": 1.0, "seven": 0.2, "twelve": 0.2, "abroad": 0.2, "anonymous": 0.2}
"""Of OPERATIONS, for each kind of viewer."""
HOME = """query Home($device: DeviceInput!) { page(kind: HOME, device: $device) { sections(first: 20) { edges { cursor
  node { id items(first: 10) { edges { cursor } } } } } } }"""

TOTALS = """query Totals($query: String!) {
  works: titleFacets { totalCount initials { titleCount } decades { titleCount } }
  found: search(query: $query, first: 50) { totalCount edges { node { id } } } }"""
COMMON_PREFIX = "kem"


@dataclass
class Curious:
    """A viewer, and what they kept from before some titles were closed to them."""

    signed_in: SignedIn | None
    words: Words

    @property
    def viewer(self) -> Viewer:
        return Viewer() if self.signed_in is None else self.signed_in.viewer

    @property
    def token(self) -> str | None:
        return None if self.signed_in is None else self.signed_in.token


@dataclass
class Playground:
    """The graph after the change, the catalogue as it is now, and the viewers."""

    graph: WholeGraph
    catalogue: PlantedCatalogue
    schema: GraphQLSchema
    curious: dict[str, Curious]


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def playground(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> AsyncIterator[Playground]:
    async with whole_graph(tmp_path_factory.mktemp("state"), valkey_url) as graph:
        parent = await sign_up(graph, "parent@planted.example")
        abroad = await sign_up(graph, "abroad@planted.example", country="DE")
        signed_in: dict[str, SignedIn | None] = {"abroad": abroad, "anonymous": None}
        for name, limits in (
            ("kids", {"isKids": True}),
            ("seven", {"maturityLimit": 7}),
            ("twelve", {"maturityLimit": 12}),
        ):
            profile_id = await add_profile(graph, parent, name, **limits)
            signed_in[name] = await select(graph, await log_in(graph, parent.email), profile_id)
        words = _words(graph.catalogue)
        curious = {
            name: Curious(each, replace(words, section_ids=[], page_cursors=[])) for name, each in signed_in.items()
        }
        closing = [title for title in graph.catalogue.playable() if title.is_kids and title.video_of is None][1:4]
        for each in (parent, *(found.signed_in for found in curious.values())):
            if each is not None:
                await _enjoy(graph, each, closing)
        for each in curious.values():
            await _keep_pages(graph, each)
        catalogue = await _close(graph, closing)
        yield Playground(graph, catalogue, build_schema(graph.artifacts["api.graphql"]), curious)


def _words(catalogue: PlantedCatalogue) -> Words:
    visible_first = sorted(catalogue.titles, key=lambda title: title.id)
    return Words(
        title_ids=[title.id for title in visible_first],
        names=[title.display_name for title in visible_first],
        genre_ids=sorted({genre.id for title in catalogue.titles for genre in title.genres}),
        person_ids=sorted({credit.person.id for title in catalogue.titles for credit in title.credits}),
    )


async def _enjoy(graph: WholeGraph, viewer: SignedIn, titles: list[Title]) -> None:
    """Watch, list and like what is open still."""
    for title in titles:
        await watch(graph, viewer, title.id, 600)
        text = """mutation Like($id: ID!) { addToMyList(titleId: $id) { __typename } rateTitle(titleId: $id, stars: 5) {
          __typename } setThumb(titleId: $id, thumb: UP) { __typename } }"""
        await graph.ask(text, {"id": title.series_id or title.id}, token=viewer.token)
    await graph.settled()


async def _keep_pages(graph: WholeGraph, each: Curious) -> None:
    page = (await graph.ask(HOME, {"device": DEVICE}, token=each.token)).data["page"]
    for edge in page["sections"]["edges"]:
        each.words.section_ids.append(edge["node"]["id"])
        each.words.page_cursors.append(edge["cursor"])


async def _close(graph: WholeGraph, titles: list[Title]) -> PlantedCatalogue:
    """The titles become ones for adults, blocked abroad: after they were watched, listed and shown on pages."""
    changed = {
        title.id: replace(title, minimum_age=18, is_kids=False, blocked_countries=frozenset({"DE"})) for title in titles
    }
    # With an episode, its whole series.
    series_ids = {title.series_id for title in titles if title.series_id is not None}
    for title in graph.catalogue.titles:
        if title.id in series_ids or title.series_id in series_ids:
            changed[title.id] = replace(title, minimum_age=18, is_kids=False, blocked_countries=frozenset({"DE"}))
    stored = await graph.applications["titles"].state.resources.store.titles(list(changed))
    await graph.save_titles(
        [
            replace(
                stored[title_id],
                minimum_age=title.minimum_age,
                is_kids=title.is_kids,
                blocked_countries=title.blocked_countries,
            )
            for title_id, title in changed.items()
        ]
    )
    return replace(graph.catalogue, titles=tuple(changed.get(title.id, title) for title in graph.catalogue.titles))


@pytest.mark.parametrize("name", SHARES)
async def test_nothing_of_a_forbidden_title_is_told(playground: Playground, name: str) -> None:
    """Neither id nor name nor image, in no field of no answer."""
    each = playground.curious[name]
    now = datetime.now(UTC)
    forbidden = playground.catalogue.forbidden(each.viewer, now)
    announced = {title.id for title in forbidden if playground.catalogue.is_announced(each.viewer, title, now)}
    maker = QuestionMaker(playground.schema, each.words, seed=2026)
    found: list[str] = []
    answered = 0
    for number in range(int(OPERATIONS * SHARES[name])):
        question = maker.question()
        ask = playground.graph.ask_by_hash if number % 5 == 0 else playground.graph.ask
        answer = await ask(question.text, question.variables, token=each.token)
        _check_understood(question, answer)
        answered += len(answer.text)
        told = _told(question, answer)
        for title in forbidden:
            if title.id in announced and "comingSoon" in question.text:
                continue
            if title.id in told or title.display_name in told:
                found.append(f"{title.id} {title.display_name!r} by {question.text} {question.variables}"[:1500])
    assert answered > 100 * OPERATIONS * SHARES[name]
    assert len(forbidden) > 15
    assert found == []


@pytest.mark.parametrize("name", SHARES)
async def test_counts_count_what_may_be_seen(playground: Playground, name: str) -> None:
    """Totals of films and series are those of what this viewer may see, and give no other away."""
    each, catalogue = playground.curious[name], playground.catalogue
    now = datetime.now(UTC)
    visible = [title for title in catalogue.titles if catalogue.may_see(each.viewer, title, now)]
    kinds = [title.kind for title in visible]

    data = (await playground.graph.ask(TOTALS, {"query": COMMON_PREFIX}, token=each.token)).data

    assert data["works"]["totalCount"] == kinds.count(TitleKind.MOVIE) + kinds.count(TitleKind.SERIES)
    assert sum(each["titleCount"] for each in data["works"]["initials"]) == data["works"]["totalCount"]
    assert sum(each["titleCount"] for each in data["works"]["decades"]) == data["works"]["totalCount"]
    assert data["found"]["totalCount"] == len(data["found"]["edges"]) < 50


def _check_understood(question: Question, answer: GraphAnswer) -> None:
    # The last one: a page that can't be null takes the other fields of its subgraph with it.
    expected = {"NOT_FOUND", "PAGE_EXPIRED", "PERMISSION_DENIED", "SUBREQUEST_MALFORMED_RESPONSE"}
    failed = [error for error in answer.body.get("errors", ()) if error["extensions"]["code"] not in expected]
    if failed:
        pytest.fail(f"{question.text}\n{question.variables}\n{failed[0]}")


def _told(question: Question, answer: GraphAnswer) -> str:
    """What the answer tells: all of its data, and its errors without the ids that were sent."""
    if question.is_mutation:
        return _without(answer.text, question.variables)
    data: Any = answer.body.get("data")
    errors = json.dumps(answer.body.get("errors"), ensure_ascii=False)
    return json.dumps(data, ensure_ascii=False) + _without(errors, question.variables)


def _without(text: str, variables: Any) -> str:
    for title_id in json.dumps(variables).replace('"', " ").replace(",", " ").split():
        if "_planted-" in title_id:
            text = text.replace(title_id, "ASKED")
    return text
