"""Keeps titles, tastes and trends up to date from the topics titles, assets, viewing, feedback and accounts.

Handlers set what an event says together with when it was said, so that late and repeated events change nothing. A
snapshot that can't be read is logged and left out: its neighbours in the same event are good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import structlog

from common.events import Event, EventHandler
from subgraphs.recommendations.domain.taste import Feedback, HistoryMark, Watched
from subgraphs.recommendations.domain.titles import TitleRecord, record_from_snapshot
from subgraphs.recommendations.ports import TasteStore, TitleStore, TrendCounters
from subgraphs.recommendations.services.heed_accounts import heed_account
from subgraphs.recommendations.services.keep_models import KeepModels
from subgraphs.recommendations.services.report_interactions import ReportInteractions

__all__ = ["FollowEvents"]

log = structlog.get_logger(__name__)

THUMBS: Mapping[str, Feedback] = {
    "UP": Feedback.THUMBS_UP,
    "DOWN": Feedback.THUMBS_DOWN,
    "NOT_INTERESTED": Feedback.NOT_INTERESTED,
}


class FollowEvents:
    """The handlers by topic."""

    def __init__(
        self,
        models: KeepModels,
        titles: TitleStore,
        tastes: TasteStore,
        trends: TrendCounters,
        interactions: ReportInteractions,
    ) -> None:
        self._models = models
        self._titles = titles
        self._tastes = tastes
        self._trends = trends
        self._interactions = interactions

    def handlers(self) -> Mapping[str, EventHandler]:
        """For the event consumer."""
        return {
            "titles": self.on_titles,
            "assets": self.on_assets,
            "viewing": self.on_viewing,
            "feedback": self.on_feedback,
            "accounts": self.on_accounts,
        }

    def catalogue_handlers(self) -> Mapping[str, EventHandler]:
        """For each of several processes on one store: memory must hear of every title, also of what others stored."""
        return {"titles": self.on_titles, "assets": self.on_assets}

    async def on_titles(self, event: Event) -> None:
        """`title.changed` and `title.withdrawn`."""
        if event.kind == "title.withdrawn":
            title_ids = [str(title_id) for title_id in event.data["titleIds"]]
            withdrawn = await self._titles.withdraw(title_ids, event.occurred_at)
            self._models.withdraw([each for each in title_ids if each in withdrawn])
        if event.kind != "title.changed":
            return
        readable: list[Mapping[str, object]] = []
        records: list[TitleRecord] = []
        for snapshot in event.data["titles"]:
            try:
                record = record_from_snapshot(snapshot)
            except (KeyError, TypeError, ValueError):
                title_id = snapshot.get("id") if isinstance(snapshot, Mapping) else None
                log.exception("event.snapshot_unreadable", event_id=event.id, title=title_id)
                continue
            readable.append(snapshot)
            records.append(replace(record, is_playable=record.is_playable or self._models.is_playable(record.id)))
        # The store knows what was heard last; memory follows it.
        changed = await self._titles.put(readable, event.occurred_at)
        self._models.change([record for record in records if record.id in changed])

    async def on_assets(self, event: Event) -> None:
        """`asset.published`: the title is playable."""
        if event.kind == "asset.published":
            title_id = str(event.data["titleId"])
            await self._titles.mark_playable(title_id)
            record = self._models.mark_playable(title_id)
            if record is not None:
                self._models.change([replace(record, is_playable=True)])

    async def on_viewing(self, event: Event) -> None:
        """`title.watched`: a place in a title, and a view. `history.changed`: what counts for nothing any more."""
        data = event.data
        if event.kind == "history.changed":
            title_ids = [str(title_id) for title_id in data["titleIds"]]
            at = datetime.fromisoformat(data["occurredAt"])
            mark = HistoryMark(data["mark"])
            await self._tastes.marked(str(data["profileId"]), title_ids, mark, at, is_set=bool(data["isSet"]))
        if event.kind != "title.watched":
            return
        profile_id, title_id = str(data["profileId"]), str(data["titleId"])
        at = datetime.fromisoformat(data["occurredAt"])
        before = await self._tastes.taste(profile_id)
        known = before.watched.get(title_id)
        completed = bool(data["completed"])
        watched = Watched(
            position_s=float(data["positionSeconds"]),
            duration_s=float(data["durationSeconds"]),
            completed=completed,
            ever_completed=completed or (known is not None and known.ever_completed),
            at_s=at.timestamp(),
        )
        await self._tastes.watched(profile_id, title_id, watched)
        if watched.is_started:
            await self._trends.count_view(profile_id, str(data.get("seriesId") or title_id), before.country, at)
            self._models.learn()

    async def on_feedback(self, event: Event) -> None:
        """`title.rated`, `title.thumbed` and `list.changed`."""
        data = event.data
        if event.kind == "title.rated":
            stars = data.get("stars")
            await self._tastes.rated(
                str(data["profileId"]),
                str(data["titleId"]),
                None if stars is None else min(5, max(1, int(stars))),
                event.occurred_at,
            )
            self._models.learn()
        elif event.kind == "title.thumbed":
            thumb = data.get("thumb")
            await self._tastes.fed_back(
                str(data["profileId"]),
                str(data["titleId"]),
                None if thumb is None else THUMBS[str(thumb)],
                event.occurred_at,
            )
            self._models.learn()
        elif event.kind == "list.changed":
            await self._tastes.listed(
                str(data["profileId"]), str(data["titleId"]), event.occurred_at, in_list=bool(data["inList"])
            )

    async def on_accounts(self, event: Event) -> None:
        """`profile.created`, `profile.changed`, `profile.deleted`, `consent.changed` and `account.erased`."""
        data = event.data
        await self._interactions.handle(event)
        await heed_account(self._tastes, event)
        if event.kind in {"profile.created", "profile.changed"}:
            await self._tastes.locate(str(data["profileId"]), str(data["country"]), event.occurred_at)
            if data.get("personalisation") is not None:
                await self._tastes.allow(
                    str(data["profileId"]), event.occurred_at, is_personal=bool(data["personalisation"])
                )
            if data.get("analytics") is not None:
                await self._tastes.measure(
                    str(data["profileId"]), event.occurred_at, is_measured=bool(data["analytics"])
                )
        elif event.kind == "account.erased":
            for profile_id in data["profileIds"]:
                await self._tastes.erase(str(profile_id))
