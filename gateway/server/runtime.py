"""What a running gateway holds from start to end: snapshot, transport, identity, threads, and the graph's reload."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext, suppress

import structlog

from common.signing_keys import KeyRing
from gateway.executor.errors import ErrorPolicy
from gateway.executor.transport.base import SubgraphTransport
from gateway.executor.transport.http import HttpTransport
from gateway.executor.transport.in_process import AsgiApplication, InProcessTransport
from gateway.pipeline.handle import Pipeline
from gateway.pipeline.persisted import PersistedOperations, read_trusted_operations
from gateway.pipeline.snapshot import SnapshotSource, build_snapshot
from gateway.server.endpoint import GraphQLEndpoint
from gateway.server.identity import Identity, fetch_key_set
from gateway.server.revocations import RevokedSessions, fetch_revoked_sessions
from gateway.settings import GatewaySettings
from gateway.supergraph.read import SupergraphInvalid

__all__ = ["GatewayRuntime"]

_COLLECT_AFTER_ALLOCATIONS = 20_000
"""Net allocations of containers between looks at the youngest generation; a large page makes about two thousand."""
_THREADS = 2
"""Preparing operations is pure Python: more threads would only take turns."""
_log = structlog.get_logger(__name__)


class GatewayRuntime:
    """Starts and stops everything that one gateway application owns."""

    def __init__(
        self,
        settings: GatewaySettings,
        endpoint: GraphQLEndpoint,
        in_process: Mapping[str, AsgiApplication],
        transport: SubgraphTransport | None,
    ) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._in_process = dict(in_process)
        self._given_transport = transport
        self._source = SnapshotSource(settings.supergraph)
        self.is_ready = False

    @property
    def version(self) -> str | None:
        """The running supergraph's version; None before the start."""
        pipeline = self._endpoint.pipeline
        return None if pipeline is None else pipeline.snapshot.version

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Hold everything for the application's life. Raises SupergraphInvalid or OSError when it can't start."""
        settings = self._settings
        threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="prepare")
        snapshot = await asyncio.to_thread(build_snapshot, self._source.read(), settings, threads)
        http = HttpTransport(
            snapshot.subgraph_urls(settings.subgraph_urls),
            max_response_bytes=settings.max_subgraph_response_bytes,
            connections_per_host=settings.subgraph_connections,
        )
        transport: SubgraphTransport = self._given_transport or http
        if self._in_process and self._given_transport is None:
            transport = InProcessTransport(
                self._in_process, otherwise=http, max_response_bytes=settings.max_subgraph_response_bytes
            )
        revoked = self._revoked_sessions()
        identity = self._identity(revoked)
        self._endpoint.identity = identity
        self._endpoint.pipeline = Pipeline(
            snapshot,
            transport,
            self._persisted(),
            self._error_policy(),
            subgraph_timeout_s=settings.subgraph_timeout_s,
            deduplicate_queries=settings.deduplicate_queries,
        )
        self.is_ready = True
        _quiet_collector()
        reload = asyncio.create_task(self._reload(http, threads)) if settings.reload_interval_s else None
        try:
            async with revoked.running() if revoked is not None else nullcontext():
                yield
        finally:
            self.is_ready = False
            if reload is not None:
                reload.cancel()
                with suppress(asyncio.CancelledError):
                    await reload
            self._endpoint.pipeline = None
            if identity is not None:
                await identity.aclose()
            await transport.aclose()
            await http.aclose()
            threads.shutdown(wait=False, cancel_futures=True)

    def _persisted(self) -> PersistedOperations:
        folder = self._settings.trusted_operations_dir
        return PersistedOperations(
            read_trusted_operations(folder) if folder is not None else {},
            remember=self._settings.persisted_queries,
            trusted_only=self._settings.trusted_operations_only,
        )

    def _error_policy(self) -> ErrorPolicy:
        settings = self._settings
        return ErrorPolicy(
            mask=settings.mask_subgraph_errors,
            shown_codes=settings.shown_error_codes,
            name_subgraphs=settings.name_subgraphs_in_errors,
            max_errors=settings.max_response_errors,
        )

    def _identity(self, revoked: RevokedSessions | None) -> Identity | None:
        address = self._settings.access_jwks
        if address is None:
            return None
        signer = None
        if self._settings.sign_viewer_context:
            signer = KeyRing(self._settings.shared.keys_dir / "viewer.pem")
        return Identity(
            lambda: fetch_key_set(address),
            signer,
            refresh_s=self._settings.access_jwks_refresh_s,
            revoked=revoked,
        )

    def _revoked_sessions(self) -> RevokedSessions | None:
        address = self._settings.revoked_sessions
        if address is None:
            return None
        return RevokedSessions(lambda: fetch_revoked_sessions(address), self._settings.revoked_sessions_refresh_s)

    async def _reload(self, http: HttpTransport, threads: ThreadPoolExecutor) -> None:
        """Look at the supergraph file from time to time; swap the snapshot when it changed and can be used."""
        while True:
            await asyncio.sleep(self._settings.reload_interval_s)
            if not await asyncio.to_thread(self._source.has_changed):
                continue
            pipeline = self._endpoint.pipeline
            try:
                text = await asyncio.to_thread(self._source.read)
                snapshot = await asyncio.to_thread(build_snapshot, text, self._settings, threads)
            except (OSError, UnicodeDecodeError, SupergraphInvalid) as error:
                _log.error("the changed supergraph is not usable; the old one stays", error=str(error))
                continue
            if pipeline is None or snapshot.version == pipeline.snapshot.version:
                continue
            http.add_urls(snapshot.subgraph_urls(self._settings.subgraph_urls))
            pipeline.snapshot = snapshot
            _quiet_collector()
            _log.info("supergraph swapped", version=snapshot.version)


def _quiet_collector() -> None:
    """Take the graph out of the cyclic collector's sight and let it look at new objects less often.

    Every request allocates thousands of JSON objects that die without cycles; with the default threshold the collector
    runs several times per request, and now and then over the whole schema (measured: a fifth of a large page's time).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER_ALLOCATIONS, 20, 20)
