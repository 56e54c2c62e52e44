"""Steering's ports on real things: where pathways' health is kept.

Valkey, so that all processes agree; while it is away the last known health counts.
"""
