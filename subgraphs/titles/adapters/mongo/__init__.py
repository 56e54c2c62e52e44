"""The title store's port on MongoDB.

`schema` names collections and indexes, `documents` turns titles into documents and back, `filters` says browsing in
MongoDB's words. `journal` makes writes of several documents whole and the change log safe to follow. `store` is the
port.
"""

from subgraphs.titles.adapters.mongo.store import MongoTitleStore

__all__ = ["MongoTitleStore"]
