"""The table of processes: what runs, on which port, and how to tell that it is ready.

The order is the order of starting; stopping goes backwards, stage by stage. Ports come from each process's own
settings, so that one variable moves the process and everybody who calls it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["PROCESS_TABLE", "ProcessRow", "Readiness", "Stage"]


class Readiness(StrEnum):
    """How the supervisor learns that a process can work."""

    HTTP = "http"
    """GET /health answers 200."""
    TCP = "tcp"
    """The port accepts a connection."""
    PROBE = "probe"
    """The row's probe says so."""
    NONE = "none"
    """It listens nowhere; alive is ready."""


class Stage(StrEnum):
    """Where a process stands in the order of stopping: the front first, what others need last."""

    STORE = "store"
    """The others need it from their first moment on; they start when it is ready."""
    SERVICE = "service"
    FRONT = "front"
    """Where clients come in."""


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process. `entry` is "module:function"; the function takes nothing and runs until SIGTERM.

    `settings` is "module:Class" of the settings that hold its port (None: it listens nowhere, or is none of ours).
    `probe` is "module:function" of an async function that takes the port and says whether the process can work.
    """

    name: str
    entry: str
    settings: str | None
    readiness: Readiness
    speaks: str
    stage: Stage = Stage.SERVICE
    probe: str | None = None


PROCESS_TABLE: tuple[ProcessRow, ...] = (
    ProcessRow(
        "profiles",
        "stack.entries:run_profiles",
        "subgraphs.profiles.settings:ProfilesSettings",
        Readiness.HTTP,
        "GraphQL",
    ),
    ProcessRow(
        "titles", "stack.entries:run_titles", "subgraphs.titles.settings:TitlesSettings", Readiness.HTTP, "GraphQL"
    ),
    ProcessRow(
        "playback",
        "stack.entries:run_playback",
        "subgraphs.playback.settings:PlaybackSettings",
        Readiness.HTTP,
        "GraphQL",
    ),
    ProcessRow(
        "recommendations",
        "stack.entries:run_recommendations",
        "subgraphs.recommendations.settings:RecommendationsSettings",
        Readiness.HTTP,
        "GraphQL",
    ),
    ProcessRow(
        "transcoding",
        "stack.entries:run_transcoding",
        "media_pipeline.transcoding.settings:TranscodingSettings",
        Readiness.TCP,
        "gRPC",
    ),
    ProcessRow(
        "licensing",
        "stack.entries:run_licensing",
        "media_pipeline.licensing.settings:LicensingSettings",
        Readiness.TCP,
        "gRPC",
    ),
    ProcessRow(
        "steering",
        "stack.entries:run_steering",
        "media_pipeline.steering.settings:SteeringSettings",
        Readiness.TCP,
        "gRPC",
    ),
    ProcessRow(
        "delivery",
        "stack.entries:run_delivery",
        "media_pipeline.delivery.settings:DeliverySettings",
        Readiness.HTTP,
        "HTTP: media, artwork, licences, uploads",
    ),
    ProcessRow("worker", "stack.entries:run_worker", None, Readiness.NONE, "jobs"),
    ProcessRow(
        "gateway",
        "stack.entries:run_gateway",
        "gateway.settings:GatewaySettings",
        Readiness.HTTP,
        "GraphQL, pages",
        Stage.FRONT,
    ),
)
