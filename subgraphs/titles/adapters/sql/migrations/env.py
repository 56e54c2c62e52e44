"""Alembic's entry: the connection comes from the subgraph that starts."""

from subgraphs.kernel.migrations import run_environment

run_environment()
