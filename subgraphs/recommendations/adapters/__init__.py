"""The ports on real parts: titles in a relational store, tastes, trends and finished pages on Valkey.

Foreign errors are translated here. Only `app.py` names an adapter; services see ports.
"""
