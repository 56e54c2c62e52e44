"""The store of title facts on SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import TitleFacts, Window
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables
from subgraphs.profiles.domain.lists import KnownTitle

__all__ = ["SqlTitleFactsStore", "read_facts"]

TITLES = tables.title_facts
_UNKNOWN_KIND = "UNKNOWN"


class SqlTitleFactsStore:
    """See the TitleFactsStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def titles_by_id(self, ids: Sequence[TitleId]) -> Mapping[TitleId, KnownTitle]:
        """See TitleFactsStore.titles_by_id."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(select(TITLES).where(TITLES.c.title_id.in_(ids)))
            return {
                TitleId(row["title_id"]): KnownTitle(TitleId(row["title_id"]), row["kind"], read_facts(row))
                for row in rows.mappings()
            }

    async def put_titles(self, titles: Sequence[KnownTitle], changed_at: datetime) -> None:
        """See TitleFactsStore.put_titles."""
        if not titles:
            return
        rows = [{**_row(title), "changed_at": changed_at} for title in titles]
        async with writing(self._engine) as connection:
            statement = tables.upsert(connection, TITLES)
            written = {name: statement.excluded[name] for name in rows[0] if name != "title_id"}
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["title_id"],
                    set_=written,
                    where=TITLES.c.changed_at <= statement.excluded.changed_at,
                ),
                rows,
            )

    async def withdraw_titles(self, ids: Sequence[TitleId], changed_at: datetime) -> None:
        """See TitleFactsStore.withdraw_titles."""
        if not ids:
            return
        # A title that was never heard of is kept as withdrawn too: its older news may still be on the way.
        nothing = TitleFacts(minimum_age=0, is_kids=False, is_withdrawn=True)
        rows = [{**_row(KnownTitle(id_, _UNKNOWN_KIND, nothing)), "changed_at": changed_at} for id_ in ids]
        async with writing(self._engine) as connection:
            statement = tables.upsert(connection, TITLES)
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["title_id"],
                    set_={"is_withdrawn": True, "changed_at": statement.excluded.changed_at},
                    where=TITLES.c.changed_at <= statement.excluded.changed_at,
                ),
                rows,
            )


def read_facts(row: Mapping[Any, Any]) -> TitleFacts:
    """The policy's facts in a row of title_facts."""
    return TitleFacts(
        minimum_age=row["minimum_age"],
        is_kids=row["is_kids"],
        windows=tuple(Window(country, _instant(opens), _instant(closes)) for country, opens, closes in row["windows"]),
        blocked_countries=frozenset(row["blocked_countries"]),
        is_withdrawn=row["is_withdrawn"],
    )


def _row(title: KnownTitle) -> dict[str, Any]:
    facts = title.facts
    return {
        "title_id": title.id,
        "kind": title.kind,
        "minimum_age": facts.minimum_age,
        "is_kids": facts.is_kids,
        "windows": [[window.country, _text(window.opens_at), _text(window.closes_at)] for window in facts.windows],
        "blocked_countries": sorted(facts.blocked_countries),
        "is_withdrawn": facts.is_withdrawn,
    }


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
