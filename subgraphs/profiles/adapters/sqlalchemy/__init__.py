"""The stores on SQL: SQLite embedded, PostgreSQL by URL, one code for both.

`tables` defines what the migrations create; each other module implements one port.
"""
