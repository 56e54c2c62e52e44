"""The title store on SQLAlchemy: `tables.py` is the schema with its version, `store.py` the port.

SQLite by default. Child rows (genres, credits, windows …) are replaced together with their title.
"""

from subgraphs.titles.adapters.sql.store import SqlTitleStore

__all__ = ["SqlTitleStore"]
