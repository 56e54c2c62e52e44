"""The supergraph and everything derived from it, as one value that is swapped whole.

A request takes the current snapshot once and keeps it to its end, so a reload never mixes two schemas in one answer and
drops nothing. A new supergraph is read and derived beside the running one; when it is not usable, the old one stays.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from graphql import GraphQLEnumType, GraphQLSchema

from gateway.executor.projection.shape import HiddenNames
from gateway.pipeline.limits import OperationLimits
from gateway.pipeline.operations import OperationCache, OperationCompiler
from gateway.pipeline.override_labels import OverrideLabels, read_override_labels
from gateway.planner.planner import Planner
from gateway.settings import GatewaySettings
from gateway.supergraph.api_schema import build_api_schema
from gateway.supergraph.model import EnumType, Supergraph
from gateway.supergraph.read import read_supergraph

__all__ = ["Snapshot", "SnapshotSource", "build_snapshot"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of the graph. `version` is the first 12 characters of the SHA-256 of its SDL."""

    version: str
    supergraph: Supergraph
    schema: GraphQLSchema
    operations: OperationCache
    labels: OverrideLabels

    def subgraph_urls(self, overrides: dict[str, str]) -> dict[str, str]:
        """Address by subgraph name; `overrides` win."""
        return {name: overrides.get(name, subgraph.url) for name, subgraph in self.supergraph.subgraphs.items()}


def build_snapshot(sdl: str, settings: GatewaySettings, threads: ThreadPoolExecutor) -> Snapshot:
    """Read supergraph SDL and derive everything; raises SupergraphInvalid."""
    supergraph = read_supergraph(sdl)
    schema = build_api_schema(supergraph)
    compiler = OperationCompiler(
        schema=schema,
        hidden=_hidden_names(supergraph, schema),
        planner=Planner(supergraph, schema),
        limits=OperationLimits(
            max_depth=settings.max_depth,
            max_fields=settings.max_fields,
            max_aliases=settings.max_aliases,
            max_root_fields=settings.max_root_fields,
            max_directives=settings.max_directives,
        ),
        max_tokens=settings.max_tokens,
        max_errors=settings.max_validation_errors,
        introspection=settings.introspection,
        suggestions=settings.suggestions,
    )
    operations = OperationCache(
        compiler.compile,
        threads,
        max_operations=settings.operation_cache_size,
        timeout_s=settings.planning_timeout_s,
    )
    labels = read_override_labels(supergraph, settings.active_override_labels)
    return Snapshot(hashlib.sha256(sdl.encode()).hexdigest()[:12], supergraph, schema, operations, labels)


def _hidden_names(supergraph: Supergraph, schema: GraphQLSchema) -> HiddenNames:
    """What subgraphs may answer although clients can't see it."""
    values: dict[str, frozenset[str]] = {}
    for name, definition in supergraph.types.items():
        seen = schema.get_type(name)
        if isinstance(definition, EnumType) and isinstance(seen, GraphQLEnumType):
            values[name] = frozenset(definition.values) - frozenset(seen.values)
    return HiddenNames(frozenset(name for name in supergraph.types if schema.get_type(name) is None), values)


class SnapshotSource:
    """The supergraph file, and whether it changed since it was last read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None

    def read(self) -> str:
        """The file's text; raises OSError."""
        status = self.path.stat()
        text = self.path.read_text(encoding="utf-8")
        self._seen = (status.st_mtime_ns, status.st_size)
        return text

    def has_changed(self) -> bool:
        """Whether reading again would give something else; a missing file counts as unchanged."""
        try:
            status = self.path.stat()
        except OSError:
            return False
        return (status.st_mtime_ns, status.st_size) != self._seen
