"""Browsing as MongoDB's filters: visibility, what the client chose, and the page behind a cursor."""

from __future__ import annotations

from typing import Any

from pymongo import ASCENDING, DESCENDING

from subgraphs.kernel.policy import EVERYWHERE
from subgraphs.titles.adapters.mongo.documents import to_micros
from subgraphs.titles.adapters.mongo.schema import SORT_FIELD
from subgraphs.titles.domain.browsing import BrowseRequest, CatalogueScope, TitleFilter

__all__ = ["IS_THERE", "Filter", "is_chosen", "is_visible", "order_of", "page_filter"]

Filter = dict[str, Any]

IS_THERE: Filter = {"is_withdrawn": False, "is_delisted": False}
_LAST = "\U0010ffff"
"""Greater than every letter."""


def is_visible(scope: CatalogueScope) -> Filter:
    """The policy's visibility rules over a title's document; the tests compare them with `decide`."""
    now = to_micros(scope.now)
    countries = [EVERYWHERE] if scope.country is None else [EVERYWHERE, scope.country]
    # Not later than now, or absent: a comparison with null is never true.
    is_open = {"country": {"$in": countries}, "opens_at": {"$not": {"$gt": now}}, "closes_at": {"$not": {"$lte": now}}}
    rules: Filter = {
        **IS_THERE,
        "minimum_age": {"$lte": scope.maximum_age},
        "windows": {"$elemMatch": is_open},
        "blocked_countries": {"$size": 0} if scope.country is None else {"$nin": countries},
    }
    return {**rules, "is_kids": True} if scope.kids_only else rules


def is_chosen(chosen: TitleFilter) -> Filter:
    """What the client chose, as conditions that all must hold."""
    rules: list[Filter] = [{"kind": {"$in": [kind.value for kind in chosen.kinds]}}]
    if chosen.genre_id is not None:
        rules.append({"genres.id": chosen.genre_id})
    if chosen.release_year_from is not None:
        rules.append({"release_year": {"$gte": chosen.release_year_from}})
    if chosen.release_year_to is not None:
        # An unknown year is stored as 0 and lies in no range.
        rules.append({"release_year": {"$gte": 1, "$lte": chosen.release_year_to}})
    if chosen.kids_only:
        rules.append({"is_kids": True})
    if chosen.maximum_age is not None:
        rules.append({"minimum_age": {"$lte": chosen.maximum_age}})
    for field in ("original_language", "origin_country", "initial"):
        value = getattr(chosen, field)
        if value is not None:
            rules.append({field: value})
    if chosen.name_prefix is not None:
        rules.append({"sort_name": {"$gte": chosen.name_prefix, "$lte": chosen.name_prefix + _LAST}})
    if chosen.added_since is not None:
        rules.append({"added_at": {"$gte": to_micros(chosen.added_since)}})
    if chosen.person_id is not None:
        credited: Filter = {"person_id": chosen.person_id}
        if chosen.person_role is not None:
            credited["role"] = chosen.person_role.value
        rules.append({"credits": {"$elemMatch": credited}})
    return {"$and": rules}


def page_filter(scope: CatalogueScope, request: BrowseRequest) -> Filter:
    """What a page of a list shows, and nothing before it."""
    rules: list[Filter] = [is_visible(scope), is_chosen(request.chosen)]
    if request.page.after is not None:
        _, value, last_id = request.page.after
        field = SORT_FIELD[request.sort]
        bound, behind = ("$gte", "$gt") if request.is_ascending else ("$lte", "$lt")
        # The plain bound lets the index start at the right place; the second half makes it exact among equals.
        rules += [{field: {bound: value}}, {"$or": [{field: {behind: value}}, {field: value, "_id": {"$gt": last_id}}]}]
    return {"$and": rules}


def order_of(request: BrowseRequest) -> list[tuple[str, int]]:
    """The order of a list; ids ascend among equals either way."""
    return [(SORT_FIELD[request.sort], ASCENDING if request.is_ascending else DESCENDING), ("_id", ASCENDING)]
