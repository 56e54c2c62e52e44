"""Imported once by the process that all children are forked from: the libraries that are slow to import.

Importing must do nothing but import. What is allocated here is shared by all children; freezing it keeps the garbage
collector from touching, and so copying, those pages.
"""

from __future__ import annotations

import gc
import importlib

from stack.entries import COLLECT_AFTER

MODULES = (
    "aiohttp",
    "alembic.command",
    "argon2",
    "grpc.aio",
    "grpc_health.v1.health",
    "grpc_reflection.v1alpha.reflection",
    "msgspec",
    "numpy",
    "obstore",
    "orjson",
    "PIL.Image",
    "PIL.ImageDraw",
    "PIL.ImageFont",
    "redis.asyncio",
    "scipy.sparse",
    "sqlalchemy.ext.asyncio",
    "strawberry.federation",
    "streaq",
    "tantivy",
    "uvicorn",
    "uvloop",
    "stack.entries",
    "gateway.server.app",
    "media_pipeline.delivery.app",
    "media_pipeline.licensing.server",
    "media_pipeline.steering.server",
    "media_pipeline.transcoding.server",
    "subgraphs.playback.app",
    "subgraphs.profiles.app",
    "subgraphs.recommendations.app",
    "subgraphs.titles.app",
)

for module in MODULES:
    importlib.import_module(module)

gc.collect()
gc.freeze()
gc.set_threshold(*COLLECT_AFTER)
