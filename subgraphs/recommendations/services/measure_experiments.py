"""Counts what profiles do after they met an experiment, from the topics viewing, interactions, feedback and accounts.

A group of its own, so that counting delays no page. An event counts for the experiments that ran when it happened and
that the profile had met by then; who met none leaves nothing. Who takes consent back is forgotten at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from common.clock import Clock
from common.events import Event, EventHandler
from subgraphs.recommendations.domain.taste import Watched
from subgraphs.recommendations.experiments.assign import tracking_code
from subgraphs.recommendations.experiments.metrics import Figure
from subgraphs.recommendations.ports import ExperimentMeasures, TasteStore
from subgraphs.recommendations.services.edit_experiments import EditExperiments
from subgraphs.recommendations.services.heed_accounts import forgotten_profiles, heed_account

__all__ = ["MeasureExperiments"]

CONSENTS = frozenset({"ANALYTICS", "PERSONALISATION"})
_NO_CODE = re.compile("[^0-9a-f]+")
"""What parts a tracking text into what may be codes."""


class MeasureExperiments:
    """The handlers by topic."""

    def __init__(
        self, definitions: EditExperiments, measures: ExperimentMeasures, tastes: TasteStore, clock: Clock
    ) -> None:
        self._definitions = definitions
        self._measures = measures
        self._tastes = tastes
        self._clock = clock

    def handlers(self) -> Mapping[str, EventHandler]:
        """For the event consumer."""
        return {
            "viewing": self.on_viewing,
            "interactions": self.on_interactions,
            "feedback": self.on_feedback,
            "accounts": self.on_accounts,
        }

    async def on_viewing(self, event: Event) -> None:
        """`title.watched`."""
        if event.kind != "title.watched":
            return
        data = event.data
        at = datetime.fromisoformat(data["occurredAt"])
        keys = await self._running(at)
        if keys:
            watched = Watched(
                position_s=float(data["positionSeconds"]),
                duration_s=float(data["durationSeconds"]),
                completed=bool(data["completed"]),
                ever_completed=bool(data["completed"]),
                at_s=at.timestamp(),
            )
            await self._measures.count_watched(str(data["profileId"]), keys, str(data["titleId"]), watched)

    async def on_interactions(self, event: Event) -> None:
        """`card.shown` and `card.clicked`; an opened card of a drafted row is a point for its team."""
        if event.kind not in {"card.shown", "card.clicked"}:
            return
        is_opened = event.kind == "card.clicked"
        at = datetime.fromisoformat(event.data["occurredAt"])
        await self._count(event, Figure.OPENED if is_opened else Figure.SHOWN, event.id, at)
        if is_opened:
            await self._count_point(event, at)

    async def on_feedback(self, event: Event) -> None:
        """`list.changed` and `title.thumbed`; a title counts once."""
        data = event.data
        if event.kind == "list.changed" and data["inList"]:
            await self._count(event, Figure.LISTED, f"listed:{data['titleId']}", event.occurred_at)
        elif event.kind == "title.thumbed" and data.get("thumb") in {"DOWN", "NOT_INTERESTED"}:
            await self._count(event, Figure.REFUSED, f"refused:{data['titleId']}", event.occurred_at)

    async def on_accounts(self, event: Event) -> None:
        """`profile.deleted`, `account.erased`, and a consent that is taken back."""
        # First: a page that is made meanwhile would expose the profile again, and nobody would forget it a second time.
        await heed_account(self._tastes, event)
        for profile_id in forgotten_profiles(event, CONSENTS):
            await self._measures.forget(profile_id)

    async def _count(self, event: Event, figure: Figure, event_id: str, at: datetime) -> None:
        keys = await self._running(at)
        if keys:
            await self._measures.count(str(event.data["profileId"]), keys, figure.value, event_id, at)

    async def _count_point(self, event: Event, at: datetime) -> None:
        codes = _NO_CODE.split(str(event.data["tracking"]))
        for experiment in (await self._definitions.assigner(self._clock.now())).experiments:
            if experiment.is_interleaved and experiment.has_run_at(at):
                for arm in experiment.arms:
                    if tracking_code(experiment, arm.name) in codes:
                        await self._measures.count_point(
                            str(event.data["profileId"]), experiment.key, arm.name, event.id, at
                        )

    async def _running(self, at: datetime) -> list[str]:
        """Those that ran then, as they are known now."""
        assigner = await self._definitions.assigner(self._clock.now())
        return [each.key for each in assigner.counted if each.has_run_at(at)]
