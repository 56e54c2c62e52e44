"""The pages of the contract backend: sections of cards with revisions, cursors that are bound to them, and changes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from tests.clients.catalogue import Title, artwork

if TYPE_CHECKING:
    from tests.clients.contract_backend import ContractBackend


def connection(items: Iterable[Any], first: int | None, after: str | None) -> dict[str, Any]:
    """A Relay connection whose cursors are positions."""
    everything = list(items)
    start = int(after) + 1 if after else 0
    chosen = everything[start : start + (first if first is not None else len(everything))]
    edges = [{"cursor": str(start + place), "node": node, "score": 1.0} for place, node in enumerate(chosen)]
    more = start + len(chosen) < len(everything)
    end = edges[-1]["cursor"] if edges else None
    info = {"hasNextPage": more, "hasPreviousPage": start > 0, "startCursor": None, "endCursor": end}
    return {"edges": edges, "pageInfo": info, "totalCount": len(everything)}


def _page_expired() -> GraphQLError:
    return GraphQLError("the page is not kept any more", extensions={"code": "PAGE_EXPIRED"})


class ContractPages:
    """Pages for the viewer of a backend, as its titles, positions and opinions are now."""

    def __init__(self, backend: ContractBackend) -> None:
        self._backend = backend
        self._kept: dict[str, dict[str, Any]] = {}

    def page(self, kind: str, device: dict[str, Any], genre_id: str | None = None) -> dict[str, Any]:
        """The page now; its revision follows from what it shows, and is kept until `forget`."""
        thumbs = self._backend.thumbs
        titles = [one for one in self._backend.visible() if thumbs.get(one["id"]) != "NOT_INTERESTED"]
        if kind == "SERIES":
            titles = [one for one in titles if one["kind"] == "SERIES"]
        elif kind == "MOVIES":
            titles = [one for one in titles if one["kind"] == "MOVIE"]
        elif kind == "GENRE":
            titles = [one for one in titles if any(genre["id"] == genre_id for genre in one["genres"])]
        sections = list(self._sections(titles, device))
        shown = [(section["key"], section["cards"]) for section in sections]
        revision = f"{zlib.crc32(repr((kind, genre_id, shown)).encode()):08x}"
        for section in sections:
            section["id"] = f"{revision}.{section['key']}"
        page = {
            "id": f"page_{kind}",
            "kind": kind,
            "revision": revision,
            "expiresAt": "2030-01-01T00:00:00Z",
            "sections": lambda _info, first=None, after=None: self._slice(revision, first, after),
            "wish": (kind, device, genre_id),
            "in_order": sections,
        }
        self._kept[revision] = page
        return page

    def forget(self) -> None:
        """As time does: cursors and revisions of pages that were given lead nowhere."""
        self._kept.clear()

    def _slice(self, revision: str, first: int | None, after: str | None) -> dict[str, Any]:
        """A cursor goes on in its own revision."""
        revision, _, place = (after or f"{revision}#").partition("#")
        if revision not in self._kept:
            raise _page_expired()
        found = connection(self._kept[revision]["in_order"], first, place)
        for edge in found["edges"]:
            edge["cursor"] = f"{revision}#{edge['cursor']}"
        end = found["pageInfo"]["endCursor"]
        found["pageInfo"]["endCursor"] = end and f"{revision}#{end}"
        return found

    def section(self, _info: object, id: str) -> dict[str, Any]:
        revision, _, key = id.partition(".")
        if revision not in self._kept:
            raise _page_expired()
        found: dict[str, Any] = next(one for one in self._kept[revision]["in_order"] if one["key"] == key)
        return found

    def refresh(self, _info: object, pageId: str, revision: str, sections: int | None = None) -> dict[str, Any]:  # noqa: N803
        before = self._kept.get(revision)
        if before is None or before["id"] != pageId:
            return {"__typename": "PageExpired", "message": "load the page again"}
        after = self.page(*before["wish"])
        held = len(before["in_order"]) if sections is None else sections
        old = {section["key"]: place for place, section in enumerate(before["in_order"][:held])}
        contents = {section["key"]: section["cards"] for section in before["in_order"]}
        kept = list(enumerate(after["in_order"][:held]))
        keys = {section["key"] for _, section in kept}
        changed = [one for one in kept if one[1]["key"] in old and contents[one[1]["key"]] != one[1]["cards"]]
        moved = [
            {"key": section["key"], "position": place}
            for place, section in kept
            if old.get(section["key"], place) != place and contents[section["key"]] == section["cards"]
        ]
        return {
            "__typename": "PageChange",
            "page": after,
            "newRevision": after["revision"],
            "removed": [key for key in old if key not in keys],
            "changed": [{"position": place, "section": section} for place, section in changed],
            "added": [{"position": place, "section": section} for place, section in kept if section["key"] not in old],
            "moved": moved,
            "endCursor": f"{after['revision']}#{held - 1}" if held < len(after["in_order"]) else None,
        }

    def _sections(self, titles: list[Title], device: dict[str, Any]) -> Iterable[dict[str, Any]]:
        if not titles:
            return
        hero = next((one for one in titles if one["displayName"] == "Metropolis"), titles[0])
        yield self._section("HERO", "Tonight on Marquee", [hero], device, text="A new restoration, in full")
        begun = [one for one in reversed(list(self._backend.positions)) if one not in self._backend.dismissed]
        started = [self._backend.titles[one] for one in begun]
        if started:
            yield self._section("CONTINUE_WATCHING", "Continue watching", started, device)
        yield self._section("TRENDING", "Trending now", titles[5:17], device)
        because = "Because you watched Nosferatu"
        horror = [one for one in titles if any(genre["id"] == "horror" for genre in one["genres"])]
        if horror:
            yield self._section("BECAUSE_YOU_WATCHED", because, horror, device, text=because)
        yield self._section("TOP_PICKS", "Top picks for you", list(reversed(titles))[:14], device)
        for genre in ("Comedy", "Adventure", "Drama", "Science Fiction"):
            chosen = [one for one in titles if any(each["displayName"] == genre for each in one["genres"])]
            if chosen:
                yield self._section("GENRE", genre, chosen, device)

    def _section(
        self, kind: str, heading: str, titles: list[Title], device: dict[str, Any], *, text: str | None = None
    ) -> dict[str, Any]:
        phone = device["formFactor"] == "PHONE"
        hero = kind == "HERO"
        wide = not phone or kind == "CONTINUE_WATCHING"
        role = "POSTER" if (phone and hero) else ("BACKDROP" if wide else "POSTER")
        width_px = (500 if phone else 1920) if hero else (416 if wide else 342)
        cards = [
            {
                "__typename": "ContinueWatchingCard" if kind == "CONTINUE_WATCHING" else "TitleCard",
                "id": f"{kind}-{heading}-{title['id']}",
                "title": title,
                "series": title.get("series"),
                "artwork": artwork(title["id"], role, width_px),
                "tracking": f"{kind}/{heading}/{place}",
                "reason": None,
            }
            for place, title in enumerate(titles)
        ]
        card_width_px, card_height_px = (236, 133) if phone and wide else (110, 165) if phone else (160, 90)
        return {
            "__typename": "HeroSection" if hero else "RowSection",
            "key": f"{kind} {heading}",
            "cards": [title["id"] for title in titles],
            "kind": kind,
            "heading": heading,
            "reason": {"text": text} if text else None,
            "tracking": "t",
            "layout": {
                "artworkRole": role,
                "cardWidthPx": card_width_px,
                "cardHeightPx": card_height_px,
                "visibleCards": 3 if phone else 5,
            },
            "items": lambda _info, first=None, after=None: connection(cards, first, after),
        }
