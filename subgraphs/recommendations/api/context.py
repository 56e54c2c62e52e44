"""The GraphQL context of one request to recommendations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from strawberry.types import Info

from subgraphs.kernel.context import RequestContext
from subgraphs.recommendations.services.edit_collections import EditCollections
from subgraphs.recommendations.services.edit_experiments import EditExperiments
from subgraphs.recommendations.services.onboard import Onboard
from subgraphs.recommendations.services.read_titles import ViewerTitles
from subgraphs.recommendations.services.report_interactions import ReportInteractions
from subgraphs.recommendations.services.run_experiments import RunExperiments
from subgraphs.recommendations.services.serve_pages import ServePages

__all__ = ["RecommendationsContext", "RecommendationsInfo", "RecommendationsServices"]


@dataclass(frozen=True, slots=True)
class RecommendationsServices:
    """What lives as long as the process."""

    pages: ServePages
    onboarding: Onboard
    interactions: ReportInteractions
    collections: EditCollections
    definitions: EditExperiments
    experiments: RunExperiments


@dataclass(slots=True, kw_only=True)
class RecommendationsContext(RequestContext):
    """One request: the services, and this viewer's reads."""

    services: RecommendationsServices
    titles: ViewerTitles


RecommendationsInfo = Info[RecommendationsContext, Any]
