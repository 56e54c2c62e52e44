"""What the studio says of how titles are offered, and whom they credit: rights, markers, artwork shares, people.

The same promises as in `studio.py`: NotAllowed first, BadInput with all that is wrong, an audit entry for every act.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from common.tokens import Viewer
from subgraphs.kernel.policy import EVERYWHERE, Window
from subgraphs.titles.domain.certificates import strictest_age
from subgraphs.titles.domain.markers import marker_problems, ordered_markers, running_time_s
from subgraphs.titles.domain.schedule import Edge, read_country, read_edge, window_problem
from subgraphs.titles.domain.title import Marker, Person, PersonId, Title
from subgraphs.titles.domain.title_input import (
    MAX_WINDOWS,
    certificate_problems,
    clean_name,
    name_problem,
    weight_problems,
)
from subgraphs.titles.services.editing import BadInput, CatalogueEditor, Edited, TooMany, Unknown
from subgraphs.titles.services.studio import TitleToChange, require_studio

__all__ = ["OfferingService", "WindowInput", "WindowTime"]


@dataclass(frozen=True, slots=True)
class WindowTime:
    """`at` is what a clock on the wall shows in `zone`, or, without a zone, a time with an offset."""

    at: str
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class WindowInput:
    """A window as somebody wrote it; an end that is None is open."""

    country: str
    opens: WindowTime | None = None
    closes: WindowTime | None = None


class OfferingService:
    """Rights, markers, artwork shares, people."""

    def __init__(self, editor: CatalogueEditor) -> None:
        self._editor = editor

    async def set_windows(self, viewer: Viewer, target: TitleToChange, given: Sequence[WindowInput]) -> Edited:
        """All windows of a title; none: it is offered nowhere."""
        account_id = require_studio(viewer)
        windows = _read_windows(given)
        return await self._editor.edit(
            target.title_id, target.revision, account_id, "setWindows", lambda title: replace(title, windows=windows)
        )

    async def block(self, viewer: Viewer, target: TitleToChange, countries: Sequence[str]) -> Edited:
        """Nobody there sees it, whatever the windows say; blocks that there are stay."""
        account_id = require_studio(viewer)
        blocked = _read_countries(countries)
        return await self._editor.edit(
            target.title_id,
            target.revision,
            account_id,
            "block",
            lambda title: replace(title, blocked_countries=title.blocked_countries | blocked),
        )

    async def unblock(self, viewer: Viewer, target: TitleToChange, countries: Sequence[str]) -> Edited:
        """The windows decide again. A block of every country is lifted by naming it, not by naming all."""
        account_id = require_studio(viewer)
        freed = _read_countries(countries)
        return await self._editor.edit(
            target.title_id,
            target.revision,
            account_id,
            "unblock",
            lambda title: replace(title, blocked_countries=title.blocked_countries - freed),
        )

    async def set_certificates(
        self, viewer: Viewer, target: TitleToChange, given: Sequence[tuple[str, str]], *, is_kids: bool
    ) -> Edited:
        """All certificates by country; the strictest makes the age. None: for grown-ups, as nobody knows better."""
        account_id = require_studio(viewer)
        problems = certificate_problems(given, is_kids=is_kids)
        if problems:
            raise BadInput(problems)

        def change(title: Title) -> Title:
            return replace(
                title,
                certificates=tuple(sorted(given)),
                minimum_age=strictest_age(given) if given else 18,
                is_age_certified=bool(given),
                is_kids=is_kids,
            )

        return await self._editor.edit(target.title_id, target.revision, account_id, "setCertificates", change)

    async def set_markers(self, viewer: Viewer, target: TitleToChange, markers: Sequence[Marker]) -> Edited:
        """All markers; in order and inside the running time, those of one kind apart."""
        account_id = require_studio(viewer)

        def change(title: Title) -> Title:
            problems = marker_problems(markers, running_time_s(title))
            if problems:
                raise BadInput(problems)
            return replace(title, media=replace(title.media, markers=ordered_markers(markers)))

        return await self._editor.edit(target.title_id, target.revision, account_id, "setMarkers", change)

    async def set_artwork_weights(
        self, viewer: Viewer, target: TitleToChange, weights: Sequence[tuple[str, int]]
    ) -> Edited:
        """The shares in which the variants of the artwork are to be shown; none: all the same."""
        account_id = require_studio(viewer)
        problems = weight_problems(weights)
        if problems:
            raise BadInput(problems)
        return await self._editor.edit(
            target.title_id,
            target.revision,
            account_id,
            "setArtworkWeights",
            lambda title: replace(title, artwork_weights=tuple(weights)),
        )

    async def rename_person(self, viewer: Viewer, person_id: PersonId, display_name: str) -> Person | Unknown | TooMany:
        """On all credits, also of later imports."""
        account_id = require_studio(viewer)
        if (problem := name_problem(display_name)) is not None:
            raise BadInput({"input.displayName": problem})
        return await self._editor.rename_person(person_id, clean_name(display_name), account_id)

    async def merge_people(self, viewer: Viewer, merged_id: PersonId, into_id: PersonId) -> Person | Unknown | TooMany:
        """One person for two, also in later imports."""
        account_id = require_studio(viewer)
        if merged_id == into_id:
            raise BadInput({"input.intoId": "is the person to be merged; name another one"})
        return await self._editor.merge_people(merged_id, into_id, account_id)


def _read_windows(given: Sequence[WindowInput]) -> tuple[Window, ...]:
    if len(given) > MAX_WINDOWS:
        raise BadInput({"input.windows": f"has {len(given)} windows; give at most {MAX_WINDOWS}"})
    windows: list[Window] = []
    problems: dict[str, str] = {}
    for place, one in enumerate(given):
        path = f"input.windows.{place}"
        try:
            country = read_country(one.country)
        except ValueError as error:
            problems[f"{path}.country"] = str(error)
            continue
        edges = []
        for name, time, edge in (("from", one.opens, Edge.OPENING), ("until", one.closes, Edge.CLOSING)):
            try:
                edges.append(None if time is None else read_edge(time.at, time.zone, edge))
            except ValueError as error:
                problems[f"{path}.{name}"] = str(error)
        if len(edges) == 2:
            window = Window(country, *edges)
            windows.append(window)
            if (problem := window_problem(window)) is not None:
                problems[path] = problem
    if problems:
        raise BadInput(problems)
    return tuple(dict.fromkeys(windows))


def _read_countries(countries: Sequence[str]) -> frozenset[str]:
    problems: dict[str, str] = {}
    if not 1 <= len(countries) <= MAX_WINDOWS:
        problems["input.countries"] = f"has {len(countries)} entries; give 1 to {MAX_WINDOWS}, or {EVERYWHERE} for all"
    for place, country in enumerate(countries[:MAX_WINDOWS]):
        try:
            read_country(country)
        except ValueError as error:
            problems[f"input.countries.{place}"] = str(error)
    if problems:
        raise BadInput(problems)
    return frozenset(countries)
