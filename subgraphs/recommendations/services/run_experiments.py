"""Puts viewers into experiments, and tells who met one.

Only profiles take part whose account agreed to analytics and to personalisation, and no kids profiles: who may not be
counted is not experimented on, and sees the defaults.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

import structlog

from common.errors import ServiceError
from common.events import Event
from common.tokens import Viewer
from subgraphs.recommendations.domain.page import Exposure
from subgraphs.recommendations.domain.taste import Taste
from subgraphs.recommendations.experiments.assign import NOBODY, Assigned
from subgraphs.recommendations.ports import ExperimentMeasures, InteractionEvents
from subgraphs.recommendations.services.edit_experiments import EditExperiments, UnusableExperiment

__all__ = ["TESTER_SCOPES", "NotATester", "RunExperiments"]

log = structlog.get_logger(__name__)

TESTER_SCOPES = frozenset({"tester", "experimenter", "studio"})
TOLD_IN_MEMORY = 50_000
"""Exposures that this process has told today, so that a page that is asked for again costs nothing."""


class NotATester(Exception):
    """The viewer has none of the scopes."""


class RunExperiments:
    """Assignment costs a few hashes per page; exposures one short call a day for each profile and experiment."""

    def __init__(self, definitions: EditExperiments, measures: ExperimentMeasures, events: InteractionEvents) -> None:
        self._definitions = definitions
        self._measures = measures
        self._events = events
        self._told: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    async def assign(self, viewer: Viewer, taste: Taste, form_factor: str, now: datetime) -> Sequence[Assigned]:
        """What the viewer is in; never raises."""
        if viewer.profile_id is None:
            return NOBODY
        assigner = await self._definitions.assigner(now)
        takes_part = taste.is_measured and taste.is_personal and not viewer.is_kids
        assigned = assigner.assign(viewer, form_factor, now) if takes_part else NOBODY
        if not TESTER_SCOPES & viewer.scopes:
            return assigned
        try:
            chosen = await self._measures.overrides(viewer.profile_id)
        except ServiceError as error:
            log.warning("experiments.without_overrides", error=error.message)
            return assigned
        return assigner.override(assigned, chosen, now) if chosen else assigned

    async def expose(self, viewer: Viewer, exposures: Sequence[Exposure], now: datetime) -> None:
        """The viewer was given a page that these had a say in; never raises, as the page is good without being told."""
        day = now.date().isoformat()
        for each in exposures:
            profile_id = viewer.profile_id
            if profile_id is None or not each.is_counted or (profile_id, each.key, day) in self._told:
                continue
            try:
                if await self._measures.expose(profile_id, each, now):
                    await self._events.tell([_event(profile_id, each, now)])
            except ServiceError as error:
                log.warning("experiments.exposure_lost", experiment=each.key, error=error.message)
                continue
            self._told[profile_id, each.key, day] = None
            if len(self._told) > TOLD_IN_MEMORY:
                self._told.popitem(last=False)

    async def override(self, viewer: Viewer, experiment_id: str, arm: str | None, now: datetime) -> None:
        """A tester's choice for the own profile. Raises NotATester, UnusableExperiment."""
        if viewer.profile_id is None or not TESTER_SCOPES & viewer.scopes:
            raise NotATester
        experiment = await self._definitions.find(experiment_id)
        names = [each.name for each in experiment.arms]
        if arm is not None and arm not in names:
            raise UnusableExperiment(f"{experiment_id} has no arm {arm[:60]!r}; it has {', '.join(names)}")
        if arm is not None and not experiment.has_run_at(now):
            raise UnusableExperiment(f"{experiment_id} is not running; start it first")
        await self._measures.override(viewer.profile_id, experiment_id, arm)


def _event(profile_id: str, exposure: Exposure, now: datetime) -> Event:
    data = {
        "profileId": profile_id,
        "experimentId": exposure.experiment_id,
        "version": exposure.version,
        "arm": exposure.arm,
        "occurredAt": now.isoformat(),
    }
    return Event(topic="experiments", kind="exposure.logged", data=data, occurred_at=now)
