"""Alembic's environment: the store that is being opened, never one from a configuration file."""

from __future__ import annotations

from subgraphs.kernel.migrations import run_environment

run_environment()
